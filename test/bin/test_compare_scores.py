"""Two systems compared from their files of scores; recognition scores keep what each utterance adds."""

from __future__ import annotations

import json
import sys

import pytest

from ctap.bin.common import Heard, Scored
from ctap.bin.compare_scores import compare_scores, main
from ctap.bin.score_asr import score_asr
from ctap.errors import UserError
from ctap.files.tables import write_table
from ctap.metrics.results import Metric, items, read_items, read_scores, write_scores

META = {"seed": 0, "commit": "abc", "config": "conf/a.yaml"}
UTTS = [f"s{i // 10}-{i:02d}" for i in range(20)]


def system(path, offset, utts=UTTS, key="msep"):
    """Scores whose utterances lie ``offset`` above those of a system with offset 0."""
    values = [UTTS.index(u) + offset * (1 + 0.1 * (UTTS.index(u) % 3)) for u in utts]
    mean = Metric(sum(values) / len(values), n=len(values), better="lower", items=items(utts, values))
    write_scores(path, path.parent.name, {key: mean, "without": Metric(1.0, n=3)}, META)
    return path


def test_a_better_system_is_named_with_what_stands_behind_it(tmp_path, capsys, monkeypatch):
    a, b = system(tmp_path / "good" / "scores.json", 0), system(tmp_path / "bad" / "scores.json", 2)
    write_table(tmp_path / "utt2spk", {u: u[:2] for u in UTTS})
    words = [
        "--a",
        a,
        "--b",
        b,
        "--figures",
        "msep",
        "--utt2spk",
        tmp_path / "utt2spk",
        "--out",
        tmp_path / "c.json",
    ]
    monkeypatch.setattr(sys, "argv", ["compare_scores", *map(str, words)])
    main()
    head, _, row = capsys.readouterr().out.splitlines()
    assert head.startswith("| figure | good | bad | difference")
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == "msep ↓" and cells[6:] == ["good", "20", "2"]
    content = json.loads((tmp_path / "c.json").read_text())
    found = content["figures"]["msep"]
    assert found["difference"] == pytest.approx(-2.2, abs=0.05) and found["p_value"] < 0.001
    assert found["low"] < found["difference"] < found["high"] < 0 and found["n"] == 20
    assert found["a"] - found["b"] == pytest.approx(found["difference"])
    assert {"resamples": 10_000, "level": 0.95}.items() <= content["meta"]["config"].items()
    assert "commit" in content["meta"]


def test_no_difference_is_not_made_one(tmp_path, capsys):
    a, b = system(tmp_path / "one" / "scores.json", 0), system(tmp_path / "two" / "scores.json", 0, UTTS[:15])
    compare_scores(a, b, resamples=100)
    shown = capsys.readouterr()
    assert "| 1.0000 | - | 15 | pooled |" in shown.out
    assert "5 utterances are in one of the two only: s1-15" in shown.err


def test_a_name_with_a_bar_is_one_cell(tmp_path, capsys):
    a, b = system(tmp_path / "10|20 ms" / "scores.json", 0), system(tmp_path / "two" / "scores.json", 2)
    compare_scores(a, b, figures=["msep"], resamples=100)
    head, _, row = capsys.readouterr().out.splitlines()
    assert head.startswith(r"| figure | 10\|20 ms | two | difference") and r"| 10\|20 ms | 20 |" in row


def test_two_of_one_name_are_told_apart(tmp_path, capsys):
    a, b = (system(tmp_path / name / "tts" / "scores.json", up) for name, up in (("x", 0), ("y", 2)))
    compare_scores(a, b, figures=["msep"], resamples=100)
    head, _, row = capsys.readouterr().out.splitlines()
    assert head.startswith("| figure | A | B | difference") and "| A | 20 |" in row


def test_what_cannot_be_compared_is_named(tmp_path):
    a, b = system(tmp_path / "a" / "scores.json", 0), system(tmp_path / "b" / "scores.json", 0, key="other")
    with pytest.raises(UserError, match="share no figure: msep in one, other in the other"):
        compare_scores(a, b)
    with pytest.raises(UserError, match="--figures wer: not in both; in both are: msep"):
        compare_scores(a, a, figures=["wer"])
    (tmp_path / "utt2spk").write_text("s0-00 s0\n")
    with pytest.raises(UserError, match="msep: utterance s0-01 has no speaker"):
        compare_scores(a, a, utt2spk=tmp_path / "utt2spk")
    a.with_suffix(".tsv").unlink()
    with pytest.raises(UserError, match=r"scores\.tsv: cannot be read"):
        compare_scores(a, b)


def test_recognition_scores_keep_errors_and_lengths_of_utterances(tmp_path, capsys):
    """Rates from the table are those of the scores, also where an utterance was not recognised at all."""
    ref, hyp = tmp_path / "ref", tmp_path / "hyp"
    write_table(ref / "phones", {"u1": "b a1 m ang2", "u2": "sh iii4"})
    write_table(ref / "text", {"u1": "八忙", "u2": "是"})
    write_table(ref / "aligned_phones", {"u1": "b a1 m ang2", "u2": "sh iii4"})
    write_table(ref / "durations", {"u1": "1 2 1 2", "u2": "2 2"})
    write_table(hyp / "phones", {"u1": "b a4 m ang2"})
    write_table(hyp / "text", {"u1": "八"})
    write_table(hyp / "aligned_phones", {"u1": "b a4 m ang2"})
    write_table(hyp / "durations", {"u1": "1 2 1 2"})
    score_asr(Heard(ref, hyp), Scored(tmp_path / "scores.json", "asr"))
    own, scores = read_items(tmp_path / "scores.json"), read_scores(tmp_path / "scores.json")
    assert own["phone_error_rate"] == {"u1": (1, 4), "u2": (2, 2)}
    assert own["syllable_error_rate"] == {"u1": (1, 2), "u2": (1, 1)}
    assert own["character_error_rate"] == {"u1": (1, 2), "u2": (1, 1)}
    assert own["frame_accuracy"] == {"u1": (4, 6), "u2": (0, 4)}
    for key, metric in scores.metrics.items():
        tops, bottoms = zip(*own[key].values(), strict=True)
        assert metric.value == pytest.approx(sum(tops) / sum(bottoms)), key
    capsys.readouterr()
