"""What the browser page sends, and what it does on request, without a browser."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from pullfocus.stream.web import mjpeg

from .command import wait_for
from .web_page import Page, Talk, rendered, served

pytestmark = pytest.mark.real_time


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with served(tmp_path) as page:
        yield page


@pytest.fixture
def running(page: Page) -> Iterator[Page]:
    """Pictures keep coming, of the size that `page` has."""
    stop = threading.Event()

    def work() -> None:
        for index in itertools.count():
            if stop.wait(0.02):
                return
            page.sink.write(rendered(index, page.size_hw, value=60 + index % 100))

    thread = threading.Thread(target=work)
    thread.start()
    yield page
    stop.set()
    thread.join()


def next_picture(stream: http.client.HTTPResponse) -> np.ndarray:
    """`h w 3` BGR."""
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    if not length:  # the boundary's line, or the empty one before it
        return next_picture(stream)
    picture = cv2.imdecode(np.frombuffer(stream.read(length), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def test_pictures_come_as_jpeg_and_may_change_their_size(page: Page) -> None:
    page.sink.write(rendered(value=200))
    stream = page.get("/stream.mjpg", Cookie=page.cookie)
    assert next_picture(stream).shape == (96, 128, 3)
    page.sink.write(rendered(value=50, size_hw=(192, 256)))
    picture = next_picture(stream)
    assert picture.shape == (192, 256, 3)
    assert abs(picture.mean() - 50) < 3
    page.sink.write(rendered(value=50, size_hw=(1500, 4000)))
    assert next_picture(stream).shape == (720, 1920, 3)
    assert page.sink.watched
    stream.close()


def test_a_frame_is_encoded_once_for_all_and_never_for_nobody(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    encode = mjpeg.encode_jpeg

    def counted(frame: Any) -> bytes:
        encoded.append(frame.frame.index)
        return encode(frame)

    monkeypatch.setattr(mjpeg, "encode_jpeg", counted)
    page.sink.write(rendered(0))
    assert not page.sink.watched
    streams = [page.get("/stream.mjpg", Cookie=page.cookie) for _ in range(2)]
    _ = [next_picture(stream) for stream in streams]
    page.sink.write(rendered(1))
    _ = [next_picture(stream) for stream in streams]
    assert encoded == [0, 1]


def test_webrtc_brings_the_picture_and_its_change_of_size(running: Page) -> None:
    async def work() -> list[tuple[int, int]]:
        browser = RTCPeerConnection()
        tracks: asyncio.Queue[Any] = asyncio.Queue()
        browser.add_listener("track", tracks.put_nowait)
        browser.addTransceiver("video", direction="recvonly")
        await browser.setLocalDescription(await browser.createOffer())
        sizes = list[tuple[int, int]]()
        async with running.talk() as talk:
            await talk.say(do="offer", sdp=browser.localDescription.sdp)
            answer = await talk.hear("answer")
            assert {line.split()[4] for line in answer.splitlines() if "a=candidate" in line} == {"127.0.0.1"}
            await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            track = await tracks.get()
            while len(sizes) < 2:
                frame = await track.recv()
                if (size := (frame.width, frame.height)) not in sizes:
                    sizes.append(size)
                    assert 50 < frame.to_ndarray(format="rgb24").mean() < 170
                    running.size_hw = (120, 200)
        await browser.close()
        return sizes

    assert asyncio.run(asyncio.wait_for(work(), 60)) == [(128, 96), (200, 120)]


def test_a_browser_that_hangs_holds_up_nobody_and_is_dropped(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mjpeg, "SEND_S", 1.0)
    with socket.create_connection(("127.0.0.1", int(page.netloc.split(":")[1])), timeout=10) as hanging:
        hanging.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        hanging.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: {page.netloc}\r\nCookie: {page.cookie}\r\n\r\n".encode())
        wait_for(lambda: page.sink.watched)
        good = page.get("/stream.mjpg", Cookie=page.cookie)
        longest_s = 0.0
        for index in range(40):  # 200 kB each: far more than buffers hold
            started_s = monotonic()
            page.sink.write(rendered(index, (360, 480)))
            longest_s = max(longest_s, monotonic() - started_s)
            assert next_picture(good).shape == (360, 480, 3)
        assert longest_s < 0.5
        good.close()
        frames = itertools.count(100)

        def only_the_dropped_are_gone() -> bool:
            page.sink.write(rendered(next(frames), (360, 480)))  # a sending end learns of a close when it sends
            return not page.sink.watched

        wait_for(only_the_dropped_are_gone)


def test_browsers_that_hang_do_not_hold_up_the_end(tmp_path: Path) -> None:
    async def knock(page: Page) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession()
        await session.ws_connect(f"{page.origin}/control", headers={"Cookie": page.cookie, "Origin": page.origin})
        return session  # nobody reads on: the loop of these ends here

    with ExitStack() as stack:
        page = stack.enter_context(served(tmp_path))
        picture = page.get("/stream.mjpg", Cookie=page.cookie)
        with asyncio.Runner() as runner:
            session = runner.run(knock(page))
            for index in range(20):
                page.sink.write(rendered(index, (360, 480)))
            started_s = monotonic()
            stack.close()  # a thread that outlasts its deadline is an error here
            assert monotonic() - started_s < 10.0
            runner.run(session.close())
        picture.close()


def test_orders_are_done_and_told_to_every_browser(running: Page) -> None:
    async def work() -> None:
        async with running.talk() as one, running.talk() as other:
            assert (await one.hear("limits"))["layers"] == [2, 16]
            await one.say(do="aperture", value=12.5)
            await one.say(do="layers", value=4)
            await one.say(do="view", value="panel")
            await one.say(do="mirror", value=True)
            await one.say(do="point", x=0.75, y=0.625)
            told = await other.hear_state(focus="0.5,0.25")
            assert (told["aperture"], told["layers"], told["view"], told["mirror"]) == (12.5, 4, "panel", True)
            await other.say(do="hold", value=True)
            await one.hear_state(held=True)
            await other.say(do="focus", value="layer:2")
            await one.hear_state(held=False, focus="layer:2")

    asyncio.run(work())
    assert running.controls.settings.view == "panel"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "expected a JSON object"),
        ("[" * 5000, "expected a JSON object"),
        ("{}", "expected an order"),
        ('{"do": "quit"}', "expected an order"),
        ('{"do": "point", "x": 2, "y": 0}', "expected 0 to 1"),
        ('{"do": "point", "x": NaN, "y": 0}', "expected 0 to 1"),
        ('{"do": "focus", "value": "layer:0"}', "focus: got 'layer:0'"),
        ('{"do": "focus", "value": "layer:99"}', "there are 6 layers"),
        ('{"do": "aperture", "value": 51}', "--aperture: got 51"),
        ('{"do": "aperture", "value": true}', "--aperture"),
        ('{"do": "layers", "value": 3.5}', "whole"),
        ('{"do": "view", "value": []}', "expected an order"),
        ('{"do": "offer"}', "expected its text"),
        ('{"do": "offer", "sdp": "v=0"}', "cannot be answered"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_talk_goes_on(page: Page, text: str, words: str) -> None:
    before = page.controls.now()

    async def work() -> None:
        async with page.talk() as talk:
            await talk.socket.send_str(text)
            assert words in await talk.hear("error")
            assert page.controls.now() == before
            await talk.say(do="mirror", value=True)
            await talk.hear_state(mirror=True)

    asyncio.run(work())


def test_takes_are_made_and_can_be_fetched(running: Page, tmp_path: Path) -> None:
    async def work(talk: Talk) -> list[str]:
        await talk.say(do="still")
        await talk.say(do="record", value=True)
        state = await talk.hear_state()
        while not state["recorded_s"] > 0.3:
            state = await talk.hear_state()
        await talk.say(do="record", value=False)
        while len(names := (await talk.hear_state(recording=None))["takes"]) < 2:
            pass
        return names

    async def with_talk() -> list[str]:
        async with running.talk() as talk:
            return await asyncio.wait_for(work(talk), 30)

    names = asyncio.run(with_talk())
    assert {Path(name).suffix for name in names} == {".png", ".mp4"}
    for name in names:
        answer = running.get(f"/takes/{name}", Cookie=running.cookie)
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.read() == (tmp_path / name).read_bytes()
