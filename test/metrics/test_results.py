"""The schema of results: what is kept, and what no result goes without."""

from __future__ import annotations

import json
import math

import pytest

from ctap.errors import UserError
from ctap.metrics.intervals import bootstrap_mean
from ctap.metrics.results import Metric, guess_task, items, read_items, read_scores, write_scores

META = {"seed": 0, "commit": "abc", "dirty": False, "config": "conf/a.yaml"}
GOOD = Metric(0.25, n=40, better="higher")


def test_write_and_read_back(tmp_path):
    metrics = {
        "msep": Metric(
            98.25, n=40, unit="Hz^2", better="lower", interval=(80.0, 117.0), against={"vocoded": 41.0}
        ),
        "frame": Metric.of(bootstrap_mean([0.0, 1.0, 1.0]), better="higher", note="held out"),
        "undefined": Metric(math.nan, n=0, interval=(math.nan, math.nan)),
    }
    path = tmp_path / "tts_a" / "scores.json"
    write_scores(path, "tts_a", metrics, META)
    found = read_scores(path)
    assert found.name == "tts_a" and found.task == "tts"
    assert found.meta == META | {"bootstrap": {"level": 0.95, "resamples": 2000}}
    assert found.metrics["msep"] == metrics["msep"] and found.metrics["frame"] == metrics["frame"]
    assert found.metrics["frame"].n == 3
    assert math.isnan(found.metrics["undefined"].value) and found.metrics["undefined"].interval is None
    # strict JSON: other programs must be able to read it
    plain = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert plain["metrics"]["undefined"]["value"] is None
    assert set(plain["metrics"]["undefined"]) == {"value", "interval", "n", "unit", "better"}


@pytest.mark.parametrize("key", ["seed", "commit", "config"])
def test_no_result_without_its_provenance(tmp_path, key):
    path = tmp_path / "scores.json"
    for meta in ({k: v for k, v in META.items() if k != key}, META | {key: ""}):
        with pytest.raises(UserError, match=f"meta lacks '{key}'"):
            write_scores(path, "a", {"x": GOOD}, meta)
    assert not path.exists()
    write_scores(path, "a", {"x": GOOD}, META)
    content = json.loads(path.read_text())
    del content["meta"][key]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"scores.json: meta lacks '{key}'"):
        read_scores(path)


@pytest.mark.parametrize(
    ("metric", "match"),
    [
        (Metric(1.0, n=None), "number of utterances"),
        (Metric(1.0, n=-1), "number of utterances"),
        (Metric(1.0, n=1, better="more"), "better must be"),
        (Metric(1.0, n=1, interval=(1.0,)), "interval must be"),
    ],
)
def test_no_figure_without_its_number(tmp_path, metric, match):
    with pytest.raises(UserError, match=match):
        write_scores(tmp_path / "scores.json", "a", {"x": metric}, META)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"name": "a"}', '{"name": "a", "meta": {}, "metrics": {"x": {"value": 1}}}',
     '{"name": "a", "meta": {}, "metrics": {"x": {"value": "high", "n": 1}}}'],
)  # fmt: skip
def test_other_files_are_refused_by_name(tmp_path, text):
    path = tmp_path / "scores.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"scores\.json: (cannot be read|not a file of scores)"):
        read_scores(path)


@pytest.mark.parametrize(
    ("name", "task"),
    [("tts_SSB9003", "tts"), ("vc-a", "vc"), ("ctap_mini", "pretrain"), ("align", "durations"),
     ("asr", "asr"), ("ablation_x", "ablation")],
)  # fmt: skip
def test_tasks_of_names(name, task):
    assert guess_task(name) == task


def test_what_utterances_contribute_lies_beside_the_scores(tmp_path):
    path = tmp_path / "scores_a.json"
    own = {"msep": items(["u2", "u1"], [1.5, math.nan]), "rate": items(["u1"], [2], [7])}
    write_scores(path, "a", {key: Metric(1.0, n=1, items=it) for key, it in own.items()}, META)
    assert "items" not in path.read_text()
    lines = (tmp_path / "scores_a.tsv").read_text().splitlines()
    assert lines[0].split() == ["figure", "utterance", "numerator", "denominator"]
    assert lines[1:] == ["msep\tu1\tnan\t1", "msep\tu2\t1.5\t1", "rate\tu1\t2\t7"]
    found = read_items(path)
    assert found["rate"] == own["rate"] and found["msep"]["u2"] == (1.5, 1.0)
    assert math.isnan(found["msep"]["u1"][0])
    write_scores(path, "a", {"msep": Metric(1.0, n=1)}, META)  # an old table would be of other figures
    with pytest.raises(UserError, match=r"scores_a\.tsv: cannot be read"):
        read_items(path)


def test_a_table_that_is_none_of_scores_is_not_touched(tmp_path):
    truth = tmp_path / "true.tsv"
    truth.write_text("utterance\tphone\n")
    for metric in (GOOD, Metric(0.5, 1, better="higher", items=items(["u"], [1], [2]))):
        with pytest.raises(UserError, match=r"true\.tsv: no table of scores"):
            write_scores(tmp_path / "true.json", "a", {"x": metric}, META)
    assert truth.read_text() == "utterance\tphone\n"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("u1 2\n", r"scores\.tsv:1: expected the columns"),
        ("figure\tutterance\tnumerator\tdenominator\nmsep\tu1\tx\t1\n", r"scores\.tsv:2: expected figure"),
        ("figure\tutterance\tnumerator\tdenominator\nmsep\tu1\n", r"scores\.tsv:2: expected figure"),
    ],
)
def test_a_table_of_another_kind_is_refused_by_its_line(tmp_path, text, match):
    (tmp_path / "scores.tsv").write_text(text)
    with pytest.raises(UserError, match=match):
        read_items(tmp_path / "scores.json")
