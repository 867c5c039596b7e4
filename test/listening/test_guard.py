"""Whom the server turns away: other hosts and sites, addresses without the word, crowds, dawdlers."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.listening import server as module
from ctap.listening.guard import Guard
from ctap.listening.server import ListeningServer, addresses
from ctap.listening.store import Store

ME = "0123456789abcdef" * 2


@pytest.fixture
def serve(make_test, tmp_path) -> Iterator[Callable[..., ListeningServer]]:
    """Starts a server on a free port of the loopback, with the guard's options."""
    plan = make_test(max_trials=9).plan
    store = Store(tmp_path / "a.sqlite", plan)
    running: list[ListeningServer] = []

    def start(host: str = "127.0.0.1", **options: Any) -> ListeningServer:
        server = ListeningServer(tmp_path / "test", plan, store, host=host, port=0, guard=Guard(**options))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()
    store.close()


def ask(
    server: ListeningServer, method: str, path: str, headers: dict[str, str], body: Any = None
) -> tuple[int, str]:
    """Status and text; ``headers`` may hold another Host."""
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    data = b"" if body is None else json.dumps(body).encode()
    for name, value in (
        {"Content-Type": "application/json", "Content-Length": str(len(data))} | headers
    ).items():
        connection.putheader(name, value)
    connection.endheaders(data)
    reply = connection.getresponse()
    found = reply.status, reply.read().decode(errors="replace")
    connection.close()
    return found


def join(server: ListeningServer, id: str = ME, path: str = "", **headers: str) -> tuple[int, str]:
    body = {"test": server.plan.id, "name": "me"}
    return ask(server, "PUT", f"{path}/api/listeners/{id}", headers, body)


def test_only_its_own_names_are_answered(serve) -> None:
    server = serve(allow_hosts=["MOS.example.org."])
    port = server.server_address[1]
    own = socket.gethostname()
    for host in (
        f"127.0.0.1:{port}",
        "127.0.0.1",
        f"LOCALHOST:{port}",
        own,
        f"{own}.local:80",
        "mos.example.org",
    ):
        assert ask(server, "GET", "/", {"Host": host})[0] == 200, host
        assert join(server, Host=host)[0] == 200, host
    for host in ("rebound.example.com", f"127.0.0.1.evil.org:{port}", "127.0.0.2", "example.org", "[::1]"):
        for method in ("GET", "HEAD"):
            assert ask(server, method, "/", {"Host": host})[0] == 421, host
        status, text = join(server, "9" * 32, Host=host)
        assert status == 421 and "--allow_host" in text
    for host in ("", "a b", "user@127.0.0.1", "127.0.0.1:x", "http://127.0.0.1"):
        assert ask(server, "GET", "/", {"Host": host})[0] == 400, host
    assert server.store.counts() == (1, 0)


def test_pages_of_other_sites_are_turned_away(serve) -> None:
    server = serve(allow_hosts=["mos.example.org"])
    port = server.server_address[1]
    host = f"127.0.0.1:{port}"
    for origin in (
        f"http://{host}",
        f"https://{host}",
        "https://mos.example.org",
        "https://mos.example.org:8443",
    ):
        assert join(server, Origin=origin)[0] == 200, origin
    for origin in (
        "null",
        "http://evil.org",
        "http://127.0.0.1:1",
        f"http://localhost:{port}",
        "http://[",
        "",
    ):
        status, text = join(server, "9" * 32, Origin=origin)
        assert status == 403 and "another site" in text, origin
    assert server.store.counts() == (1, 0)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40))
def test_no_header_gets_further_than_it_should(word: str) -> None:
    guard = Guard(allow_hosts=["mos.example.org"])
    assume(word.strip().lower() not in ("localhost", "127.0.0.1", socket.gethostname().lower()))
    for name in ("Host", "Origin"):
        headers = http.client.HTTPMessage()
        headers["Host"] = word if name == "Host" else "127.0.0.1"
        if name == "Origin":
            headers["Origin"] = word
        with pytest.raises(module.TurnedAwayError):
            guard.check_host(headers, "127.0.0.1")


