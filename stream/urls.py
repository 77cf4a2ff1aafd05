"""URLs as messages, reports and files may hold them: without what only their owner should know."""

from __future__ import annotations

import re

HIDDEN = "***"
_WITH_KEY = ("rtmp", "rtmps", "rtmpt", "rtmpe")  # their path ends in a key
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>[^/?#]*@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?P<more>[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d*)?")  # what is none may be a password with a slash in it


def is_url(name: str) -> bool:
    return _URL.fullmatch(name) is not None


def host_of(name: str) -> str:
    """Scheme and host of a URL, for one that is sent to: its path is often a key. Any other name stays as it is."""
    url = _URL.fullmatch(name)
    return name if url is None else f"{url['scheme']}://{_host(url)}"


def without_secrets(name: str) -> str:
    """A URL that is read from, without user, password and query. Any other name stays as it is."""
    url = _URL.fullmatch(name)
    if url is None:
        return name
    if url["scheme"].lower() in _WITH_KEY or _host(url) == HIDDEN:
        return host_of(name)
    user, more = f"{HIDDEN}@" if url["user"] else "", f"{url['more'][0]}{HIDDEN}" if url["more"] else ""
    return f"{url['scheme']}://{user}{_host(url)}{url['path']}{more}"


def _host(url: re.Match[str]) -> str:
    return url["host"] if _HOST.fullmatch(url["host"]) and "@" not in url["path"] else HIDDEN
