"""A small server for a listening test: gives the page and sounds, takes answers. Standard library only."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.listening.answers import RefusedError, check_answer, check_listener
from ctap.listening.guard import DeadlineReader, Guard, TurnedAwayError
from ctap.listening.plan import Plan
from ctap.listening.store import Store, StoreError
from ctap.listening.web import page

__all__ = ["ListeningServer", "addresses"]

_MAX_BODY = 4096  # bytes; an answer has about 150
_LISTENER = re.compile("/api/listeners/([^/]+)")
_ANSWER = re.compile("/api/listeners/([^/]+)/answers/([^/]+)")
_SOUND = re.compile("/sounds/([0-9a-f]+)")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "ctap", ""
    timeout = 30  # seconds, of a whole request: who says nothing, or a byte at a time, does not keep a thread
    server: ListeningServer

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._incoming = DeadlineReader(self.connection)
        self.rfile = io.BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        self._incoming.allow(self.timeout)
        super().handle_one_request()

    def _admitted(self) -> str:
        """The path asked for, if this request may ask for anything."""
        self.server.guard.check_host(self.headers, self.connection.getsockname()[0])
        return self.server.guard.inner_path(self.path.partition("?")[0])

    def do_GET(self) -> None:
        try:
            path = self._admitted()
        except TurnedAwayError as error:
            self._fail(error.status, str(error))
            return
        if path == "/":
            self._send(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8", "no-store")
        elif (match := _SOUND.fullmatch(path)) and match[1] in self.server.sounds:
            try:
                data = self.server.sounds[match[1]].read_bytes()
            except OSError as error:
                self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, f"sound {match[1]}: {error.strerror}")
                return
            # named by its content, so it never changes
            self._send(HTTPStatus.OK, data, "audio/flac", "private, max-age=604800, immutable")
        else:
            self._fail(HTTPStatus.NOT_FOUND, "no such page")

    do_HEAD = do_GET  # noqa: N815  (_send leaves the body out)

    def do_PUT(self) -> None:
        try:
            path = self._admitted()
            body = self._body()
            if match := _LISTENER.fullmatch(path):
                reply = self._join(match[1], body)
            elif match := _ANSWER.fullmatch(path):
                reply = self._answer(match[1], match[2], body)
            else:
                raise TurnedAwayError(HTTPStatus.NOT_FOUND, "no such address")
        except TurnedAwayError as error:
            self._fail(error.status, str(error))
        except RefusedError as error:
            self._fail(HTTPStatus.BAD_REQUEST, str(error))
        except StoreError as error:
            logging.error("%s", error)
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE, "the answer could not be stored; send it again")
        else:
            self._send_json(HTTPStatus.OK, reply)

    def _body(self) -> dict[str, Any]:
        """The JSON object that was sent, for this very test."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != "application/json":  # which a form of another site cannot send
            raise TurnedAwayError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            raise TurnedAwayError(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length")
        if len(length) > 10 or int(length) > _MAX_BODY:
            raise TurnedAwayError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {_MAX_BODY} bytes")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "the body is shorter than its Content-Length")
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "expected a JSON object")
        if body.get("test") != self.server.plan.id:
            raise TurnedAwayError(HTTPStatus.CONFLICT, "this page belongs to another test; load it again")
        return body

    def _join(self, id: str, body: dict[str, Any]) -> dict[str, Any]:
        asked = check_listener(id, body)
        if self.server.store.listener(asked.id) is None:
            self.server.guard.count_join(self.client_address[0])
        listener = self.server.store.join(asked.id, asked.name, None if asked.slot < 0 else asked.slot)
        logging.info(
            "listener %s (%s) has share %d", listener.id[:8], listener.name or "no name", listener.slot
        )
        return {"slot": listener.slot}

    def _answer(self, id: str, trial: str, body: dict[str, Any]) -> dict[str, Any]:
        listener = self.server.store.listener(id)
        if listener is None:
            raise TurnedAwayError(HTTPStatus.NOT_FOUND, "unknown listener; join first")
        held = self.server.store.save(check_answer(self.server.plan, listener, trial, body))
        return {"saved": True, "newest": held}

    def _send_json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._send(status, json.dumps(value).encode("utf-8"), "application/json", "no-store")

    def _fail(self, status: HTTPStatus, reason: str) -> None:
        self.close_connection = True  # a body may still be unread
        self._send_json(status, {"error": reason})

    def _send(self, status: HTTPStatus, data: bytes, kind: str, cache: str) -> None:
        self.connection.settimeout(self.timeout)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", cache)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        logging.debug("%s %s", self.address_string(), format % arguments)


class ListeningServer(ThreadingHTTPServer):
    """Serves one test. ``serve_forever()`` until ``shutdown()``."""

    daemon_threads = True
    request_queue_size = 64
    most_connections = 200

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        store: Store,
        *,
        host: str = "127.0.0.1",
        port: int = 8080,
        guard: Guard | None = None,
    ) -> None:
        """Bind, but do not serve yet.

        Args:
            folder: what ``listening_test build`` wrote.
            plan: its plan.
            store: where answers go.
            host: address to bind to; ``0.0.0.0`` for every machine of the network.
            port: 0 takes a free one.
            guard: whose requests are answered; by default those that name this machine.

        Raises:
            UserError: sounds are missing, or the address is not available.
        """
        self.plan, self.store, self.guard = plan, store, guard or Guard()
        self._free = threading.BoundedSemaphore(self.most_connections)
        self.sounds = {name: folder / "sounds" / f"{name}.flac" for name in plan.sounds}
        missing = [path for path in self.sounds.values() if not path.is_file()]
        if missing:
            raise UserError(f"{missing[0]}: missing, and {len(missing) - 1} more; build the test again")
        self.page = page(plan, None).encode("utf-8")
        try:
            if ":" in host:
                self.address_family = socket.AF_INET6
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f"--host {host} --port {port}: {error}; is another server there?") from None

    def process_request(self, request: Any, client_address: Any) -> None:
        """One thread a connection, and no more than :attr:`most_connections`."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A listener who goes away in the middle is nothing to be alarmed about; anything else is."""
        logging.debug("request of %s ended early", client_address, exc_info=True)
        import sys

        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            logging.exception("request of %s failed", client_address)


def addresses(host: str, port: int, path: str = "") -> list[str]:
    """Where listeners find a server that is bound to ``host``; ``path`` is :attr:`Guard.path`."""
    if host not in ("0.0.0.0", "::"):
        return [f"http://[{host}]:{port}/{path}" if ":" in host else f"http://{host}:{port}/{path}"]
    found = ["127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # asks the routing table which of our addresses faces outwards; nothing is sent
            probe.connect(("192.0.2.1", 9))
            found.insert(0, probe.getsockname()[0])
        except OSError:
            pass
    return [f"http://{address}:{port}/{path}" for address in dict.fromkeys(found)]
