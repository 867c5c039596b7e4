"""Models of other languages, and of two, in use."""

from __future__ import annotations

from pathlib import Path

import pytest

import ctap
from ctap.bin.synthesize import synthesize
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.text.rules import TextRules
from test.tiny_model import save_model, save_tone


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return save_tone(tmp_path / "a.wav")


def test_a_model_of_two_languages_says_words_of_one_among_the_other(tmp_path: Path, wav: Path) -> None:
    model = ctap.load(save_model(tmp_path / "model", rules=TextRules("mandarin english")), device="cpu")
    speech = model.synthesize("我用iPhone。", wav, durations="deterministic")
    assert speech.phones == [
        "sil",
        *("mandarin:uo3", "mandarin:iong4"),
        *("english:AY1", "english:F", "english:OW2", "english:N"),
        "sil",
    ]
    assert set(model.recognize(wav).phones) <= set(model.parts.tokens.tokens)


def test_phones_that_a_model_does_not_know_are_refused_or_mapped(tmp_path: Path, wav: Path) -> None:
    phones = (("ç", "fricative"), ("ɪ", "vowel"))
    model = save_model(tmp_path / "model", rules=TextRules("espeak:de", phones=phones))
    with pytest.raises(UserError, match="phones m ˈɪ: not among the 2 of the model"):
        ctap.load(model, device="cpu").synthesize("im", wav)
    (tmp_path / "map").write_text("m ç ɪ\nˈɪ ɪ\n")
    out = tmp_path / "said"
    synthesize(model, wav, out, text="im", phone_map=tmp_path / "map", vocoder="griffin_lim", device="cpu")
    assert read_table(out / "aligned_phones") == {"text": "sil ɪ ç ɪ sil"}
