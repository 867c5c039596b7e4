"""Headless Chromium for tests of pages, driven by selenium; where one is missing, the tests are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (extra: browser)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM or not DRIVER,
    reason="Chromium and chromedriver are not installed (on Debian: chromium-driver)",
)


@contextmanager
def chromium(folder: Path, *words: str, size: tuple[int, int]) -> Iterator[Any]:
    """The driver of a new browser.

    Args:
        folder: Takes its profile and what it downloads.
        words: More of its options.
        size: Of its window, in pixels.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (
        *["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio", "--lang=en"],
        f"--user-data-dir={folder / 'profile'}",
        *words,
    ):
        options.add_argument(word)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_window_size(*size)
    yield driver
    driver.quit()
