"""The browser page without a browser: who may come in, what is sent, and what is done on request."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pullfocus.kernels.errors import InputError, OutputError
from pullfocus.stream.cli import app
from pullfocus.stream.web.address import Address, host_of
from pullfocus.stream.web.desk import Desk
from typer.main import get_command

from .command import assert_one_line, run
from .test_packaging import run_blocked
from .web_page import Page, served


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with served(tmp_path) as page:
        yield page


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:8642", "127.0.0.1", 8642), ("[::1]:0", "::1", 0), ("studio.local:80", "studio.local", 80)],
)
def test_addresses_are_read(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize("text", ["", "8642", "host", "host:", ":1", "host:70000", "a/b:1", "http://host:1", "::1:80"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected HOST:PORT"):
        Address.parse(text)


def test_only_names_of_this_machine_are_answered_to() -> None:
    local, anywhere = Address("127.0.0.1", 1), Address("0.0.0.0", 1)  # noqa: S104
    assert all(local.answers_to(name) for name in ("localhost", "127.0.0.1", "::1"))
    assert not any(local.answers_to(name) for name in ("evil.example", "192.168.0.7", "", "localhost.evil.example"))
    assert all(anywhere.answers_to(name) for name in ("192.168.0.7", "localhost", socket.gethostname().lower()))
    assert not anywhere.answers_to("evil.example")
    assert [host_of(text) for text in ("A.b:1", "[::1]:80", "x")] == ["a.b", "::1", "x"]


def test_the_token_is_changed_for_a_cookie_that_scripts_and_other_sites_cannot_use(page: Page) -> None:
    answer = page.get(f"/?{page.query}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {
        part.strip() for part in answer.headers["Set-Cookie"].split(";")
    }
    assert page.query.removeprefix("token=") not in answer.headers["Set-Cookie"]
    home = page.get("/", Cookie=page.cookie)
    assert home.status == 200
    assert b'src="/page.js"' in home.read()


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/page.js", "/stream.mjpg", "/control", "/takes/x"])
def test_nobody_comes_in_without_the_key(page: Page, path: str) -> None:
    assert page.get(path).status == 403
    assert page.get(path, Cookie=page.cookie.partition("=")[0] + "=wrong").status == 403


def test_a_foreign_name_is_refused_with_the_key_too(page: Page) -> None:
    assert page.get("/", Cookie=page.cookie, Host="evil.example:80").status == 403
    assert page.get(f"/?{page.query}", Host="evil.example").status == 403
    assert page.get("/", Cookie=page.cookie, Host="localhost:9000").status == 200  # through a tunnel


@pytest.mark.parametrize("origin", [None, "http://evil.example", "http://127.0.0.1:1", "null"])
def test_a_foreign_origin_changes_nothing(page: Page, origin: str | None) -> None:
    headers = {"Cookie": page.cookie} | ({"Origin": origin} if origin is not None else {})
    assert page.get("/", "POST", **headers).status == 403

    async def connect() -> int:
        async with aiohttp.ClientSession() as session:
            try:
                await session.ws_connect(f"{page.origin}/control", headers=headers)
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status
        return 101

    assert asyncio.run(connect()) == 403


HTTP = b"GET / HTTP/1.1"
BAD_REQUESTS = {
    "an origin that is no URL": (b"POST / HTTP/1.1", b"Host: %(host)s", b"Origin: http://["),
    "a cookie that is no text": (HTTP, b"Host: %(host)s", b"Cookie: %(cookie)s=\xff\xfe"),
    "a cookie with a letter of another script": (HTTP, b"Host: %(host)s", b"Cookie: %(cookie)s=\xd0\xb6"),
    "a token that is no text": (b"GET /?token=%%ff%%fe HTTP/1.1", b"Host: %(host)s"),
    "a half of a letter as token": (b"GET /?token=%%ed%%a0%%80 HTTP/1.1", b"Host: %(host)s"),
    "no host": (HTTP,),
    "a host that is no name": (HTTP, b"Host: ["),
    "an address that is no text": (b"GET /\xff HTTP/1.1", b"Host: %(host)s"),
    "no HTTP": (b"\x16\x03\x01\x02",),
}


@pytest.mark.parametrize("lines", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_bad_request_is_refused_without_a_word_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, lines: tuple[bytes, ...]
) -> None:
    with served(tmp_path) as page:
        names = {b"host": page.netloc.encode(), b"cookie": page.cookie.partition("=")[0].encode()}
        capsys.readouterr()
        host, _, port = page.netloc.partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"\r\n".join(line % names for line in lines) + b"\r\nConnection: close\r\n\r\n")
            assert connection.recv(64).split()[1] in (b"400", b"403")
    assert capsys.readouterr().err == ""
    assert caplog.records == []  # what pytest hears in place of stderr


def test_a_fault_of_the_server_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Desk, name: str) -> None:
        raise RuntimeError(f"no {name}\nhere")

    monkeypatch.setattr(Desk, "take", fail)
    with served(tmp_path) as page:
        capsys.readouterr()
        assert page.get("/takes/one.mp4", Cookie=page.cookie).status == 500
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("pullfocus: the page: ")
    assert "RuntimeError: no one.mp4 here" in said


@pytest.mark.parametrize("path", ["/", "/style.css", "/icon.svg", "/nowhere", "/takes/..%2f..%2fetc%2fpasswd"])
def test_every_answer_says_what_browsers_must_not_do(page: Page, path: str) -> None:
    answer = page.get(path, Cookie=page.cookie)
    assert answer.status == (404 if "nowhere" in path or "takes" in path else 200)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"do": "aperture", "value": 10**400}, "--aperture: got a number of more than 300 digits, expected 0 to 50"),
        ({"do": "layers", "value": -(10**400)}, "--layers: got a number of more than 300 digits, expected 2 to 16"),
        ({"do": "point", "x": 10**400, "y": 0.5}, "point: got a number of more than 300 digits, 0.5"),
        ({"do": "hold", "value": 10**400}, "expected an order with its value"),
    ],
)
def test_a_huge_number_is_refused_and_the_talk_goes_on(page: Page, order: dict[str, Any], named: str) -> None:
    async def talk() -> str:
        async with page.talk() as talk:
            await talk.say(**order)
            refused = await talk.hear("error")
            await talk.say(do="aperture", value=3)
            await talk.hear_state(aperture=3)
            return refused

    assert named in asyncio.run(talk())


def live(*arguments: str) -> Any:
    return run("live", "--engine", "plane", "--source", "synthetic", "--frames", "3", *arguments)


def test_a_page_needs_no_window_and_for_other_machines_says_what_that_means() -> None:
    done = live("--web", "0.0.0.0:0")
    assert done.returncode == 0, done.stderr
    assert "pullfocus: the page is at http://127.0.0.1:" in done.stderr
    assert "pullfocus: warning: --web 0.0.0.0:" in done.stderr


def test_a_page_for_this_machine_prints_its_address_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(tmp_path) as page:
        assert capsys.readouterr().err == f"pullfocus: the page is at {page.sink.url}\n"


def test_an_address_that_cannot_be_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = f"--web 127.0.0.1:{port}: port {port} is in use by another program; end that, or take a free port with "
        assert_one_line(live("--web", f"127.0.0.1:{port}"), f"pullfocus: {told}--web 127.0.0.1:0\n")


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("name.invalid", "no address is known for name.invalid; expected 127.0.0.1, or a name or an address of this"),
        ("a..b", "no address is known for a..b; expected"),
        ("n" * 70, "no address is known for nnn"),
        ("192.0.2.1", "192.0.2.1 is no address of this machine; expected 127.0.0.1"),  # one for documentation
    ],
)
def test_a_host_that_is_not_this_machine_s_is_named(host: str, told: str) -> None:
    with pytest.raises(OutputError, match=re.escape(f"--web {host}:1: {told}")):
        Address(host, 1).listen()


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "port 80 is only for administrators; give one from 1024 on, such as --web [::1]:8642"),
        (errno.EAFNOSUPPORT, f"cannot listen there ({os.strerror(errno.EAFNOSUPPORT)}); expected 127.0.0.1"),
    ],
)
def test_what_the_system_says_of_a_port_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, number: int, told: str
) -> None:
    def refuse(*_where: Any, **_more: Any) -> None:
        raise OSError(number, f"{os.strerror(number)} (while attempting to bind on address ('::1', 80))")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(OutputError, match=re.escape(f"--web [::1]:80: {told}")) as caught:
        Address("::1", 80).listen()
    assert "attempting" not in str(caught.value)


def test_the_option_may_stand_alone() -> None:
    def web_of(*arguments: str) -> Any:
        context = get_command(app).commands["live"].make_context("live", list(arguments))  # type: ignore[attr-defined]
        return context.params["web"]

    assert web_of() is web_of("--mirror") is None
    assert web_of("--web", "--mirror") == web_of("--mirror", "--web") == "127.0.0.1:8642"
    assert web_of("--web", "[::1]:1", "--mirror") == "[::1]:1"


def test_without_its_packages_the_page_names_the_command() -> None:
    code = "from pullfocus.stream.cli import run_cli; run_cli('live --web --source synthetic'.split())"
    said = run_blocked({"aiohttp", "aiortc"}, f"sys.stderr = sys.stdout; {code}")
    assert said.count("\n") == 1
    assert "--web needs" in said
    assert "pip install 'pullfocus[web]'" in said
