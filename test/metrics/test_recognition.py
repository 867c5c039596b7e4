"""What was heard beside what was said, from the tables of two directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.errors import UserError
from ctap.files.tables import write_table
from ctap.metrics.recognition import error_rates, frame_metric, transcription_rates
from ctap.text.languages import rules_for


def folder(path: Path, **tables: dict[str, str]) -> Path:
    for name, rows in tables.items():
        write_table(path / name, rows)
    return path


def test_phones_syllables_and_characters_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = folder(tmp_path / "said", phones={"a": "n i3 h ao3", "b": "h ao3"}, text={"a": "你好", "b": "好"})
    heard = folder(tmp_path / "heard", phones={"a": "n i2 sp h ao3", "c": "h ao3"}, text={"a": "你号"})
    rates = error_rates(said, heard, text=True)
    assert {name: (*rate.per_utterance.sum(axis=0),) for name, rate in rates.items()} == {
        "phone_error_rate": (3, 6),  # the tone, and b, which was not heard
        "syllable_error_rate": (2, 3),
        "syllable_error_rate_no_tone": (1, 3),
        "character_error_rate": (2, 3),
    }
    assert "1 utterances are not in the hypotheses: b" in (printed := capsys.readouterr().out)
    assert "1 utterances are not in the references: c" in printed
    assert "character_error_rate" not in error_rates(said, heard, text=False)
    with pytest.raises(UserError, match="no utterance in common"):
        error_rates(folder(tmp_path / "other", phones={"x": "h ao3"}), heard, text=False)


def test_text_of_own_phones_is_counted_beside_what_was_heard_in_frames(tmp_path: Path) -> None:
    (tmp_path / "classes").write_text("a vowel\nt stop\n")
    said = folder(tmp_path / "said", phones={"u": "t a"}, text={"u": "t a"})
    rules_for(f"custom:{tmp_path / 'classes'}").save(said)
    heard = folder(tmp_path / "heard", phones={"u": "t a"}, text={"u": "t"})
    rates = error_rates(said, heard, text=True)
    assert {name: rate.per_utterance.sum(axis=0).tolist() for name, rate in rates.items()} == {
        "phone_error_rate": [0, 2],
        "text_error_rate": [1, 2],
    }


@pytest.mark.parametrize(
    ("written", "errors"),
    [("2008年", 0), ("二〇〇八年", 0), ("二零零八年", 0), ("二零零八嗧年", 0), ("二零零嗧年", 1)],
)
def test_how_a_transcript_is_written_does_not_count(tmp_path: Path, written: str, errors: int) -> None:
    """Nor is a rare character that has no reading an error of a syllable, or the end of all scoring."""
    phones = "er4 l ing2 l ing2 b a1 n ian2"
    said = folder(tmp_path / "said", phones={"u": phones}, text={"u": "二零零八年"})
    rates = transcription_rates(said, folder(tmp_path / "heard", text={"u": written}))
    assert rates["syllable_error_rate"].per_utterance.sum(axis=0).tolist() == [errors, 5]
    wrong = 1 if "嗧" in written else 0
    assert rates["character_error_rate"].per_utterance.sum(axis=0).tolist() == [wrong, 5]


def test_frames_are_right_where_their_phone_is(tmp_path: Path) -> None:
    aligned = {"a": "sil n", "b": "h"}
    said = folder(tmp_path / "said", aligned_phones=aligned, durations={"a": "2 3", "b": "5"})
    heard = folder(tmp_path / "heard", aligned_phones={"a": "sil n"}, durations={"a": "4 1"})
    metric = frame_metric(said, heard)
    assert metric.value == pytest.approx(0.3) and metric.n == 2  # of b nothing was heard
    assert metric.against == {"chance": 0.5}
    assert metric.items == {"a": (3.0, 5.0), "b": (0.0, 5.0)}
    folder(tmp_path / "heard", durations={"a": "4 2"})
    with pytest.raises(UserError, match="a: 6 frames recognised, 5 in"):
        frame_metric(said, heard)
    for durations, problem in (("4", "phones, but 1"), ("4 x", "'x' is not a"), ("6 -1", "-1 frames")):
        folder(tmp_path / "heard", durations={"a": durations})
        with pytest.raises(UserError, match=f"a: .*{problem}"):
            frame_metric(said, heard)
