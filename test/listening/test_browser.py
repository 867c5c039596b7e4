"""The page in a real browser, as a listener uses it: headless Chromium, driven by selenium."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctap.listening.build import Built
from ctap.listening.server import ListeningServer
from ctap.listening.store import Store, read_answers
from test.browser import chromium, needs_chromium, webdriver

pytestmark = needs_chromium

PHONE = (360, 640)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    with chromium(tmp_path, "--autoplay-policy=user-gesture-required", size=(1100, 800)) as driver:
        yield driver


class Listener:
    """Does with the page what a person would do."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def wait(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if value := what():
                    return value
            except webdriver.remote.webdriver.WebDriverException:
                pass  # the page is being drawn anew
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s in vain; the page says: {self.text()}")

    def find(self, css: str) -> list[Any]:
        return self.driver.find_elements("css selector", css)

    def text(self) -> str:
        return self.find("body")[0].text

    def press(self, key: str) -> None:
        webdriver.ActionChains(self.driver).send_keys(key).perform()

    def start(self, name: str) -> None:
        self.wait(lambda: self.find("#start"))
        self.find("#name")[0].send_keys(name)
        self.find("#start")[0].click()
        self.wait(lambda: self.find(".kicker"))

    def heard(self) -> bool:
        """Whether all sounds of this trial have been heard."""
        return len(self.find(".player.heard")) == len(self.find(".player"))

    def rate_by_keys(self, score: int) -> None:
        """Listen to everything, rate, go on."""
        self.wait(lambda: self.find("fieldset"))
        if len(self.find(".player")) == 2 and not self.find(".player:first-child.heard"):
            self.press("r")
            self.wait(lambda: self.find(".player:first-child.heard"))
        self.press(" ")
        self.wait(self.heard)
        self.press(str(score))
        self.wait(lambda: self.find("#next:enabled"))
        self.press(ENTER)

    def errors(self) -> list[str]:
        """What the browser complains about; favicons are nobody's concern."""
        found = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in found if "favicon" not in message]


ENTER, BACKSPACE = "\ue007", "\ue003"


class Running:
    """A server of a test, in a thread."""

    def __init__(self, folder: Path, built: Built, port: int = 0, answers: str = "answers.sqlite") -> None:
        self.path = folder / answers
        self.store = Store(self.path, built.plan)
        self.server = ListeningServer(folder, built.plan, self.store, port=port)
        self.port = self.server.server_address[1]
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.store.close()

    def rows(self) -> dict[str, int]:
        connection = sqlite3.connect(self.path)
        rows = dict(connection.execute("SELECT trial, score FROM answers"))
        connection.close()
        return rows


def test_a_listener_rates_by_keys_reloads_and_all_answers_arrive(make_test, tmp_path, browser) -> None:
    built = make_test(max_trials=6)
    running = Running(tmp_path / "test", built)
    try:
        me = Listener(browser)
        browser.get(f"http://127.0.0.1:{running.port}/")
        me.start("Li Ping")
        me.press(ENTER)
        me.wait(lambda: me.find("fieldset"))
        # nothing can be rated before it was heard
        me.press("4")
        assert me.find("fieldset:disabled") and me.find(".hint.nudge") and not running.rows()
        me.rate_by_keys(4)
        me.wait(lambda: len(running.rows()) == 1)
        me.wait(lambda: "1 of 2" not in me.text())
        sentence = me.find(".text")[0].text
        place = me.find("#place")[0].text
        # a reload in the middle, as after a closed browser, goes on at the same trial
        browser.refresh()
        me.wait(lambda: me.find("fieldset"))
        assert me.find("#place")[0].text == place and me.find(".text")[0].text == sentence
        # back to the first: its score stands, and can be changed
        me.press(BACKSPACE)
        me.wait(lambda: me.find("input[value='4']:checked"))
        me.press("2")
        me.wait(lambda: list(running.rows().values()) == [2])
        me.press(ENTER)
        me.rate_by_keys(5)
        for score in (3, 3):
            if me.wait(lambda: me.find(".kicker, fieldset")) and me.find(".kicker"):
                me.press(ENTER)
            me.rate_by_keys(score)
        me.press(ENTER)
        for score in (1, 1):
            me.rate_by_keys(score)
        me.wait(lambda: "have arrived" in me.text())
        share = [trial for trials in built.plan.share(0).values() for trial in trials]
        assert sorted(running.rows()) == sorted(share)
        assert sorted(running.rows().values()) == [1, 1, 2, 3, 3, 5]
        found = read_answers([running.path], built.plan)
        assert [listener.name for listener in found.listeners.values()] == ["Li Ping"]
        assert all(a.plays >= 1 and a.seconds >= 0.3 for a in found.answers.values())
        assert me.errors() == []
    finally:
        running.stop()


