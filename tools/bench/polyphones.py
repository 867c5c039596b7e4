#!/usr/bin/env python3
"""How many characters of several readings are read right: pypinyin as it is used here, and with more phrases.

    python tools/bench/polyphones.py DIR

DIR holds test.sent and test.lb in the form of the CPP data set (Park and Lee, *g2pM*, 2020; in the folder
data of github.com/kakaobrain/g2pM): a sentence a line with ▁ on both sides of one character, and that
character's reading. Every way of reading runs in a process of its own. More phrases are those of the
package pypinyin-dict; g2pM is a network that was trained on the sentences that go with the test set; both are
left out where they are not installed. Printed are the share of right readings, the same with the neutral tone
taken for any other, and sentences a second of CPU time.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

from ctap.errors import UserError, cli
from ctap.text.normalize import is_hanzi
from ctap.text.pinyin import UnknownPinyin, canonical, hanzi_to_pinyin

PHRASES = ("cc_cedict", "zdic_cibs", "zdic_cybs", "large_pinyin", "di", "pinyin")
MARK = "▁"


def stretch(sentence: str) -> tuple[str, int]:
    """The hanzi around the marked character, up to the next other character, and its place among them."""
    before, char, after = sentence.split(MARK)
    left = len(before)
    while left and is_hanzi(before[left - 1]):
        left -= 1
    right = next((i for i, c in enumerate(after) if not is_hanzi(c)), len(after))
    return before[left:] + char + after[:right], len(before) - left


def reader(way: str) -> Callable[[str], list[str]]:
    """What reads a stretch of hanzi, a syllable for each."""
    if way == "g2pM":
        model = importlib.import_module("g2pM").G2pM()
        return lambda hanzi: [canonical(syllable) for syllable in model(hanzi, tone=True, char_split=True)]
    if way != "pypinyin":
        importlib.import_module(f"pypinyin_dict.phrase_pinyin_data.{way}").load()
    return hanzi_to_pinyin


def measure(way: str, sentences: list[str], labels: list[str]) -> str:
    """One line of the table."""
    read = reader(way)
    read("你好")
    right = nearly = 0
    started = time.process_time()
    for sentence, label in zip(sentences, labels, strict=True):
        hanzi, at = stretch(sentence)
        wanted = canonical(label)
        try:
            said = read(hanzi)[at]
        except UnknownPinyin:  # of another character of the stretch
            continue
        right += said == wanted
        nearly += said == wanted or (said[:-1] == wanted[:-1] and "5" in (said[-1], wanted[-1]))
    rate = len(sentences) / (time.process_time() - started)
    return f"{way:14} {right / len(sentences):8.2%} {nearly / len(sentences):8.2%} {rate:8.0f}"


@cli
def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds test.sent and test.lb")
    parser.add_argument("--sentences", type=int, default=None, help="only so many (default: all)")
    options = parser.parse_args(argv)
    sentences, labels = (_lines(options.folder / name) for name in ("test.sent", "test.lb"))
    if len(sentences) != len(labels):
        raise UserError(f"{options.folder}: {len(sentences)} sentences but {len(labels)} labels")
    ways = ["pypinyin"]
    ways += PHRASES if importlib.util.find_spec("pypinyin_dict") else ()
    ways += ["g2pM"] if importlib.util.find_spec("g2pM") else []
    print(f"{len(sentences[: options.sentences])} sentences")
    print(f"{'':14} {'right':>8} {'5 = any':>8} {'a second':>8}")
    for way in ways:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            job = (way, sentences[: options.sentences], labels[: options.sentences])
            print(pool.apply(measure, job), flush=True)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {error}") from None


if __name__ == "__main__":
    main()
