"""HTTP: a page, its two files, and what models are asked for, in JSON. Nothing else can be reached."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import StarletteHTTPException
from fastapi.responses import JSONResponse

from ctap.listening.guard import Guard
from ctap.models.many import Wanted
from ctap.models.prompt import Prompt
from ctap.nn.duration import SPEEDS
from ctap.serving.limits import (
    Limits,
    RefusedError,
    decode,
    read_base64,
    read_json,
    read_number,
    read_text,
)
from ctap.serving.served import Served, described, mel_picture, spoken, wav_bytes
from ctap.serving.worker import Worker

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/recorder.js": ("recorder.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src blob:; img-src data:; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_app(served: dict[str, Served], limits: Limits, names: Guard | None = None) -> FastAPI:
    """The server.

    Args:
        served: Models by name.
        limits: Sizes and times.
        names: Knows the names that it may be called by, besides this machine's own; None for any. A page
            elsewhere whose name is made to point here is turned away by it.
    """
    worker = Worker(limits)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        worker.close()

    app = FastAPI(redirect_slashes=False, docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    app.state.worker = worker
    app.state.desk = desk = Desk(served, limits, worker)

    @app.middleware("http")
    async def guard(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
        name = re.sub(r":\d*$", "", request.headers.get("host", ""))
        local = (request.scope.get("server") or ("",))[0]
        if names is not None and not names.is_named(name, local):
            response: Response = _refusal(RefusedError(421, "this server is called by another name"))
        else:
            response = await handle(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        return _refusal(error)

    @app.exception_handler(StarletteHTTPException)
    async def unknown(_: Request, error: StarletteHTTPException) -> Response:
        reasons = {404: "no such address", 405: "this address takes another method"}
        return _refusal(RefusedError(error.status_code, reasons.get(error.status_code, str(error.detail))))

    for path, (name, kind) in FILES.items():
        content = (PAGE / name).read_bytes()
        app.add_api_route(path, _file(content, kind), methods=["GET"])
    app.add_api_route("/api/models", lambda: desk.models(), methods=["GET"])
    for verb in ("synthesize", "convert", "recognize"):
        app.add_api_route(f"/api/models/{{model}}/{verb}", getattr(desk, verb), methods=["POST"])
    return app


def _file(content: bytes, kind: str) -> Callable[[], Response]:
    def give() -> Response:
        return Response(content, media_type=kind)

    return give


def _refusal(error: RefusedError) -> JSONResponse:
    headers = {"Retry-After": "5"} if error.status == 503 else {}
    return JSONResponse({"error": error.reason}, error.status, headers | {"Connection": "close"})


@dataclass
class _Asked:
    """``values`` of a request, its bytes, and ``until`` when to answer it, by the monotonic clock."""

    values: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    until: float = 0.0


class Desk:
    """Takes requests, looks at them, and has them carried out.

    Args:
        served: Models by name.
        limits: Sizes and times.
        worker: Uses the models.
    """

    def __init__(self, served: dict[str, Served], limits: Limits, worker: Worker) -> None:
        self.served, self.limits, self.worker = served, limits, worker
        self.held = 0  # bytes of the bodies of all requests that are not answered yet

    def models(self) -> Response:
        """The list of models, with what each can do and its voices."""
        asked = {"characters": self.limits.characters, "audio_seconds": self.limits.audio_seconds}
        return JSONResponse({"models": described(self.served), "limits": asked})

    async def synthesize(self, model: str, request: Request) -> Response:
        """Text to speech: ``text``, ``voice`` or ``prompt`` (a file in base64), ``speed``, ``seed``."""
        own = self._find(model, "synthesize")
        async with self._asked(request, {"text", "voice", "prompt", "speed", "seed"}) as asked:
            text = read_text(asked.values, self.limits)
            speed = read_number(asked.values, "speed", 1.0, *SPEEDS)
            seed = read_number(asked.values, "seed", 0, 0, 2**31)
            prompt = await self._voice(own, asked)
            wanted = Wanted(text, prompt, speed, int(seed), self.limits.speech_seconds)
            return self._answer(request, own, await self.worker.say(own.model, wanted, asked.until))

    async def convert(self, model: str, request: Request) -> Response:
        """``source`` (a file in base64) in a ``voice``, or that of a ``prompt``; ``melody``, whose."""
        own = self._find(model, "convert")
        async with self._asked(request, {"source", "voice", "prompt", "melody"}) as asked:
            melody = asked.values.get("melody", "model")
            if melody not in own.melodies():
                raise RefusedError(400, f"melody: expected {' or '.join(own.melodies())}")
            source = await self._wave(own, asked.values, "source")
            prompt = await self._voice(own, asked)
            said = await self.worker.do(lambda: own.model.convert(source, prompt, melody), asked.until)
            return self._answer(request, own, said)

    async def recognize(self, model: str, request: Request) -> Response:
        """Phones of a recording: ``source``, a file in base64."""
        own = self._find(model, "recognize")

        def hear(source: Any) -> dict[str, Any]:
            heard = own.model.recognize(source)
            phones, durations = heard.runs()
            mel = own.model.log_mel(source).cpu()
            shift = own.model.parts.audio.frame_shift
            return {
                "heard": heard.phones,
                "text": heard.text,
                "phones": phones,
                "durations": durations,
                "frame_shift": shift,
                "mel": mel_picture(mel),
            }

        async with self._asked(request, {"source"}) as asked:
            source = await self._wave(own, asked.values, "source")
            return JSONResponse(await self.worker.do(lambda: hear(source), asked.until))

    def _find(self, name: str, verb: str) -> Served:
        own = self.served.get(name)
        if own is None:
            raise RefusedError(404, f"no such model; there are {', '.join(self.served)}")
        if verb not in own.can():
            raise RefusedError(404, f"model {name} can't {verb}; it can {', '.join(own.can()) or 'nothing'}")
        return own

    @asynccontextmanager
    async def _asked(self, request: Request, known: set[str]) -> AsyncIterator[_Asked]:
        """What a request asks; its bytes count as held until it is answered."""
        asked = _Asked()
        try:
            asked.values = read_json(await self._receive(request, asked), known)
            asked.until = time.monotonic() + self.limits.wait_seconds
            yield asked
        finally:
            self.held -= asked.size

    async def _receive(self, request: Request, asked: _Asked) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # which a form of another site can't send
            raise RefusedError(415, "expected Content-Type application/json")
        most, length = self.limits.body_bytes, request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise RefusedError(400, "Content-Length: expected a number of bytes")
        if int(length) > most:
            raise RefusedError(413, f"{length} bytes, at most {most} are taken")
        body = bytearray()

        async def arrive() -> None:
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":  # nobody reads the answer, but nothing failed here
                    raise RefusedError(400, "the body broke off")
                part, more = message.get("body", b""), message.get("more_body", False)
                body.extend(part)
                asked.size += len(part)
                self.held += len(part)
                if asked.size > most:
                    raise RefusedError(413, f"more than {most} bytes")
                if self.held > self.limits.held_bytes:
                    raise RefusedError(503, "too many large requests at once; try again later")

        try:
            await asyncio.wait_for(arrive(), self.limits.body_seconds)
        except asyncio.TimeoutError:
            raise RefusedError(408, f"the body took more than {self.limits.body_seconds:g} s") from None
        return bytes(body)

    async def _wave(self, own: Served, values: dict[str, Any], name: str) -> Any:
        data, rate = read_base64(values, name), own.model.sample_rate
        return await asyncio.to_thread(decode, data, name, rate, self.limits)

    async def _voice(self, own: Served, asked: _Asked) -> Prompt:
        values = asked.values
        if ("voice" in values) == ("prompt" in values):
            raise RefusedError(400, "expected either a voice by its name or a prompt, a sound file in base64")
        if "voice" in values:
            name = values["voice"]
            if not isinstance(name, str) or name not in own.voices:
                raise RefusedError(404, f"no such voice; there are {', '.join(own.voices) or 'none'}")
            return own.voices[name]
        wave = await self._wave(own, values, "prompt")
        return await self.worker.do(lambda: own.model.prompt(wave), asked.until)

    def _answer(self, request: Request, own: Served, speech: Any) -> Response:
        if isinstance(speech, Exception):
            raise RefusedError(400, str(speech))
        if request.headers.get("accept", "").startswith("audio/"):
            return Response(wav_bytes(speech), media_type="audio/wav")
        return JSONResponse(spoken(speech, own.model.parts.audio.frame_shift))
