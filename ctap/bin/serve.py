"""A server with a page to try models: ``ctap.bin.serve MODEL...``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.models.vocoder import DEFAULT
from ctap.ranges import Range, require


def serve(
    models: list[Path],
    /,
    voices: list[Path] | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    hosts: list[str] | None = None,
    device: str = "auto",
    vocoder: str = DEFAULT,
    max_characters: int = 300,
    max_audio_seconds: float = 30.0,
    max_wait_seconds: float = 60.0,
    max_waiting: int = 40,
) -> None:
    """Serve models over HTTP, with a page where a visitor types or speaks, and listens.

    The page needs no network but this server. A browser lets pages record only from this machine itself
    (127.0.0.1) or over HTTPS. There is no password.

    Args:
        models: Model directories; each is named by its directory, or the one above a `model`.
        voices: Recordings to choose voices from, named by their files.
        host: Address to listen at; 0.0.0.0 is open to the network.
        port: Port; 0 takes a free one.
        hosts: Names that the server may be called by, besides localhost and its address; any, if it listens
            at 0.0.0.0 and none is given.
        device: cpu, cuda or auto.
        vocoder: pretrained, griffin_lim, or the directory of a trained vocoder.
        max_characters: The longest text.
        max_audio_seconds: The longest recording.
        max_wait_seconds: The longest that a request may wait and take once it has arrived.
        max_waiting: Requests that may wait; more are refused.
    """
    try:
        import uvicorn  # noqa: F401

        from ctap.serving.app import make_app
    except ImportError as error:
        raise UserError(f"serve: {error}; the extra has what it takes: pip install 'ctap[serve]'") from None
    from ctap.listening.guard import Guard
    from ctap.serving.limits import Limits
    from ctap.serving.served import load_served

    # a kernel for every length that was ever asked for is kept otherwise: memory that grows for hours
    for cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(cache, "16")
    require("--port", port, Range(0, 65535))
    set_up_logging()
    limits = Limits(
        characters=max_characters,
        audio_seconds=max_audio_seconds,
        wait_seconds=max_wait_seconds,
        waiting=max_waiting,
    )
    any_name = host in ("0.0.0.0", "::") and not hosts
    names = None if any_name else Guard(allow_hosts=[host, *(hosts or [])])  # refuses, before models are read
    served = load_served(models, voices or [], device, vocoder)
    _listen(make_app(served, limits, names), host, port, ", ".join(served))


def _listen(app: Any, host: str, port: int, names: str) -> None:
    """Answer until the process is told to end."""
    import uvicorn

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        limit_concurrency=200,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=16384,
        server_header=False,
        http="h11",
        ws="none",
    )
    listener = config.bind_socket()
    listener.listen(200)  # who comes before all is up waits
    at, number = listener.getsockname()[:2]
    at = f"[{at}]" if ":" in at else at
    print(f"serving {names} at http://{at}:{number}/ ; Ctrl-C ends", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


main = command(serve)

if __name__ == "__main__":
    main()