def test_the_word_stands_before_every_path(serve) -> None:
    server = serve(token="silver-birch")
    sound = f"/sounds/{server.plan.sounds[0]}"
    for path in ("/", sound):
        assert ask(server, "GET", f"/silver-birch{path}", {})[0] == 200
        for wrong in ("", "/silver-birc", "/silver-birchh", "/%73ilver-birch", "/x/silver-birch", "/%C3%A9"):
            assert ask(server, "GET", f"{wrong}{path}", {})[0] == 404, wrong
    assert ask(server, "GET", "/silver-birch", {})[0] == 404
    assert join(server)[0] == 404 and join(server, path="/gold-birch")[0] == 404
    assert server.store.counts() == (0, 0)
    assert join(server, path="/silver-birch")[0] == 200
    assert addresses("127.0.0.1", 80, server.guard.path) == ["http://127.0.0.1:80/silver-birch/"]


def test_so_many_join_from_one_address(serve) -> None:
    server = serve(max_joins=2)
    assert [join(server, digit * 32)[0] for digit in "123"] == [200, 200, 429]
    assert "2 listeners have joined from this address" in join(server, "4" * 32)[1]
    assert join(server, "1" * 32)[0] == 200  # who has joined comes back as often as they like
    assert server.store.counts() == (2, 0)
    trial = server.plan.share(0)["quality"][0]
    answer = {"test": server.plan.id, "score": 4, "seconds": 3.2, "plays": 1, "revision": 1}
    assert ask(server, "PUT", f"/api/listeners/{'1' * 32}/answers/{trial}", {}, answer)[0] == 200


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_counts_as_one_address(first: str, second: str, one: bool) -> None:
    guard = Guard(max_joins=1)
    guard.count_join(first)
    if one:
        with pytest.raises(module.TurnedAwayError):
            guard.count_join(second)
    else:
        guard.count_join(second)


def test_any_number_joins_where_that_is_asked_for() -> None:
    guard = Guard(max_joins=0)
    for _ in range(200):
        guard.count_join("192.0.2.1")


def test_a_byte_at_a_time_does_not_hold_a_thread(serve, monkeypatch) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 0.6)
    server = serve()
    head = f"PUT /api/listeners/{ME} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for start in (head, f"{head}Content-Length: 4000\r\n\r\n"):
        with socket.create_connection(server.server_address[:2], timeout=10) as slow:
            slow.sendall(start.encode())
            began = time.monotonic()
            try:
                while time.monotonic() - began < 8:
                    slow.sendall(b"x")
                    slow.settimeout(0.1)
                    try:
                        if slow.recv(100) == b"":
                            break
                    except TimeoutError:
                        pass
            except ConnectionError:
                pass
            assert time.monotonic() - began < 4
    assert join(server)[0] == 200


@pytest.mark.parametrize(
    "options",
    [
        {"token": "short"},
        {"token": "with/slash"},
        {"token": "x" * 65},
        {"max_joins": -1},
        {"allow_hosts": ["http://mos.example.org"]},
        {"allow_hosts": ["mos.example.org:80"]},
        {"allow_hosts": [""]},
    ],
)
def test_rules_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"^(--token |--max_joins |host ')"):
        Guard(**options)


def test_the_command_draws_a_word(make_test, tmp_path) -> None:
    make_test()
    command = [sys.executable, "-m", "ctap.bin.listening_test", "serve", "--test", str(tmp_path / "test")]
    process = subprocess.Popen([*command, "--port", "0", "--token"], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[-1]
        port, word = address.removeprefix("http://127.0.0.1:").rstrip("/").split("/")
        assert len(word) == 16
        for path, status in ((f"/{word}/", 200), ("/", 404)):
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
            connection.request("GET", path)
            assert connection.getresponse().status == status
            connection.close()
    finally:
        process.terminate()
        process.communicate(timeout=60)
