"""The page as a visitor uses it: headless Chromium with its own microphone, driven by selenium."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed (extra: serve)")
from test.browser import chromium, needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(model_dir: Path, tone: Path) -> Iterator[str]:
    """Where ``ctap serve`` listens, started as a user would."""
    command = [sys.executable, "-m", "ctap.bin.serve", str(model_dir), "--voices", str(tone), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        assert "http://" in line
        yield line.split("at ")[1].split(" ;")[0]
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    words = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
    )
    with chromium(tmp_path, *words, size=(1100, 900)) as driver:
        yield driver


class Visitor:
    """Does with the page what a person would do."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        driver.get(address)
        self.wait(lambda: self.find("#model").text)

    def find(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    def wait(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := what():
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s in vain; the page says: {self.find('body').text}")

    def status(self, expected: str) -> None:
        self.wait(lambda: expected in self.find("#status").text)

    def click(self, css: str, expected: str) -> None:
        self.find(css).click()
        self.status(expected)

    def heard(self) -> float:
        """Seconds of the sound, once it plays."""
        script = "const a = document.getElementById('sound'); return a.readyState > 1 && a.duration;"
        return self.wait(lambda: self.driver.execute_script(script))

    def colours(self) -> int:
        """How many colours the picture has."""
        return self.driver.execute_script(
            "const c = document.getElementById('picture');"
            "const d = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);"
            "return new Set(d).size;"
        )

    def complaints(self) -> list[str]:
        """What the browser's console says."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


def test_a_visitor_types_and_hears(browser: Any, address: str) -> None:
    visitor = Visitor(browser, address)
    visitor.find("#text").clear()
    visitor.find("#text").send_keys("你好，再见。")
    visitor.click("#say", "done in")
    assert visitor.heard() > 0.1
    assert visitor.find("#phones").text.startswith("sil n i3 h ao3")
    assert visitor.colours() > 20
    assert not visitor.complaints()


def test_a_visitor_speaks_and_is_converted_and_recognised(browser: Any, address: str) -> None:
    visitor = Visitor(browser, address)
    assert not visitor.find("#convert").is_enabled()
    visitor.click("#record", "recording")
    time.sleep(1.5)  # the fake microphone beeps every second
    visitor.click("#record", "recorded")
    visitor.click("#convert", "done in")
    assert 0.5 < visitor.heard() < 10
    browser.execute_script("document.getElementById('phones').textContent = ''")
    visitor.click("#recognize", "done in")
    assert visitor.find("#phones").text and visitor.colours() > 20
    assert not visitor.complaints()


def test_a_visitor_brings_a_voice_and_a_bad_file(
    browser: Any, address: str, tone: Path, tmp_path: Path
) -> None:
    visitor = Visitor(browser, address)
    assert not visitor.find("#prompt").is_displayed()
    from selenium.webdriver.support.ui import Select

    Select(visitor.find("#voice")).select_by_visible_text("a recording of mine")
    assert visitor.find("#prompt").is_displayed()
    visitor.click("#say", "choose a voice, or a recording of one")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound at all")
    visitor.find("#prompt").send_keys(str(bad))
    visitor.click("#say", "prompt: ")
    assert "wrong" in visitor.find("#status").get_attribute("class")
    visitor.find("#prompt").clear()
    visitor.find("#prompt").send_keys(str(tone))
    visitor.click("#say", "done in")
    assert visitor.heard() > 0.1
    visitor.find("#source").send_keys(str(bad))
    visitor.click("#recognize", "source: ")
