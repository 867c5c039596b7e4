"""The server as a program asks it, and a hundred kinds of what it refuses with a reason."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import io
import json
import threading
import time as clock
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi", reason="fastapi is not installed (extra: serve)")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra: dev)")
from starlette.testclient import TestClient

from ctap.bin.serve import serve
from ctap.errors import UserError
from ctap.listening.guard import Guard
from ctap.models.inference import Model
from ctap.models.many import Wanted, synthesize_many
from ctap.serving.app import make_app
from ctap.serving.limits import Limits
from ctap.serving.served import Served
from ctap.serving.worker import Worker

LIMITS = Limits(characters=20, audio_seconds=3.0, speech_seconds=20.0, body_bytes=400_000)
SAY, CONVERT, HEAR = (f"/api/models/tts_a/{verb}" for verb in ("synthesize", "convert", "recognize"))


@pytest.fixture(scope="module")
def client(served: dict[str, Served]) -> Iterator[TestClient]:
    with TestClient(make_app(served, LIMITS, Guard(allow_hosts=["testserver"]))) as made:
        yield made


def wave_file(seconds: float = 1.0, rate: int = 24000, kind: str = "WAV", **options: Any) -> bytes:
    file = io.BytesIO()
    time = np.arange(round(seconds * rate)) / rate
    soundfile.write(file, options.pop("wave", 0.3 * np.sin(1130 * time)), rate, format=kind, **options)
    return file.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def test_models_and_page(client: TestClient) -> None:
    told = client.get("/api/models").json()
    about = {
        "language": "zh",
        "writing": "Chinese characters or pinyin",
        "example": "今天天气很好。",
    }
    can = ["synthesize", "convert", "recognize"]
    able = {"can": can, "melodies": ["model", "source"]}
    assert told["models"] == [{"name": "tts_a", **able, "voices": ["anna"], **about}]
    for path in ("/", "/page.js", "/style.css", "/recorder.js"):
        reply = client.get(path)
        assert reply.status_code == 200 and "default-src 'self'" in reply.headers["content-security-policy"]
        assert "http://" not in reply.text and "https://" not in reply.text  # nothing from elsewhere


def test_text_to_speech(client: TestClient, sound: str) -> None:
    body = {"text": "你好", "voice": "anna", "seed": 3}
    said = client.post(SAY, json=body).json()
    wave, rate = soundfile.read(io.BytesIO(base64.b64decode(said["wav"])))
    assert rate == 24000 and len(wave) == pytest.approx(said["seconds"] * rate)
    assert said["phones"] == ["sil", "n", "i3", "h", "ao3", "sil"]
    mel = said["mel"]
    assert mel["frames"] == sum(said["durations"]) and mel["bins"] == 40
    assert len(base64.b64decode(mel["bytes"])) == mel["frames"] * 40
    audio = client.post(SAY, json=body, headers={"Accept": "audio/wav"})
    assert audio.headers["content-type"] == "audio/wav" and b64(audio.content) == said["wav"]
    mine = client.post(SAY, json={"text": "你好", "prompt": sound, "seed": 3}).json()
    assert mine["durations"] == said["durations"]  # the same recording


def test_conversion_and_recognition(client: TestClient, sound: str) -> None:
    said = client.post(CONVERT, json={"source": sound, "voice": "anna"}).json()
    assert said["seconds"] == pytest.approx(1.5, abs=0.02) and said["phones"] is None
    sung = client.post(CONVERT, json={"source": sound, "voice": "anna", "melody": "source"}).json()
    assert sung["mel"] == said["mel"] and sung["wav"] != said["wav"]
    heard = client.post(HEAR, json={"source": sound}).json()
    assert sum(heard["durations"]) == heard["mel"]["frames"] == 151
    assert set(heard["heard"]) <= set(heard["phones"])


def test_visitors_at_once_are_said_together(client: TestClient) -> None:
    def say(i: int) -> Any:
        return client.post(SAY, json={"text": "你好", "voice": "anna", "seed": i % 2}).json()["durations"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(say, range(16)))
    assert len({tuple(d) for d in found[0::2]}) == len({tuple(d) for d in found[1::2]}) == 1
    assert sum(client.app.state.worker.batches[2:]) > 0


JSON = {"content-type": "application/json"}
GOOD = {"text": "你好", "voice": "anna"}
NOT_SOUNDS = [b"", b"x", b"RIFF", b"RIFF\xff\xff\xff\xffWAVE", b"\x00" * 99, b"ID3\x04\x00", b"OggS", b"fLaC"]
NOT_SOUNDS += [
    b"\xff\xfb\x90\x00" * 20,
    b"\x1aE\xdf\xa3webm",
    b"<html></html>",
    b"PK\x03\x04",
    b"\x7fELF",
    b"GIF89a",
]
NOT_SOUNDS += [wave_file()[:n] for n in (11, 20, 43, 44, 100, 20000)]
NOT_SOUNDS += [
    wave_file(0.001),
    wave_file(3.5),
    wave_file(8.0, rate=8000, kind="FLAC"),
    wave_file(60, 8000, "OGG"),
]
NOT_SOUNDS += [wave_file(wave=np.zeros((270000, 8)), rate=96000, kind="FLAC")]  # small until it is unpacked
NOT_SOUNDS += [wave_file(wave=np.full(24000, np.nan), subtype="FLOAT")]
NOT_SOUNDS += [wave_file(wave=np.full(24000, np.inf), subtype="FLOAT"), wave_file(wave=np.zeros(0))]
BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"1",
    b"null",
    b'"text"',
    b"{'text': 1}",
    b"\xff\xfe",
    b"[" * 100_000,
    b"text=1",
]
BAD_FIELDS: list[dict[str, Any]] = [
    *(
        {**GOOD, "text": text}
        for text in ("", "  ", None, 3, [], {}, True, "!?", "好" * 21, "a\x00b", "hello", "xyz9")
    ),
    *(
        {**GOOD, "voice": voice}
        for voice in ("", "bert", None, 1, [], {}, "../anna", "anna.wav", "/etc/passwd")
    ),
    *({**GOOD, "speed": speed} for speed in (0, -1, 9, "1", None, True, [1], 1e300)),
    *({**GOOD, "seed": seed} for seed in (-1, 2**40, "a", None, {})),
    {"text": "你好"},
    {"voice": "anna"},
    {**GOOD, "prompt": "AAAA"},
    {**GOOD, "color": 1},
    {**GOOD, "source": "AAAA"},
    {**GOOD, "x" * 1000: 1},
    *({"text": "你好", "prompt": prompt} for prompt in (None, 1, "%", "AAA", "好", ["AAAA"], "AA\nAA")),
]
PATHS = ["/etc/passwd", "/../setup.py", "/%2e%2e/%2e%2e/etc/passwd", "/page/page.js", "/api", "/api/models/"]
PATHS += ["/docs", "/openapi.json", "/redoc", "/page.html", "/api/models/tts_a", "/static/x", "/page.js/"]
NAMES = ["tts_b", "..", "%2e%2e", "tts_a%2f..", "TTS_A", "tts_a ", "model", "x" * 3000, "%00"]

REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    *(("POST", SAY, {"content": body, "headers": JSON}) for body in BAD_BODIES),
    *(("POST", SAY, {"content": json.dumps(body).encode(), "headers": JSON}) for body in BAD_FIELDS),
    *(("POST", HEAR, {"json": {"source": b64(data)}}) for data in NOT_SOUNDS),
    *(("POST", CONVERT, {"json": {"source": b64(data), "voice": "anna"}}) for data in NOT_SOUNDS[:3]),
    *(("POST", CONVERT, {"json": {"source": b64(wave_file()), "voice": "anna", "melody": melody}})
      for melody in ("Source", "", None, 1, [], {})),
    *(("POST", SAY, {"content": b'{"text": "ni3", "voice": "anna", "speed": %s}' % n, "headers": JSON})
      for n in (b"NaN", b"Infinity", b"1e999", b"1" + b"0" * 400)),
    ("POST", SAY, {"content": b'{"text": "ni3", "voice": "anna", "\\ud800": 1}', "headers": JSON}),
    ("POST", HEAR, {"json": {}}),
    ("POST", SAY, {"content": b"x" * 400_001, "headers": JSON}),
    ("POST", SAY, {"content": (b"x" * 9000 for _ in range(60)), "headers": JSON}),
    *(("POST", SAY, {"content": json.dumps(GOOD).encode(), "headers": {"content-type": kind}})
      for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "")),
    *(("GET", path, {}) for path in PATHS),
    *(("POST", f"/api/models/{name}/synthesize", {"json": GOOD}) for name in NAMES),
    ("POST", "/api/models/tts_a/train", {"json": GOOD}),
    *((method, SAY, {}) for method in ("GET", "PUT", "DELETE", "PATCH")),
    ("POST", "/", {"json": {}}),
    ("GET", "/", {"headers": {"host": "evil.example"}}),
]  # fmt: skip


def test_there_are_a_hundred_kinds() -> None:
    assert len(REFUSED) >= 100


def test_each_is_refused_with_a_reason(client: TestClient) -> None:
    for method, path, options in REFUSED:
        reply = client.request(method, path, **options)
        what = f"{method} {path[:60]} {str(options)[:120]}: {reply.status_code} {reply.text[:200]}"
        assert 400 <= reply.status_code < 500, what
        reason = reply.json()["error"]
        assert len(reason) > 5 and "/tmp" not in reason and "Traceback" not in reason, what
    assert client.post(SAY, json=GOOD).status_code == 200  # and it serves on


def test_names_of_this_machine_are_known_however_they_are_written(served: dict[str, Served]) -> None:
    with TestClient(make_app(served, LIMITS, Guard(allow_hosts=["::1", "MyHost"]))) as client:
        for name in ("[::1]:8000", "[::1]", "myhost:80", "MYHOST", "myhost."):
            assert client.get("/api/models", headers={"host": name}).status_code == 200, name
        for name in ("evil.example", "myhost.evil.example", "[::2]", ""):
            assert client.get("/api/models", headers={"host": name}).status_code == 421, name


def test_who_waits_too_long_is_told(served: dict[str, Served]) -> None:
    with TestClient(make_app(served, Limits(wait_seconds=0.0001))) as client:
        reply = client.post(SAY, json=GOOD)
        assert reply.status_code == 503 and "not done within" in reply.json()["error"]


def test_who_comes_too_many_is_told(served: dict[str, Served], monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 8 are said together and 1 waits: of 12 at once some are refused, however quick the rest."""
    refused = threading.Event()

    def held(model: Model, wanted: list[Wanted]) -> Any:
        refused.wait(30)
        return synthesize_many(model, wanted)

    monkeypatch.setattr("ctap.serving.worker.synthesize_many", held)
    limits = Limits(waiting=1, together=8)
    with (
        TestClient(make_app(served, limits)) as client,
        concurrent.futures.ThreadPoolExecutor(12) as pool,
    ):
        asked = [pool.submit(client.post, SAY, json=GOOD) for _ in range(12)]
        replies = []
        for done in concurrent.futures.as_completed(asked):
            refused.set()
            replies.append(done.result())
    assert replies[0].status_code == 503
    assert {r.status_code for r in replies} == {200, 503}
    assert any("requests are waiting" in r.text for r in replies)


