"""Table 1: averages over speakers against numpy, verdicts on made-up systems, the command's files."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from ctap.bin.table1 import table1
from ctap.errors import UserError
from ctap.metrics.intervals import bootstrap_mean, bootstrap_strata, interval_of_share
from ctap.metrics.provenance import collect_meta
from ctap.metrics.results import Metric, items, write_scores
from ctap.report.paper_table1 import CLAIMS, PAPER, ROWS, Contrast
from ctap.report.table1 import _summary, all_claims, judge, read_system

SPEAKERS = ("A", "B")


def system(folder, *, errors=0.2, similarity=0.8, accuracy=0.9, probe=0.3, n=40, seed=0):
    """Scores of one system whose utterances scatter around the given figures."""
    rng = np.random.default_rng(seed)

    def metric(mean, better, spread=0.02, weights=None):
        utts = [f"u{i}" for i in range(n)]
        below = np.ones(n) if weights is None else weights
        values = (mean + spread * rng.normal(size=n)) * below
        value = values.sum() / below.sum()
        own = items(utts, values, below)
        return Metric(value, n, better=better, interval=(value - 0.01, value + 0.01), items=own)

    meta = collect_meta(seed=1, config="x")
    for spk in SPEAKERS:
        for task in ("tts", "vc"):
            name = f"{task}_{spk}"
            heard = {"phone_error_rate": metric(errors, "lower", weights=rng.integers(5, 30, n))}
            write_scores(
                folder / name / "scores_recognition.json", f"table1/x/{name}", heard, meta, task=task
            )
            said = {
                "speaker_similarity/target": metric(similarity, "higher"),
                "speaker_similarity/target_recording": metric(similarity, "higher"),
                "speaker_similarity/source": metric(0.5, "lower"),
                "mel_cepstral_distortion": metric(5 * errors, "lower"),
            }
            write_scores(folder / name / "scores.json", f"table1/x/{name}", said, meta, task=task)
    asr = {"frame_accuracy": metric(accuracy, "higher"), "phone_error_rate": metric(1 - accuracy, "lower")}
    write_scores(folder / "asr" / "scores.json", "table1/x/asr", asr, meta, task="asr")
    told = Metric(
        probe, n, better="lower", items=items([f"u{i}" for i in range(n)], np.arange(n) < probe * n)
    )
    made = {"phone_probe": metric(probe, "higher"), "speaker_probe": told, "dimension": Metric(64, n)}
    write_scores(folder / "ctap" / "scores.json", "table1/x/ctap", made, meta, task="pretrain")
    return folder


def test_speakers_count_alike_whatever_their_utterances(tmp_path):
    folder = system(tmp_path / "x")
    meta = collect_meta(seed=1, config="x")
    few = Metric(0.9, 2, better="higher", items=items(["u0", "u1"], [0.8, 1.0]))
    write_scores(folder / "tts_A" / "scores.json", "x/tts_A", {"similarity": few}, meta, task="tts")
    many = Metric(0.1, 50, better="higher", items=items([f"u{i}" for i in range(50)], [0.1] * 50))
    write_scores(folder / "tts_B" / "scores.json", "x/tts_B", {"similarity": many}, meta, task="tts")
    found = read_system("ctap_paper", folder).get("tts", "similarity")
    assert found.interval.value == pytest.approx((0.9 + 0.1) / 2)
    assert (found.interval.low, found.interval.high) == (pytest.approx(0.45), pytest.approx(0.55))
    assert found.interval.n == 52
    assert set(found.items) >= {"A/u0", "A/u1", "B/u49"}


def test_a_share_that_is_1_of_every_speaker_is_not_certain_of_others(tmp_path):
    """Utterances drawn again would all be alike, and the interval would have no width."""
    meta, held = collect_meta(seed=1, config="x"), items([f"u{i}" for i in range(10)], [True] * 10)
    for spk in SPEAKERS:
        share = {"closer_to_target_than_source": Metric(1.0, 10, better="higher", items=held)}
        write_scores(tmp_path / f"vc_{spk}" / "scores.json", f"x/vc_{spk}", share, meta, task="vc")
    found = read_system("ctap_paper", tmp_path).get("vc", "closer_to_target_than_source").interval
    assert found == interval_of_share([[1] * 10] * 2) and found.low < 0.9


def test_one_stratum_is_the_usual_bootstrap():
    values = np.random.default_rng(3).normal(size=30)
    one = bootstrap_strata([[(v, 1.0) for v in values]], resamples=4000, seed=5)
    usual = bootstrap_mean(values, resamples=4000, seed=5)
    assert one == pytest.approx(usual, abs=1e-9)
    wider = bootstrap_strata([[(v, 1.0) for v in values]] * 4, resamples=4000)
    assert wider.value == pytest.approx(usual.value)
    # four independent speakers: the mean's deviation is half of one's
    assert (wider.high - wider.low) / (usual.high - usual.low) == pytest.approx(0.5, rel=0.08)
    assert np.isnan(bootstrap_strata([[(1.0, 1.0)], []]).value)


def test_an_experiment_that_was_moved_aside_does_not_count_and_none_counts_twice(tmp_path):
    folder = system(tmp_path / "x", errors=0.1)
    system(tmp_path / "old", errors=0.9)
    (tmp_path / "old" / "tts_A").rename(folder / "tts_A.old1")
    value = read_system("ctap_paper", folder).get("tts", "phone_error_rate").interval.value
    assert value == pytest.approx(0.1, abs=0.02)
    (folder / "tts_A.old1").rename(folder / "again")
    own = read_system("ctap_paper", folder, {"ctap", "asr", "tts_A", "tts_B", "vc_A", "vc_B"})
    assert own.get("tts", "phone_error_rate").interval.value == value
    with pytest.raises(UserError, match=r"tts_A: .* is in another file of .*x, too"):
        read_system("ctap_paper", folder)


def test_verdicts(tmp_path):
    good = read_system("ctap_paper", system(tmp_path / "a", errors=0.1, seed=1))
    bad = read_system("ctap_no_decoder", system(tmp_path / "b", errors=0.4, seed=2))
    same = read_system("ctap_mse_embed", system(tmp_path / "c", errors=0.1, seed=3))
    better = Contrast("ctap_paper", "ctap_no_decoder", "tts", "phone_error_rate")
    alike = Contrast("ctap_mse_embed", "ctap_paper", "tts", "phone_error_rate", alike=True)

    def figures(*systems):
        return [s.get("tts", "phone_error_rate") for s in systems]

    verdict, paired = judge(better, *figures(good, bad))
    assert verdict == "holds"
    assert paired.p_value < 0.001 and paired.speakers == len(SPEAKERS)
    assert judge(better, *figures(bad, good))[0] == "the opposite"
    assert judge(better, *figures(good, same))[0] in ("undecided",)
    assert judge(alike, *figures(same, good))[0] == "holds"
    assert judge(alike, *figures(bad, good))[0] == "the opposite: worse"
    # without utterances in common nothing is known of a difference, unless intervals tell it
    lone = replace(figures(bad)[0], items={})
    assert judge(alike, lone, figures(good)[0])[0] == "no paired test"
    assert judge(better, figures(good)[0], lone) == ("holds", None)
    # closer than the intervals' widths, but the same way in every utterance
    shifted = read_system("ctap_ours", system(tmp_path / "d", errors=0.1 + 0.004, seed=1))
    assert judge(better, *figures(good, shifted))[0] == "intervals overlap, but a paired test says better"


def test_claims_are_summed_up(tmp_path):
    rows = [
        read_system("ctap_paper", system(tmp_path / "a", errors=0.1, accuracy=0.8, probe=0.2, seed=1)),
        read_system("ctap_no_decoder", system(tmp_path / "b", errors=0.4, seed=2)),
        read_system("ctap_phoneme_decoder", system(tmp_path / "c", accuracy=0.7, seed=3)),
        read_system("logmel", system(tmp_path / "d", similarity=0.6, probe=0.9, seed=4)),
    ]
    outcome = {text[:3]: (summary, table) for text, summary, table in all_claims(rows)}
    assert len(outcome) == len(CLAIMS)
    assert outcome["(a)"][0] == "holds"
    assert outcome["(b)"][0].startswith("not tested")
    assert outcome["(c)"][0] == "does not hold: 2 of 2 figures say the opposite, 0 agree"
    assert outcome["(d)"][0].startswith("not tested")  # log-mel is no self-supervised system
    assert outcome["(e)"][0] == "holds"
    assert {row[0] for row in outcome["(e)"][1][1:]} == {
        "pretrain: speaker_probe ↓",
        "vc: speaker_similarity/target_recording and source ↑",
    }


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "undecided"], "holds in 1 of 2 figures, the others are undecided"),
        (["holds", "the opposite"], "does not hold: 1 of 2 figures say the opposite, 1 agree"),
        (["holds", "... a paired test says worse"], "does not hold: 1 of 2 figures say the opposite"),
        (["undecided", "no interval"], "undecided: no figure shows a difference beyond chance"),
    ],
)
def test_a_claim_holds_if_no_figure_speaks_against_it(verdicts, expected):
    found = _summary(verdicts)
    assert found == expected if expected == "holds" else found.startswith(expected)


def test_the_papers_figures_have_rows_and_known_columns():
    assert set(PAPER) <= set(ROWS)
    assert {len(row) for row in PAPER.values()} <= {4, 5, 9, 10}
    assert PAPER["ctap_paper"]["acc"] == 92.05
    assert PAPER["ground_truth"]["tts_msep"] == 78.9


def test_command_writes_table_and_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["table1"])
    named = [f"{name}={system(tmp_path / name, seed=i)}" for i, name in enumerate(("ctap_paper", "logmel"))]
    table1(named[::-1], tmp_path / "TABLE1.md", tmp_path / "TABLE1.html", skipped=["codec=no weights"])
    text = (tmp_path / "TABLE1.md").read_text()
    tts = text.partition("## Minimally-supervised TTS")[2].partition("\n## ")[0]
    assert tts.index("| CTAP |") < tts.index("| log-mel |")
    assert "| paper: MSEP |" in tts
    assert "98.2" in tts
    for claim in CLAIMS:
        assert f"## Claim {claim.text}" in text
    assert "| Codec | no weights |" in text
    page = (tmp_path / "TABLE1.html").read_text()
    assert "<title>Table 1</title>" in page
    assert "CTAP: tts_A" in page
    table1(named, tmp_path / "TABLE1.md", tmp_path / "a page" / "TABLE1.html")
    assert "[TABLE1.html](a%20page/TABLE1.html)" in (tmp_path / "TABLE1.md").read_text()
    assert "2 systems" in capsys.readouterr().out
    table1(named, tmp_path / "TABLE1.md", tmp_path / "TABLE1.html", parts=["ctap_paper=tts_A"])
    page = (tmp_path / "TABLE1.html").read_text()
    assert "CTAP: tts_A" in page and "CTAP: tts_B" not in page and "log-mel: tts_B" in page


def test_of_single_utterances_nothing_is_said_to_hold(tmp_path):
    folders = {"ctap_paper": 0.1, "ctap_no_decoder": 0.4}
    for seed, (name, errors) in enumerate(folders.items()):
        system(tmp_path / name, errors=errors, n=1, seed=seed)
    good, bad = (read_system(name, tmp_path / name) for name in folders)
    for alike in (False, True):
        test = Contrast("ctap_paper", "ctap_no_decoder", "tts", "phone_error_rate", alike=alike)
        verdict, _ = judge(test, *(s.get("tts", "phone_error_rate") for s in (good, bad)))
        assert verdict == "no interval"
    named = [f"{name}={tmp_path / name}" for name in folders]
    table1(named, tmp_path / "TABLE1.md", tmp_path / "TABLE1.html")
    assert (
        f"| {good.get('tts', 'phone_error_rate').interval.value:.3f} |"
        in (tmp_path / "TABLE1.md").read_text()
    )


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match="nonsense: no row of the table; there are codec"):
        read_system("nonsense", tmp_path)
    with pytest.raises(UserError, match=r"no scores .*run stage 7"):
        read_system("codec", tmp_path)
    with pytest.raises(UserError, match="--systems codec: expected label=directory"):
        table1(["codec"], tmp_path / "t.md")
    with pytest.raises(UserError, match="--systems codec=b: codec is a already"):
        table1(["codec=a", "codec=b"], tmp_path / "t.md")
    with pytest.raises(UserError, match="--systems =b: expected label=directory"):
        table1(["=b"], tmp_path / "t.md")
    with pytest.raises(UserError, match="--parts codec: expected label=name"):
        table1(["codec=a"], tmp_path / "t.md", parts=["codec"])
    with pytest.raises(UserError, match="--skipped codec: expected name=reason"):
        table1(["logmel=a"], tmp_path / "t.md", skipped=["codec"])
    with pytest.raises(UserError, match="--skipped codec=old: codec is gone already"):
        table1(["logmel=a"], tmp_path / "t.md", skipped=["codec=gone", "codec=old"])
    folder = system(tmp_path / "x")
    content = json.loads((folder / "asr" / "scores.json").read_text())
    del content["meta"]["seed"]
    (folder / "asr" / "scores.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="seed"):
        read_system("codec", folder)


def test_representations_are_compared_in_pairs_whatever_their_experiments_are_called(tmp_path):
    """A row that stages 3 to 6 made is called by its configuration there, others by their row."""
    ours, other = system(tmp_path / "a", probe=0.5), system(tmp_path / "b", probe=0.3)
    path = ours / "ctap" / "scores.json"
    path.write_text(path.read_text().replace("table1/x/ctap", "ctap_mini"))
    a, b = (read_system(name, folder) for name, folder in (("ctap_paper", ours), ("logmel", other)))
    verdict, found = judge(
        Contrast("ctap_paper", "logmel", "pretrain", "phone_probe"),
        *(row.get("pretrain", "phone_probe") for row in (a, b)),
    )
    assert found is not None and found.p_value < 0.01 and verdict == "holds"
    # a second pretraining's scores in one folder are not averaged in, but refused
    (ours / "left_over").mkdir()
    (ours / "left_over" / "scores.json").write_text(path.read_text().replace("ctap_mini", "ctap_rotary"))
    with pytest.raises(UserError, match="is in another file of"):
        read_system("ctap_paper", ours)
