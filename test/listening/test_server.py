"""The server over the loopback: what it gives, what it takes, what it turns away."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ctap.errors import UserError
from ctap.listening.server import ListeningServer, addresses
from ctap.listening.store import Store, read_answers

ME = "0123456789abcdef" * 2


@pytest.fixture
def server(make_test, tmp_path) -> Iterator[ListeningServer]:
    plan = make_test(max_trials=9).plan
    store = Store(tmp_path / "a.sqlite", plan)
    server = ListeningServer(tmp_path / "test", plan, store, port=0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    store.close()


def ask(
    server: ListeningServer, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=30)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": "application/json"} | (headers or {}))
    reply = connection.getresponse()
    found = reply.status, reply.read(), reply.headers
    connection.close()
    return found


def put(server: ListeningServer, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    status, data, _ = ask(server, "PUT", path, {"test": server.plan.id, **fields})
    return status, json.loads(data)


GOOD = {"score": 4, "seconds": 3.2, "plays": 1, "revision": 1}


def test_page_and_sounds(server, tmp_path) -> None:
    status, data, headers = ask(server, "GET", "/")
    assert status == 200 and headers["Content-Type"].startswith("text/html") and b"sound-" not in data[:2000]
    name = server.plan.sounds[0]
    status, data, headers = ask(server, "GET", f"/sounds/{name}")
    assert (status, headers["Content-Type"]) == (200, "audio/flac")
    assert data == (tmp_path / f"test/sounds/{name}.flac").read_bytes()
    assert ask(server, "HEAD", f"/sounds/{name}")[1] == b""
    for path in (
        "/test.json",
        "/answers.sqlite",
        "/sounds/../test.json",
        "/sounds/%2e%2e/test.json",
        "//etc/passwd",
    ):
        assert ask(server, "GET", path)[0] == 404


def test_an_answer_arrives_once_and_a_later_one_replaces_it(server) -> None:
    assert put(server, f"/api/listeners/{ME}", name="李平") == (200, {"slot": 0})
    assert put(server, f"/api/listeners/{'1' * 32}", name="") == (200, {"slot": 1})
    trial = server.plan.share(0)["prosody"][0]
    path = f"/api/listeners/{ME}/answers/{trial}"
    assert put(server, path, **GOOD) == (200, {"saved": True, "newest": True})
    assert put(server, path, **GOOD)[0] == 200
    assert put(server, path, **GOOD | {"score": 2, "revision": 2})[0] == 200
    assert put(server, path, **GOOD)[1] == {"saved": True, "newest": False}
    found = read_answers([server.store.path], server.plan)
    assert [(a.score, a.revision) for a in found.answers.values()] == [(2, 2)]
    assert found.listeners[ME].name == "李平"


def test_what_no_page_sends_is_turned_away(server) -> None:
    put(server, f"/api/listeners/{ME}", name="me")
    trial = server.plan.share(0)["quality"][0]
    path = f"/api/listeners/{ME}/answers/{trial}"
    for wrong in (
        *({"score": s} for s in (0, 6, 3.5, "4", True, None)),
        *({"seconds": s} for s in (-1, "1", None, 1e12)),
        *({"plays": p} for p in (-1, 1.5, 10**9)),
        *({"revision": r} for r in (0, None, 2**60)),
    ):
        status, reply = put(server, path, **{**GOOD, **wrong})
        assert status == 400 and reply["error"].startswith(next(iter(wrong))), wrong
    another = next(t for t in server.plan.sequence["quality"] if t not in server.plan.share(0)["quality"])
    assert put(server, f"/api/listeners/{ME}/answers/{another}", **GOOD)[0] == 400
    assert put(server, f"/api/listeners/{ME}/answers/unknown", **GOOD)[0] == 400
    assert put(server, f"/api/listeners/{'9' * 32}/answers/{trial}", **GOOD)[0] == 404
    assert put(server, "/api/listeners/me", name="x")[0] == 400
    for name in ("x" * 61, "a\nb", 7, None):
        assert put(server, f"/api/listeners/{ME}", name=name)[0] == 400
    body = {"test": server.plan.id, **GOOD}
    assert ask(server, "PUT", path, {**body, "test": "another"})[0] == 409
    assert ask(server, "PUT", path, b"{")[0] == 400
    assert ask(server, "PUT", path, b"[" * 3000)[0] == 400
    assert ask(server, "PUT", path, b"[1]")[0] == 400
    assert ask(server, "PUT", path, json.dumps(body | {"seconds": float("nan")}).encode())[0] == 400
    assert ask(server, "PUT", path, b" " * 5000)[0] == 413
    assert ask(server, "PUT", path, body, {"Content-Type": "text/plain"})[0] == 415
    assert ask(server, "POST", path, body)[0] == 501
    assert server.store.counts() == (1, 0)
    assert put(server, path, **GOOD)[0] == 200  # and it still works


def test_it_binds_this_machine_only_unless_asked(server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert addresses("127.0.0.1", 80) == ["http://127.0.0.1:80/"]
    assert "http://127.0.0.1:80/" in addresses("0.0.0.0", 80)
    with pytest.raises(UserError, match="is another server there"):
        ListeningServer(server.sounds[server.plan.sounds[0]].parents[1], server.plan, server.store,
                        port=server.server_address[1])  # fmt: skip


def test_missing_sounds_are_told_before_the_first_listener_comes(server, tmp_path) -> None:
    (tmp_path / f"test/sounds/{server.plan.sounds[0]}.flac").unlink()
    with pytest.raises(UserError, match="build the test again"):
        ListeningServer(tmp_path / "test", server.plan, server.store, port=0)


def test_the_command_serves_until_terminated(make_test, tmp_path) -> None:
    plan = make_test().plan
    command = [sys.executable, "-m", "ctap.bin.listening_test", "serve", "--test", str(tmp_path / "test")]
    process = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"test": plan.id, "name": "me"})
    connection.request("PUT", f"/api/listeners/{ME}", body, {"Content-Type": "application/json"})
    assert json.loads(connection.getresponse().read()) == {"slot": 0}
    connection.close()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "0 answers of 1 listeners" in out and "Traceback" not in err
