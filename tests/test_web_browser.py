"""The real command's page in a real browser: pictures, pointing, controls, and a connection that is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from .command import PULLFOCUS
from .web_page import served

pytestmark = pytest.mark.real_time

DEADLINE_S = 60.0
WIDTH, SIZE = 320, "320x240"
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,800")


class Visit:
    """A browser that shows the page. takes: where the program keeps them."""

    def __init__(self, browser: Any, takes: Path) -> None:
        self.browser, self.takes = browser, takes
        self.home = browser.current_url

    def ask(self, script: str) -> Any:
        return self.browser.execute_script(f"return {script}")

    def wait(self, script: str, condition: Callable[[Any], Any] = bool) -> Any:
        """The script's value, as soon as it is as wished."""
        values = list[Any]()
        self.wait_until(
            lambda: values.append(self.ask(script)) or condition(values[-1]), lambda: f"{script}: {values[-1]}"
        )
        return values[-1]

    def wait_until(self, condition: Callable[[], Any], what: Callable[[], str] = str) -> None:
        end_s = monotonic() + DEADLINE_S
        while not condition():
            assert monotonic() < end_s, what()
            sleep(0.05)

    def press(self, selector: str) -> None:
        self.browser.find_element("css selector", selector).click()

    def choose(self, stream: str) -> None:
        """How the picture comes: once another way is chosen it begins anew."""
        self.browser.execute_script("$('stream').value = arguments[0]; $('stream').onchange()", stream)

    def point(self, x: float, y: float) -> None:
        """Click at a place of the picture, relative to its size, whatever bars are around it."""
        stage = self.browser.find_element("id", "stage")
        box = self.ask("(() => { const b = pictureBox(); return { ...b, w: b.box.width, h: b.box.height }; })()")
        right = box["left"] + x * box["width"] - box["w"] / 2
        down = box["top"] + y * box["height"] - box["h"] / 2
        ActionChains(self.browser).move_to_element_with_offset(stage, round(right), round(down)).click().perform()

    def pixels(self, element: str) -> str:
        """The picture shown, as text."""
        return self.ask(
            f"(() => {{ const c = document.createElement('canvas'); c.width = 64; c.height = 48;"
            f" c.getContext('2d').drawImage({element}, 0, 0, 64, 48); return c.toDataURL(); }})()"
        )

    def complaints(self) -> list[str]:
        """What the browser's console holds against the page."""
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        words = "chromium and chromedriver not installed; run: apt install chromium chromium-driver"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", *ARGUMENTS):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def visit(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The real command's page."""
    takes = tmp_path_factory.mktemp("takes")
    command = [PULLFOCUS, "live", "--engine", "plane", "--source", "synthetic", "--size", SIZE, "--web", "127.0.0.1:0"]
    with subprocess.Popen([*command, "--takes", takes], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        browser.get(process.stderr.readline().split()[-1])
        yield Visit(browser, takes)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_pictures_come_at_once_and_the_key_leaves_the_address(visit: Visit) -> None:
    assert visit.wait("stream.kind") in ("WebRTC", "MJPEG")
    assert visit.ask("location.search") == ""
    for _ in range(3):  # the answers to the first two come when they are void
        visit.choose("webrtc")
    visit.wait_until(lambda: shows_webrtc(visit))
    began_s = visit.ask("video.currentTime")
    visit.wait("video.currentTime", lambda now_s: now_s > began_s + 0.5)
    visit.wait("$('status').textContent", lambda text: text == "Live")
    assert visit.wait("Number($('fps').textContent)") > 0
    assert visit.ask("$('graph').width") > 0
    assert visit.complaints() == []


def shows_webrtc(visit: Visit) -> bool:
    if visit.ask("stream.kind") == "MJPEG":
        visit.choose("webrtc")  # the machine was too busy to connect in time
    return visit.ask("video.videoWidth") == WIDTH


def test_mjpeg_can_be_chosen_and_follows_a_change_of_size(visit: Visit) -> None:
    visit.choose("mjpeg")
    visit.wait("image.naturalWidth", lambda width: width == WIDTH)
    first = visit.pixels("image")
    visit.wait_until(lambda: visit.pixels("image") != first)
    visit.press("#views button[value=side]")
    visit.wait("image.naturalWidth", lambda width: width == 2 * WIDTH)
    visit.press("#views button[value=refocus]")
    visit.wait("image.naturalWidth", lambda width: width == WIDTH)


def test_a_click_focuses_there(visit: Visit) -> None:
    # The ground comes nearer towards the bottom.
    for (x, y), there in (((0.25, 0.1), (0.0, 0.3)), ((0.75, 0.9), (0.7, 1.0)), ((0.75, 0.1), (0.0, 0.3))):
        visit.point(x, y)
        assert visit.ask("$('reticle').hidden") is False
        visit.wait("state.focus.split(',').map(Number)", lambda at, x=x, y=y: at == pytest.approx([x, y], abs=0.01))
        visit.wait("Number($('depth').value)", lambda depth, there=there: there[0] <= depth <= there[1])


def test_what_one_page_turns_the_other_shows(visit: Visit) -> None:
    first = visit.browser.current_window_handle
    visit.browser.switch_to.new_window("tab")
    visit.browser.get(visit.home)
    visit.wait("state !== null")
    ActionChains(visit.browser).send_keys(" ").perform()
    visit.wait("state.held")
    aperture = visit.ask("state.aperture")
    visit.browser.find_element("id", "aperture").send_keys(Keys.ARROW_RIGHT * 3)
    visit.browser.find_element("id", "mirror").click()
    visit.wait("state.mirror")
    visit.browser.close()
    visit.browser.switch_to.window(first)
    visit.wait("$('hold').getAttribute('aria-pressed')", lambda pressed: pressed == "true")
    visit.wait("Number($('aperture').value)", lambda value: value == aperture + 1.5)
    visit.wait("$('mirror').checked")
    visit.press("[data-focus=auto]")
    visit.wait("!state.held && state.focus === 'auto'")


def test_keys_do_what_they_do_in_the_window(visit: Visit) -> None:
    for key, then in (
        ("2", "state.focus === 'layer:2'"),
        ("n", "state.focus === 'nearest'"),
        ("+", "state.layers === 7"),
        ("]", "state.aperture > 7"),
        ("z", "state.view === 'zone'"),
        ("z", "state.view === 'refocus'"),
        ("h", "$('help').open"),
        ("h", "!$('help').open"),
    ):
        ActionChains(visit.browser).send_keys(key).perform()
        visit.wait(then)


def test_a_snapshot_can_be_fetched(visit: Visit) -> None:
    visit.press("#still")
    name = visit.wait("document.querySelector('#takes a')?.download")
    assert (visit.takes / name).is_file()
    size = "fetch(document.querySelector('#takes a').href).then(a => a.blob()).then(b => b.size)"
    assert visit.ask(f"(async () => await {size})()") == (visit.takes / name).stat().st_size


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568)])
def test_a_phone_has_room_for_fingers_and_needs_none_to_the_side(visit: Visit, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
    visit.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        visit.wait("document.documentElement.clientWidth", lambda now: now == width)
        assert visit.ask("document.documentElement.scrollWidth") == width
        targets = "[...document.querySelectorAll('button, select, input[type=range], label.switch, #takes a')]"
        seen = f"{targets}.map(e => e.getBoundingClientRect().height).filter(height => height > 0)"
        assert len(heights := visit.ask(seen)) > 20
        assert min(heights) >= 44
    finally:
        visit.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_a_way_for_webrtc_mjpeg_takes_over(visit: Visit) -> None:
    # As behind a tunnel: the browser learns of no address at which it could connect.
    visit.browser.execute_script(
        "const answered = stream.answered; stream.answered = function (sdp, id) {"
        " answered.call(this, sdp.replace(/a=candidate.*\\r\\n/g, ''), id); };"
    )
    visit.choose("auto")
    visit.wait("stream.kind", lambda kind: kind == "MJPEG")
    visit.wait("image.naturalWidth", lambda width: width == WIDTH)


def test_a_lost_connection_is_said_and_comes_back(visit: Visit) -> None:
    visit.browser.execute_script("socket.close()")
    visit.wait("!$('banner').hidden && $('banner').textContent.startsWith('Connection lost')")
    visit.wait("$('banner').hidden && socket.readyState === 1")


def test_a_page_that_nobody_sees_leaves_and_comes_back(visit: Visit) -> None:
    set_hidden = "Object.defineProperty(document, 'hidden', {{ value: {}, configurable: true }});"
    turn = "document.dispatchEvent(new Event('visibilitychange'));"
    visit.browser.execute_script("window.wait_ms = setTimeout; setTimeout = (work, ms) => wait_ms(work, ms / 100);")
    visit.browser.execute_script(set_hidden.format("true") + turn)
    visit.wait("socket.readyState === 3")
    visit.browser.execute_script(set_hidden.format("false") + turn)
    visit.wait("socket.readyState === 1 && $('banner').hidden")


def test_the_page_of_a_run_that_has_ended_says_so(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path) as page:
        browser.get(page.sink.url)
        visit = Visit(browser, tmp_path)
        visit.wait("state !== null")
    visit.wait("!$('banner').hidden")
    with served(tmp_path, int(page.netloc.split(":")[1])):
        visit.wait("$('banner').textContent.startsWith('That run has ended')")
