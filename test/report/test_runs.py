"""Several runs side by side: rows for figures that they share, mean and standard deviation over runs."""

from __future__ import annotations

import pytest

from ctap.bin.report_compare import report_compare
from ctap.errors import UserError
from ctap.metrics.results import Metric, write_scores

META = {"seed": 7, "commit": "abc", "config": "c.yaml"}


def put(exp, name, task=None, **metrics):
    write_scores(exp / name / "scores.json", name, metrics, META, task=task)


def table(capsys) -> list[list[str]]:
    head, _, *body = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (head, *body)]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Three runs of a recipe whose pretrainings have tags of their own."""
    monkeypatch.chdir(tmp_path)
    for run, tag, value in (("exp", "ctap", 0.9), ("exp_2", "seed2", 0.8), ("exp_3", "seed3", 0.7)):
        put(tmp_path / run, tag, "pretrain", phone_retrieval=Metric(value, 48, better="higher"),
            dimension=Metric(64, 48))  # fmt: skip
        put(tmp_path / run, "tts_A", phone_error_rate=Metric(value / 2, 9, better="lower"))
        put(tmp_path / run, "tts_B", phone_error_rate=Metric(value / 4, 9, better="lower"))
        put(tmp_path / run / "table1", "ctap_ours", "pretrain", phone_retrieval=Metric(0.1, 48))
    put(tmp_path / "exp", "asr", phone_error_rate=Metric(0.1, 48, better="lower"))
    return ["exp", "exp_2", "exp_3"]


def test_figures_of_runs_stand_beside_each_other_with_mean_and_deviation(runs, tmp_path, capsys):
    report_compare(runs, out=tmp_path / "runs.md")
    assert (tmp_path / "runs.md").read_text().startswith("| experiment | figure | exp |")
    head, *rows = table(capsys)
    assert head == ["experiment", "figure", "exp", "exp_2", "exp_3", "mean", "s.d."]
    assert rows == [
        ["pretrain", "phone_retrieval ↑", "0.900", "0.800", "0.700", "0.800", "0.100"],
        ["tts_A", "phone_error_rate ↓", "0.450", "0.400", "0.350", "0.400", "0.050"],
        ["tts_B", "phone_error_rate ↓", "0.225", "0.200", "0.175", "0.200", "0.025"],
    ]


def test_figures_can_be_named_and_other_numbers_of_utterances_are_shown(runs, tmp_path, capsys):
    put(tmp_path / "exp_3", "seed3", "pretrain", dimension=Metric(32, 24))
    report_compare(["exp", "exp_3"], figures=["dimension"])
    assert table(capsys)[1] == ["pretrain", "dimension", "64.00 (n = 48)", "32.00 (n = 24)", "48.00", "22.63"]


def test_single_experiments_of_one_directory(runs, tmp_path, capsys):
    put(tmp_path / "exp", "other", "pretrain", phone_retrieval=Metric(0.5, 48, better="higher"))
    report_compare(["exp/ctap", "exp/other"])
    assert table(capsys)[1] == ["pretrain", "phone_retrieval ↑", "0.900", "0.500", "0.700", "0.283"]


def test_what_is_undefined_has_no_mean(runs, tmp_path, capsys):
    put(tmp_path / "exp_2", "seed2", "pretrain", phone_retrieval=Metric(float("nan"), 48, better="higher"))
    report_compare(["exp", "exp_2"], figures=["phone_retrieval"])
    assert table(capsys)[1][2:] == ["0.900", "undefined", "", ""]


def test_what_cannot_be_compared_is_refused(runs, tmp_path):
    with pytest.raises(UserError, match="expected two or more, each once"):
        report_compare(["exp", "exp"])
    with pytest.raises(UserError, match=r"no two of them have scores of one figure \(--figures wer\)"):
        report_compare(runs, figures=["wer"])
    with pytest.raises(UserError, match="no such directory"):
        report_compare(["exp", "nowhere"])
