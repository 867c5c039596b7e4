"""Means and intervals against scipy and simulation; checks of listeners; both kinds of answer files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ctap.bin.score_listening_test import main
from ctap.errors import UserError
from ctap.listening.answers import EXPORT, Answer
from ctap.listening.plan import Plan
from ctap.listening.scores import clustered_difference, clustered_mean, ratings
from ctap.listening.screening import Limits, screen
from ctap.listening.store import Store, read_answers
from ctap.listening.table import summary

TRUE = {"recording": 4.7, "vocoded": 3.8, "tts": 2.2}


def test_where_all_rate_equally_much_the_interval_is_that_of_the_listeners_means() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(1, 6, (7, 12)) + rng.normal(size=(7, 1))
    found = clustered_mean(scores.ravel(), np.repeat([f"l{i}" for i in range(7)], 12))
    means = scores.mean(axis=1)
    low, high = stats.t.interval(0.95, 6, means.mean(), stats.sem(means))
    assert found[:3] == pytest.approx((scores.mean(), low, high))
    low, high = stats.t.interval(0.95, 83, scores.mean(), stats.sem(scores.ravel()))
    assert (found.plain_low, found.plain_high) == pytest.approx((low, high))
    assert (found.n, found.listeners) == (84, 7)


def test_unequal_listeners_by_hand() -> None:
    # mean 3; deviations sum to -2 (a), -1 (b), 3 (c); error sqrt(3/2 * (4 + 1 + 9) / 36)
    # t(0.975, 2 degrees of freedom) = 4.3027
    found = clustered_mean([2, 2, 3, 2, 4, 5], ["a", "a", "b", "b", "c", "c"])
    assert found.value == 3
    assert found.high - 3 == pytest.approx(4.3027 * np.sqrt(1.5 * 14 / 36), abs=1e-3)


def test_the_paired_difference_is_that_of_a_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    strictness = rng.normal(size=(9, 1))
    a, b = 3.5 + strictness + rng.normal(size=(9, 8)), 3.2 + strictness + rng.normal(size=(9, 8))
    who = np.repeat(np.arange(9).astype(str).astype(object), 8)
    found = clustered_difference(a.ravel(), who, b.ravel(), who)
    test = stats.ttest_rel(a.mean(axis=1), b.mean(axis=1)).confidence_interval(0.95)
    assert found[:3] == pytest.approx((a.mean() - b.mean(), test.low, test.high))


def test_the_interval_covers_the_truth_where_listeners_differ_and_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(2)
    who = np.repeat(np.arange(8), 15)
    clustered = plain = 0
    for _ in range(400):
        found = clustered_mean(3 + rng.normal(0, 0.5, 8)[who] + rng.normal(0, 0.8, 120), who)
        clustered += found.low <= 3 <= found.high
        plain += found.plain_low <= 3 <= found.plain_high
    assert 0.92 <= clustered / 400 <= 0.98
    assert plain / 400 < 0.75


def test_one_listener_has_no_interval_but_the_plain_one() -> None:
    found = clustered_mean([3, 4, 5], ["a"] * 3)
    assert np.isnan(found.low) and found.plain_low < 4 < found.plain_high
    assert np.isnan(clustered_mean([], []).value) and clustered_mean([], []).n == 0


def listen(plan: Plan, path: Path, people: dict[str, object], seed: int = 0) -> None:
    """Answers of listeners, each with a way to rate: a function of the trial and an honest score."""
    store = Store(path, plan)
    rng = np.random.default_rng(seed)
    for number, (name, way) in enumerate(people.items()):
        listener = store.join(f"{number + 1:x}".ljust(32, "0"), name)
        for revision, trial in enumerate(t for ts in plan.share(listener.slot).values() for t in ts):
            honest = int(np.clip(round(TRUE[plan.trials[trial].system] + rng.normal(0, 0.6)), 1, 5))
            store.save(Answer(listener.id, trial, way(plan.trials[trial], honest), 4.0, 1, revision + 1))
    store.close()


def honest(trial: object, score: int) -> int:
    return score


PEOPLE = {
    "Ann": honest,
    "Bo": honest,
    "Chi": honest,
    "Dag": honest,
    "same": lambda trial, score: 4,
    "reversed": lambda trial, score: 6 - score,
}


def test_strange_listeners_are_remarked_upon_and_honest_ones_are_not(make_test, tmp_path) -> None:
    plan = make_test().plan
    listen(plan, tmp_path / "a.sqlite", PEOPLE)
    held = ratings(read_answers([tmp_path / "a.sqlite"], plan), plan)
    records = dict(zip(PEOPLE, screen(held, plan.anchors), strict=True))
    assert [name for name, record in records.items() if record.remarks] == ["same", "reversed"]
    assert "one score to 100%" in records["same"].remarks[0]
    assert screen(held, plan.anchors, Limits(max_same=1.0))[4].remarks
    low, apart = records["reversed"].remarks
    assert "rates the recording 1" in low and "correlates -0" in apart
    # by hand: Ann's correlation with the mean of the five others
    order = list(plan.trials)
    table = {(w, t): s for w, t, s in zip(held.listener, held.trial, held.score, strict=True)}
    ids = list(dict.fromkeys(held.listener))
    own = [table[ids[0], t] for t in order]
    rest = [np.mean([table[i, t] for i in ids[1:]]) for t in order]
    assert records["Ann"].correlation == pytest.approx(stats.pearsonr(own, rest).statistic)
    assert records["Ann"].mean == pytest.approx(np.mean(own))
    recordings = [s for t, s in zip(order, own, strict=True) if plan.trials[t].system == "recording"]
    assert records["Ann"].recording == pytest.approx(np.mean(recordings))


def test_both_kinds_of_files_together_and_the_command(make_test, tmp_path, capsys) -> None:
    plan = make_test().plan
    listen(plan, tmp_path / "test/answers.sqlite", PEOPLE)
    trials = [t for ts in plan.share(0).values() for t in ts]
    rows = [{"trial": t, "score": 5, "seconds": 2, "plays": 1, "revision": 1} for t in trials[:10]]
    person = {"id": "e" * 32, "name": "Eve | by mail", "slot": 0}
    export = {"format": EXPORT, "test": plan.id, "listener": person, "answers": rows}
    (tmp_path / "eve.json").write_text(json.dumps(export), encoding="utf-8")
    files = [str(tmp_path / "test/answers.sqlite"), str(tmp_path / "eve.json"), str(tmp_path / "eve.json")]
    out = tmp_path / "scores.json"
    options = ["--leave_out", "flagged", "e", "--against", "recording"]
    written = ["--out", str(out), "--markdown", str(tmp_path / "scores.md")]
    main(["--test", str(tmp_path / "test"), "--answers", *files, *options, *written])
    shown = capsys.readouterr().out
    assert shown == (tmp_path / "scores.md").read_text(encoding="utf-8")
    assert "Eve \\| by mail" in shown and "(left out)" in shown and "## Speaker similarity" in shown
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["replaced"] == 10 and result["n"] == 4 * len(plan.trials)
    assert result["ratings_per_trial"] == [4, 4] and result["meta"]["seed"] == 777
    # by hand, from the database
    found = read_answers([tmp_path / "test/answers.sqlite"], plan)
    names = {i: person.name for i, person in found.listeners.items()}
    for question in plan.sequence:
        by_listener = [
            np.mean([
                a.score for a in found.answers.values()
                if names[a.listener] == name and (plan.trials[a.trial].question, plan.trials[a.trial].system)
                == (question, "tts")
            ])
            for name in ("Ann", "Bo", "Chi", "Dag")
        ]  # fmt: skip
        row = result["systems"][question]["tts"]
        low, high = stats.t.interval(0.95, 3, np.mean(by_listener), stats.sem(by_listener))
        assert row["mean"] == pytest.approx(np.mean(by_listener)) and row["interval"] == pytest.approx(
            [low, high]
        )
        assert row["difference"]["interval"][1] < 0 and row["listeners"] == 4
    assert [person["n"] for person in result["listeners"]] == [len(plan.trials)] * 6 + [10]


def test_what_scoring_refuses(make_test, tmp_path, capsys) -> None:
    plan = make_test().plan
    with pytest.raises(SystemExit):
        main(["--test", str(tmp_path / "test")])
    assert "nobody has answered" in capsys.readouterr().err
    Store(tmp_path / "a.sqlite", plan).close()
    with pytest.raises(UserError, match="no answer to score yet"):
        summary(read_answers([tmp_path / "a.sqlite"], plan), plan)
    listen(plan, tmp_path / "a.sqlite", {"Ann": honest, "Bo": honest})
    answers = read_answers([tmp_path / "a.sqlite"], plan)
    with pytest.raises(UserError, match="every listener is left out"):
        summary(answers, plan, leave_out=["Ann", "Bo"])
    with pytest.raises(UserError, match="0 listeners are called so"):
        summary(answers, plan, leave_out=["Zoe"])
    with pytest.raises(UserError, match="no such system"):
        summary(answers, plan, against="best")
    trial = next(iter(plan.trials))
    row = {"trial": trial, "score": 3, "seconds": 1, "plays": 1, "revision": 1}
    person = {"id": "a" * 32, "name": "", "slot": 0}
    good = {"format": EXPORT, "test": plan.id, "listener": person, "answers": [row]}
    for wrong, message in [
        ("{", "neither a store nor JSON"),
        ("[]", "expected answers as the page saves them"),
        ({**good, "test": "other"}, "answers to test 'other'"),
        ({**good, "listener": None}, "listener"),
        ({**good, "answers": [{**row, "score": 7}]}, "score: expected a whole number from 1 to 5"),
        ({**good, "answers": ["x"]}, "is not of this test"),
        ({**good, "answers": None}, "a list of answers"),
    ]:
        (tmp_path / "x.json").write_text(wrong if isinstance(wrong, str) else json.dumps(wrong))
        with pytest.raises(UserError, match=message):
            read_answers([tmp_path / "x.json"], plan)
    with pytest.raises(UserError, match="cannot be read"):
        read_answers([tmp_path / "nothing.json"], plan)
