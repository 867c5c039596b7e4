"""The table that results open with: rows for what is there, floors and ceilings where they belong."""

from __future__ import annotations

import pytest

from ctap.bin.report import main
from ctap.metrics.results import TASKS, Metric, write_scores
from ctap.report.collect import collect
from ctap.report.headlines import HEADLINES, at_a_glance
from ctap.report.markdown import TITLES

META = {"seed": 7, "commit": "abc", "config": "c.yaml"}


def put(exp, name, task=None, file="scores.json", **metrics):
    write_scores(exp / name / file, name, metrics, META, task=task)


@pytest.fixture
def exp(tmp_path):
    put(tmp_path, "asr", phone_error_rate=Metric(
        0.134, 48, better="lower", interval=(0.113, 0.155), against={"nothing said": 1.0, "vocoded": 0.128}
    ), syllable_error_rate=Metric(0.3, 48))  # fmt: skip
    put(tmp_path, "judge", phone_error_rate=Metric(0.1, 48, better="lower", against={"nothing said": 1.0}))
    put(tmp_path, "tts_A", file="scores_recognition.json", phone_error_rate=Metric(
        0.219, 9, better="lower", against={"nothing said": 1.0, "recording": 0.106, "vocoded": 0.109}
    ))  # fmt: skip
    likeness = {"target's recordings": 0.938, "to the nearest other speaker": 0.766, "chance": 0.5}
    put(
        tmp_path,
        "tts_A",
        **{"speaker_similarity/target": Metric(0.907, 9, better="higher", against=likeness)},
    )
    put(tmp_path, "mine", "pretrain", speaker_probe=Metric(
        0.167, 24, better="lower", against={"chance": 0.042, "log-mel": 0.875}
    ))  # fmt: skip
    put(tmp_path, "align", **{"boundary_error/median": Metric(5.2, 248, "ms", "lower")})
    return tmp_path


def rows(exp):
    (section,) = at_a_glance(collect(exp))
    head, *body = section.rows
    return [dict(zip(head, row, strict=True)) for row in body]


def test_each_row_has_its_figure_its_floor_and_its_ceiling(exp):
    assert [tuple(row.values()) for row in rows(exp)] == [
        (
            "Durations: distance of phones' boundaries from the true ones, median ↓",
            "5.200 ms",
            "",
            "248",
            "",
            "",
        ),
        ("Judge: phones of recordings it hears wrong ↓", "0.100", "", "48", "nothing said 1.000", ""),
        (
            *("Representation: speakers a linear classifier tells by it ↓", "0.167", "", "24"),
            *("log-mel 0.875", "chance 0.042"),
        ),
        (
            *("Text to speech, A: phones a recogniser hears wrong ↓", "0.219", "", "9", "nothing said 1.000"),
            "recording 0.106, vocoded 0.109",
        ),
        (
            *("Text to speech, A: likeness of the voice to the target's (cosine) ↑", "0.907", "", "9"),
            *("to the nearest other speaker 0.766", "target's recordings 0.938"),
        ),
        (
            *("Speech recognition: phones recognised wrong ↓", "0.134", "0.113 to 0.155", "48"),
            *("nothing said 1.000", ""),
        ),
    ]


def test_both_pages_open_with_it(exp):
    main(["--expdir", str(exp), "--html", str(exp / "results.html")])
    text, page = (exp / "RESULTS.md").read_text(), (exp / "results.html").read_text()
    assert text.index("## At a glance") == text.index("## ")
    assert (
        text.index("| Speech recognition: ") < text.index("## Durations") < text.index("syllable_error_rate")
    )
    assert text.index("## Durations") < text.index(f"## {TITLES['judge']}") < text.index("## Pretraining")
    assert page.index("At a glance") < page.index("Speech recognition: phones") < page.index("<h2")
    assert '<td class="number value">0.219</td>' in page


def test_several_of_a_kind_are_told_apart_by_name(exp):
    put(exp, "other", "pretrain", phone_retrieval=Metric(0.9, 48, better="higher"))
    put(exp, "vc_A", **{"dnsmos/overall": Metric(3.1, 5, better="higher", against={"recording": 3.6})})
    found = {row["what"]: row for row in rows(exp)}
    assert "Representation, mine: speakers a linear classifier tells by it ↓" in found
    assert "Representation, other: speech frames whose nearest phone is right ↑" in found
    quality = found["Voice conversion, A: sound quality, predicted (DNSMOS, 1 to 5) ↑"]
    assert quality["ceiling"] == "recording 3.600" and quality["floor"] == ""
    # a training without scores is no second experiment
    (exp / "duration").mkdir()
    (exp / "duration" / "metrics.csv").write_text("step,loss\n1,2\n")
    assert rows(exp)[0]["what"].startswith("Durations: ")


def test_nothing_to_show_is_no_table(tmp_path):
    put(tmp_path, "asr", character_error_rate=Metric(0.9, 4))
    put(tmp_path, "else", "another heading", phone_error_rate=Metric(0.9, 4))
    assert at_a_glance(collect(tmp_path)) == []
    main(["--expdir", str(tmp_path), "--html", str(tmp_path / "results.html")])
    assert "glance" not in (tmp_path / "RESULTS.md").read_text() + (tmp_path / "results.html").read_text()


def test_headlines_are_of_tasks_that_results_know():
    assert {headline.task for headline in HEADLINES} == set(TASKS) == set(TITLES)
    assert len({(headline.task, headline.key) for headline in HEADLINES}) == len(HEADLINES)
