"""Who may come in: every request is checked here before anything else happens.

The token in the printed address is changed for a cookie at the first visit. Foreign pages in the same browser are
kept out by the names that the server answers to (DNS rebinding), by the origin of what changes something, and by
the headers that every answer carries.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from .address import Address, host_of

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",  # cookies do not tell ports of one host apart
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Server": "pullfocus",
}


class Guard:
    """Knows the token and the cookie of one run."""

    def __init__(self, address: Address) -> None:
        """address: with the port that is in use."""
        self._address = address
        self.token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._cookie = f"pullfocus_{address.port}"  # cookies do not tell ports of one host apart

    def middleware(self) -> Middleware:
        """Hands on what may come in."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.check(request)
            return await handler(request)

        return check

    def check(self, request: web.Request) -> None:
        """Raises the answer to what may not come in, or first has to change its token."""
        if not self._address.answers_to(host_of(request.host)):
            raise web.HTTPForbidden(text=f"this server does not answer to the name {host_of(request.host)!r}\n")
        if _changes_something(request) and not _is_of_this_page(request):
            raise web.HTTPForbidden(text="only the page of this server may ask for that\n")
        if request.path == "/" and "token" in request.query:
            raise self._exchange(request)
        if not _is_same(request.cookies.get(self._cookie, ""), self._session):
            raise web.HTTPForbidden(text="open the address that pullfocus has printed; it holds the key to this page\n")

    def _exchange(self, request: web.Request) -> web.HTTPException:
        """A cookie for the token, and the page without it in its address."""
        if not _is_same(request.query["token"], self.token):
            return web.HTTPForbidden(text="this token is of another run; open the address that pullfocus has printed\n")
        answer = web.HTTPSeeOther("/")
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
        return answer


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: what every answer carries."""
    response.headers.update(HEADERS)


def _changes_something(request: web.Request) -> bool:
    return request.method not in (hdrs.METH_GET, hdrs.METH_HEAD) or hdrs.UPGRADE in request.headers


def _is_same(got: str, secret: str) -> bool:
    """Takes as long for every text; bytes that are no UTF-8 come as surrogates, which no secret of ours has."""
    return compare_digest(got.encode(errors="replace"), secret.encode())


def _is_of_this_page(request: web.Request) -> bool:
    try:
        origin = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
    except ValueError:  # such as http://[
        return False
    return origin.scheme in ("http", "https") and origin.netloc.lower() == request.host.lower()
