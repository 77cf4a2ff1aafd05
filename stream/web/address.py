"""Where the page is served, and by which names it may be called."""

from __future__ import annotations

import errno
import os
import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from ...kernels.errors import InputError, OutputError

DEFAULT_PORT = 8642
FIRST_FREE_PORT = 1024  # those below belong to the system
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
_OF_THIS_MACHINE = "expected 127.0.0.1, or a name or an address of this machine"
FORM = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.\-]+):(?P<port>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or IP address, without brackets) and a port; port 0 = any that is free."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """`HOST:PORT` or `[IPV6]:PORT`. Raises InputError."""
        match = FORM.fullmatch(text)
        if match is None or int(match["port"]) > 65535:
            raise InputError(f"--web {text}: expected HOST:PORT, such as {DEFAULT_ADDRESS} (port 0: any that is free)")
        return cls(match["host"].strip("[]"), int(match["port"]))

    def listen(self) -> socket.socket:
        """A listening socket. Raises OutputError where that cannot be."""
        try:
            # IPv4 first: `localhost` is both, and most who type it mean 127.0.0.1.
            found = sorted(socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM), key=_is_ipv6)
            return socket.create_server(found[0][4][:2], family=found[0][0])  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:  # the latter for what cannot be a name
            raise OutputError(f"--web {self}: {self._refusal(error)}") from error

    def _refusal(self, error: OSError | UnicodeError) -> str:
        """Why it cannot be listened at, and what to do."""
        if isinstance(error, socket.gaierror | UnicodeError):
            return f"no address is known for {self.host}; {_OF_THIS_MACHINE}"
        match error.errno:
            case errno.EADDRINUSE:
                free = Address(self.host, 0)
                return f"port {self.port} is in use by another program; end that, or take a free port with --web {free}"
            case errno.EADDRNOTAVAIL:
                return f"{self.host} is no address of this machine; {_OF_THIS_MACHINE}"
            case errno.EACCES if self.port < FIRST_FREE_PORT:
                other = Address(self.host, DEFAULT_PORT)
                asked = f"give one from {FIRST_FREE_PORT} on, such as --web {other}"
                return f"port {self.port} is only for administrators; {asked}"
            case _:
                reason = error if error.errno is None else os.strerror(error.errno)
                return f"cannot listen there ({reason}); {_OF_THIS_MACHINE}"

    @property
    def is_loopback(self) -> bool:
        """Nobody beyond this machine can connect."""
        return self.host == "localhost" or _is_loopback(self.host)

    def answers_to(self, host: str) -> bool:
        """Whether a browser that was sent to `host` (name or IP address) may mean this server.

        Another name could be one that a foreign page has pointed here (DNS rebinding); an IP address cannot.
        """
        if self.is_loopback:
            return host == "localhost" or _is_loopback(host)
        machine = socket.gethostname().lower()
        return _is_ip(host) or host in (self.host.lower(), "localhost", machine, f"{machine}.local")

    @property
    def url(self) -> str:
        """Where a browser of this machine finds it."""
        any_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
        return f"http://{Address(any_host.get(self.host, self.host), self.port)}"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def host_of(netloc: str) -> str:
    """The host of a `Host:` header, in small letters, without port and brackets."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower()


def _is_ipv6(found: tuple[object, ...]) -> bool:
    return found[0] == socket.AF_INET6


def _is_ip(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    return _is_ip(host) and ip_address(host).is_loopback