def test_answers_wait_for_the_server_and_outlive_its_file(make_test, tmp_path, browser) -> None:
    built = make_test(max_trials=6, questions=["quality"])
    running = Running(tmp_path / "test", built)
    me = Listener(browser)
    try:
        browser.get(f"http://127.0.0.1:{running.port}/")
        me.start("")
        me.press(ENTER)
        me.rate_by_keys(1)
        me.wait(lambda: len(running.rows()) == 1)
    finally:
        running.stop()
    # sounds of the next trials have been fetched already, so the listener goes on without noticing much
    me.rate_by_keys(2)
    me.rate_by_keys(3)
    me.wait(lambda: "2 answers wait" in me.text())
    # the server comes back with an empty file: the listener is taken in again, and nothing is lost
    running = Running(tmp_path / "test", built, port=running.port, answers="other.sqlite")
    try:
        browser.refresh()
        me.wait(lambda: len(running.rows()) >= 2)
        for score in (4, 5, 5):
            me.rate_by_keys(score)
        me.wait(lambda: "have arrived" in me.text())
        assert len(running.rows()) == 5
    finally:
        running.stop()


def test_the_page_alone_without_network_on_a_phone(make_test, tmp_path, browser) -> None:
    built = make_test(title="Voices", max_trials=3)
    me = Listener(browser)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": PHONE[0], "height": PHONE[1], "deviceScaleFactor": 2, "mobile": True},
    )
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    browser.get(built.page.resolve().as_uri())

    def fits() -> bool:
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        return wide <= PHONE[0]

    me.wait(lambda: me.find("#number"))
    assert fits()
    me.find("#number")[0].send_keys("3")
    me.start("李 平/..")
    for _ in range(3):
        assert fits()
        me.find("button.main")[0].click()
        me.wait(lambda: me.find("fieldset"))
        assert fits()
        for button in me.find(".play"):
            button.click()
            me.wait(
                lambda button=button: button.find_elements("xpath", "./ancestor::*[contains(@class,'heard')]")
            )
        me.wait(lambda: me.find("fieldset:enabled"))
        # all five choices are large enough for a finger
        assert all(choice.size["height"] >= 40 for choice in me.find(".choice"))
        me.find(".choice")[3].click()
        me.wait(lambda: me.find("#next:enabled"))
        me.find("#next")[0].click()
    me.wait(lambda: me.find("#save"))
    assert fits()
    me.find("#save")[0].click()
    file = me.wait(lambda: list(tmp_path.glob("answers-*.json")))[0]
    assert re.fullmatch(r"answers-\w+-李_平_\.json", file.name)
    found = read_answers([file], built.plan)
    (listener,) = found.listeners.values()
    assert (listener.name, listener.slot) == ("李 平/..", 2)
    assert {a.trial for a in found.answers.values()} == {t for ts in built.plan.share(2).values() for t in ts}
    assert [a.score for a in found.answers.values()] == [4, 4, 4]
    # the next person on this phone starts anew, but not by accident
    me.find("#another")[0].click()
    me.find("#another")[0].click()
    me.wait(lambda: me.find("#start"))
    assert me.errors() == []


def test_the_order_differs_between_listeners_and_no_sentence_follows_itself(make_test, browser) -> None:
    built = make_test()
    browser.get(built.page.resolve().as_uri())
    orders = browser.execute_script(
        "return [0, 1].map((i) => { beginSession(newListenerId(), '', i); return session.order; });"
    )
    assert orders[0] != orders[1]
    for order in orders:
        assert [sorted(part) for part in order] == [sorted(names) for names in built.plan.sequence.values()]
        for part in order:
            said = [built.plan.trials[trial].utt for trial in part]
            # only where a sentence is left over at the very end is there nothing to put between
            assert all(a != b for a, b in itertools.pairwise(said[:-2]))


def test_the_page_computes_the_same_shares_as_the_server(make_test, browser) -> None:
    built = make_test(max_trials=10)
    browser.get(built.page.resolve().as_uri())
    for slot in (0, 1, 7, 999_999):
        shares = browser.execute_script(f"return TEST.questions.map((q) => stretch(q, {slot}))")
        assert shares == list(built.plan.share(slot).values())


def test_both_languages_have_the_same_words(make_test, browser) -> None:
    built = make_test()
    browser.get(built.page.resolve().as_uri())
    shape = """
        const shape = (v) => v && typeof v === "object"
            ? Object.fromEntries(Object.entries(v).map(([k, w]) => [k, shape(w)])) : typeof v;
        return JSON.stringify([shape(WORDS.en), shape(WORDS.zh)]);
    """
    english, chinese = json.loads(browser.execute_script(shape))
    assert english == chinese
    Listener(browser).find("#language")[0].click()
    assert "开始" in Listener(browser).text()
