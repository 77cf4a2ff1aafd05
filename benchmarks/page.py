"""How late is a picture in the browser page, and what do browsers cost the pipeline?

    .venv/bin/python -m pullfocus.benchmarks.page --json OUT

Late: frames carry the time at which they are handed to the page's sink; a script in a headless Chromium on the same
machine reads it off the picture that is shown. Cost: `pullfocus live` with nobody at the page, and with two browsers
and one that asks for pictures and never reads; frames of its report.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np

from ..engines.atomic import write_text
from ..kernels.errors import InputError
from ..stream.config import Settings
from ..stream.controls import Controls
from ..stream.focus import FocusPuller
from ..stream.frame import FocusPlan, Frame, Layered, Rendered, Sensed
from ..stream.takes import Takes
from ..stream.web.address import Address
from ..stream.web.sink import WebSink
from ..training.tool import one_line_errors
from .machine import describe_machine
from .program import PULLFOCUS

SIZE_HW, RATE, BITS = (480, 640), 30, 20
SAMPLES = 150
FRAMES = 200
MODEST = ("--size", "320x240", "--fps", "15")  # the browsers' own work, on the same cores, must not be what is measured
READ_CODE = """
const samples = arguments[0], done = arguments[1], element = stream.kind === 'WebRTC' ? video : image, late = [];
const canvas = document.createElement('canvas'), ink = canvas.getContext('2d', { willReadFrequently: true });
[canvas.width, canvas.height] = [640, 64];
let last = -1;
(function look() {
  ink.drawImage(element, 0, 0, 640, 64, 0, 0, 640, 64);
  const now = performance.timeOrigin + performance.now();
  let code = 0;
  for (let bit = 0; bit < 20; bit++) code = code * 2 + (ink.getImageData(bit * 32 + 16, 32, 1, 1).data[1] > 127);
  if (code !== last) { last = code; late.push((now - code) % 1048576); }
  if (late.length < samples) requestAnimationFrame(look); else done(late.slice(1));
})();
"""


def coded(now_ms: int, index: int) -> Rendered:
    """A moving picture with `now_ms` as black and white bars at its top."""
    height, width = SIZE_HW
    picture = np.broadcast_to(
        ((np.arange(width) + 4 * index) % 256).astype(np.uint8)[None, :, None], (height, width, 3)
    )
    picture = picture.copy()
    bars = np.array([now_ms >> bit & 1 for bit in reversed(range(BITS))], np.uint8) * 255
    picture[:64] = np.repeat(bars, width // BITS)[None, :, None]
    frame = Frame(picture, index, index, Fraction(1, RATE), 1, monotonic())
    return Rendered(
        Layered(Sensed(frame, np.zeros((4, 4), np.float32)), np.array([0.7, 0.3]), FocusPlan(0.5, 7.0, 0.1)), picture
    )


@contextmanager
def coded_page(folder: Path) -> Generator[str]:
    """The address of a page that shows coded pictures."""
    settings, stop = Settings(), threading.Event()
    with ExitStack() as stack:
        takes = Takes(folder, settings, RATE)
        sink = WebSink(stack, Address("127.0.0.1", 0), Controls(settings, FocusPuller(settings)), takes)

        def work() -> None:
            index, start_s = 0, monotonic()
            while not stop.wait(max(0.0, start_s + index / RATE - monotonic())):
                sink.write(coded(round(time() * 1000) % 2**BITS, index))
                index += 1

        thread = threading.Thread(target=work)
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        yield sink.url


@contextmanager
def open_browser() -> Generator[Any]:
    """Raises InputError where there is none."""
    from selenium import webdriver

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        raise InputError("chromium and chromedriver not found; run: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def wait(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Raises InputError after `limit_s`."""
    end_s = monotonic() + limit_s
    while not condition():
        if monotonic() > end_s:
            raise InputError(f"the page showed no picture within {limit_s:g} s")
        sleep(0.05)


def lateness_ms(browser: Any, way: str) -> dict[str, float]:
    """Percentiles of hand-over to picture shown."""
    browser.execute_script("$('stream').value = arguments[0]; $('stream').onchange()", way)
    wait(lambda: bool(browser.execute_script("return natural()[0] === 640")))
    sleep(2.0)  # the browser's own buffer settles
    late = browser.execute_async_script(READ_CODE, SAMPLES + 1)
    return {name: float(np.percentile(late, q)) for name, q in (("p50_ms", 50), ("p95_ms", 95))}


def run_of(browser: Any, visited: bool, folder: Path) -> dict[str, float]:
    """Rate and hand-over time of a run, with two browsers and one that hangs where it is `visited`."""
    report = folder / f"{visited}.json"
    command = [*PULLFOCUS, "live", "--sink", "null", "--engine", "plane", "--source", "synthetic"]
    command += ["--frames", str(FRAMES), "--json", str(report)]
    with subprocess.Popen([*command, *MODEST, "--web", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        hanging = _visit(browser, url) if visited else None
        process.communicate()
        if hanging is not None:
            hanging.close()
    facts = json.loads(report.read_text(encoding="utf-8"))
    sink = facts["stages"]["sink"]
    return {"fps": facts["fps"], "dropped": facts["dropped"], "sink_p95_ms": sink["p95_ms"]}


def _visit(browser: Any, url: str) -> socket.socket:
    browser.get(url)
    browser.switch_to.new_window("window")
    browser.get(url)
    parts = urlsplit(url)
    cookie = browser.get_cookie(f"pullfocus_{parts.port}")
    hanging = socket.create_connection((parts.hostname or "", parts.port or 0))
    hanging.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    head = f"Host: {parts.netloc}\r\nCookie: {cookie['name']}={cookie['value']}"
    hanging.sendall(f"GET /stream.mjpg HTTP/1.1\r\n{head}\r\n\r\n".encode())
    return hanging


def main() -> None:
    """Print the figures, and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with open_browser() as browser, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with coded_page(folder) as url:
            browser.get(url)
            late = {way: lateness_ms(browser, way) for way in ("webrtc", "mjpeg")}
        runs = {"nobody": run_of(browser, False, folder), "two and one that hangs": run_of(browser, True, folder)}
    facts = {"late": late, "runs": runs, "size": SIZE_HW[::-1], "environment": describe_machine()}
    print(json.dumps({"late": late, "runs": runs}, indent=1))
    if options.json is not None:
        write_text(options.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