class Upload:
    """A request whose body arrives part by part, as a server hands it to the application."""

    def __init__(self, app: Any) -> None:
        self.parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        headers = [(b"content-type", b"application/json"), (b"host", b"testserver")]
        scope = {"type": "http", "method": "POST", "path": SAY, "headers": headers, "query_string": b""}
        self.done = asyncio.ensure_future(app(scope, self.parts.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)

    async def arrive(self, body: bytes, more: bool = True) -> None:
        self.parts.put_nowait({"type": "http.request", "body": body, "more_body": more})
        while self.parts.qsize():
            await asyncio.sleep(0.01)

    async def break_off(self) -> int:
        self.parts.put_nowait({"type": "http.disconnect"})
        await self.done
        return self.status


def test_bodies_have_a_common_bound(served: dict[str, Served]) -> None:
    """Three of 4 kB fit into 10 kB only once one is gone; what is answered is held no more."""
    app = make_app(served, Limits(body_bytes=5000, held_bytes=10_000))
    body = json.dumps(GOOD).encode().ljust(4000)

    async def visit() -> None:
        first, second, third = (Upload(app) for _ in range(3))
        await first.arrive(body)
        await second.arrive(body)
        await third.arrive(body)
        await third.done
        assert third.status == 503 and app.state.desk.held == 8000
        assert await first.break_off() == 400 and app.state.desk.held == 4000
        fourth = Upload(app)
        for upload in (second, fourth):
            await upload.arrive(b"" if upload is second else body, more=False)
            await upload.done
            assert upload.status == 200
        assert app.state.desk.held == 0

    asyncio.run(visit())
    app.state.worker.close()


def test_an_upload_that_breaks_off_is_no_error_of_the_server(served: dict[str, Served]) -> None:
    app = make_app(served, LIMITS)

    async def visit() -> int:
        upload = Upload(app)
        await upload.arrive(b"{")
        return await upload.break_off()  # would raise, and the server would log it

    assert asyncio.run(visit()) == 400
    app.state.worker.close()


def test_hearing_a_prompt_and_saying_have_one_deadline(
    served: dict[str, Served], sound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ends = served["tts_a"].model, []
    submit = Worker._submit

    async def note(self: Worker, until: float, **work: Any) -> Any:
        ends.append(until)
        return await submit(self, until, **work)

    monkeypatch.setattr(Worker, "_submit", note)
    with TestClient(make_app(served, LIMITS)) as client:
        for path, body in ((SAY, {"text": "你好"}), (CONVERT, {"source": sound})):
            assert client.post(path, json={**body, "prompt": sound}).status_code == 200
            assert len(ends) == 2 and len(set(ends)) == 1
            ends.clear()
    hear = type(model).prompt
    monkeypatch.setattr(type(model), "prompt", lambda *args: (clock.sleep(0.6), hear(*args))[1])
    monkeypatch.setattr("ctap.serving.worker.synthesize_many", lambda *_: clock.sleep(0.6))
    with TestClient(make_app(served, Limits(wait_seconds=1.0))) as client:
        reply = client.post(SAY, json={"text": "你好", "prompt": sound})
        assert reply.status_code == 503 and "not done within 1 s" in reply.json()["error"]


def test_long_texts_are_said_one_by_one(served: dict[str, Served], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch all are answered once all are said: it is at most as long as the longest text allowed."""
    go, batches = threading.Event(), []

    def held(model: Model, wanted: list[Wanted]) -> Any:
        go.wait(30)
        batches.append([len(own.text) for own in wanted])
        return [RuntimeError] * len(wanted)

    monkeypatch.setattr("ctap.serving.worker.synthesize_many", held)
    model, prompt = served["tts_a"].model, served["tts_a"].voices["anna"]

    async def ask() -> None:
        worker = Worker(LIMITS)
        until = clock.monotonic() + 30
        asked = [worker.say(model, Wanted("好" * n, prompt), until) for n in (20, 9, 11, 1, 20, 3)]
        waiting = asyncio.gather(*asked)
        await asyncio.sleep(0.1)
        go.set()
        await waiting
        await asyncio.to_thread(worker.close)

    asyncio.run(ask())
    assert batches == [[20], [9, 11], [1], [20], [3]]


def test_a_wrong_name_is_refused_before_models_are_read():
    with pytest.raises(UserError, match="host 'a/b': expected a name"):
        serve([Path("nowhere")], hosts=["a/b"])
