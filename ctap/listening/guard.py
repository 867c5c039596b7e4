"""Whom the server of a listening test answers: hosts, origins, the word in its address, joins, time."""

from __future__ import annotations

import hmac
import io
import ipaddress
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from email.message import Message
from http import HTTPStatus
from urllib.parse import urlsplit

from ctap.errors import UserError

__all__ = ["MAX_JOINS", "DeadlineReader", "Guard", "TurnedAwayError"]

MAX_JOINS = 50
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::(\d{1,5}))?")


class TurnedAwayError(Exception):
    """Ends a request with a status and a reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Guard:
    """What has to hold of a request before it is looked at."""

    def __init__(
        self, *, allow_hosts: Sequence[str] = (), token: str = "", max_joins: int = MAX_JOINS
    ) -> None:
        """Set the rules.

        Args:
            allow_hosts: names that the server goes by besides its own addresses, such as that of a proxy.
            token: word that has to stand first in every path; ``""`` for none.
            max_joins: new listeners from one address while the server runs; 0 for any number.

        Raises:
            UserError: the word can't stand in an address, a name is not a host name, or a number is negative.
        """
        if token and not _TOKEN.fullmatch(token):
            raise UserError(
                f"--token {token}: expected 8 to 64 letters, digits, - and _ (or no word: one is drawn)"
            )
        if max_joins < 0:
            raise UserError(f"--max_joins {max_joins}: expected a number of listeners, or 0 for no limit")
        self.allowed = frozenset(_plain(name) for name in allow_hosts)
        for name in allow_hosts:
            if not _NAME.fullmatch(_plain(name)) and not _is_address(_plain(name)):
                raise UserError(f"host {name!r}: expected a name or an address, without http:// and port")
        self.token, self.max_joins = token, max_joins
        self._joined: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def path(self) -> str:
        """What the address of the page ends in, behind the slash."""
        return f"{self.token}/" if self.token else ""

    def check_host(self, headers: Message, local: str) -> None:
        """Refuse a request that was not meant for this server.

        A page of another site whose name suddenly points here (DNS rebinding) would be of the same origin as
        this server for a browser; the name in ``Host`` gives it away.

        Args:
            headers: of the request.
            local: the address of this machine at which the connection arrived.

        Raises:
            TurnedAwayError: the host is not ours, or the origin is another site.
        """
        named = headers.get_all("Host", [])
        host = named[0].strip().lower() if len(named) == 1 else ""
        match = _HOST.fullmatch(host)
        if not match:
            raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "expected one Host, a name or an address")
        if not self.is_named(match[1], local):
            raise TurnedAwayError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this server does not go by the name {match[1]}; who runs it can allow that (--allow_host)",
            )
        for origin in headers.get_all("Origin", []):
            try:
                site = urlsplit(origin.strip().lower())
                ours = site.scheme in ("http", "https") and (
                    site.netloc == host or _plain(site.hostname or "") in self.allowed
                )
            except ValueError:
                ours = False
            if not ours:
                raise TurnedAwayError(HTTPStatus.FORBIDDEN, "this request comes from a page of another site")

    def is_named(self, name: str, local: str) -> bool:
        """Whether ``name``, of a ``Host`` without its port, is one of this server's, reached at ``local``."""
        return _plain(name) in self.allowed | _own_names(local)

    def inner_path(self, path: str) -> str:
        """``path`` without the word before it.

        Raises:
            TurnedAwayError: the word is missing or another; the answer is that for an unknown page.
        """
        if not self.token:
            return path
        word, slash, rest = path.removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(word.encode("utf-8", "replace"), self.token.encode()):
            raise TurnedAwayError(HTTPStatus.NOT_FOUND, "no such page")
        return f"/{rest}"

    def count_join(self, client: str) -> None:
        """Note a new listener at the address ``client``.

        Raises:
            TurnedAwayError: too many have joined from there.
        """
        home = _home(client)
        with self._lock:
            if self.max_joins and self._joined[home] >= self.max_joins:
                raise TurnedAwayError(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    f"{self.max_joins} listeners have joined from this address already (--max_joins)",
                )
            self._joined[home] += 1


class DeadlineReader(io.RawIOBase):
    """A connection that is read until ``deadline``: a byte now and then does not hold a thread for ever."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self.connection, self.deadline = connection, 0.0

    def allow(self, seconds: float) -> None:
        """Move the deadline to so many seconds from now."""
        self.deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:
        """Read what has arrived.

        Raises:
            TimeoutError: nothing did until the deadline.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self.connection.settimeout(left)
        return self.connection.recv_into(buffer)


def _plain(name: str) -> str:
    """A host's name as it is compared: lower case, no final dot, an address in its shortest form."""
    name = name.strip().lower().rstrip(".").removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _own_names(local: str) -> frozenset[str]:
    """How this machine may be called by who reached it at the address ``local``."""
    address = _plain(local)
    machine = _plain(socket.gethostname())
    names = {address, machine, f"{machine}.local"}
    if _is_address(address) and ipaddress.ip_address(address).is_loopback:
        names.add("localhost")
    return frozenset(names)


def _home(client: str) -> str:
    """What counts as one address: in IPv6 a network of 64 bits, of which a household has at least one."""
    address = ipaddress.ip_address(_plain(client))
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
