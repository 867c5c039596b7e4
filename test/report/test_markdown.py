"""RESULTS.md and results.html: every figure with its company, every link alive, nothing lost silently."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from ctap.bin.report import main
from ctap.errors import UserError
from ctap.listening.table import FORMAT
from ctap.metrics.results import Metric, write_scores
from ctap.report.collect import collect
from ctap.report.markdown import figure

META = {
    "seed": 7, "commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True,
    "config": "conf/mini.yaml", "command": "./run.sh --stage 4", "versions": {"torch": "2.13.0"},
}  # fmt: skip
TEXT = "你好 <b>&世界"


class Page(HTMLParser):
    """Collects tags, addresses and text, and checks that tags are closed in order."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.text, self.counts, self.ids = [], [], [], {}, []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        for key, value in attributes:
            if key in ("src", "href"):
                self.addresses.append(value)
            if key == "id":
                self.ids.append(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def expdir(tmp_path):
    exp = tmp_path / "exp"
    for speaker, value in (("SSB 9003", 98.25), ("SSB9004", 120.5)):
        folder = exp / f"tts_{speaker}"
        write_scores(
            folder / "scores.json", f"tts_{speaker}",
            {"msep": Metric(value, n=41, unit="Hz^2", better="lower", interval=(80.0, 117.0),
                            against={"vocoded recording": 41.5})},
            META,
        )  # fmt: skip
        (folder / "wav").mkdir()
        samples = []
        for role in ("tts", "recording"):
            soundfile.write(folder / "wav" / f"{role} 1#.wav", np.zeros(240), 24000)
            samples.append({"utt": "u1", "text": TEXT, "role": role, "wav": f"wav/{role} 1#.wav"})
        (folder / "samples.json").write_text(json.dumps(samples))
    write_scores(
        exp / "asr" / "scores.json", "asr", {"frame_accuracy": Metric(0.875, n=9, better="higher")}, META
    )
    write_scores(exp / "asr" / "scores_tts.json", "asr", {"phone_error_rate": Metric(0.125, n=8)}, META)
    images = exp / "asr" / "images"
    images.mkdir()
    for name in ("one.png", "two.png"):
        (images / name).write_bytes(b"\x89PNG")
    (images / "captions.json").write_text(json.dumps({"one.png": "The first"}))
    (exp / "tts_SSB9004" / "speaker_similarity.tsv").write_text("utterance\tA\nu1\t0.5\n")
    (exp / "asr" / "metrics.csv").write_text("step,train/loss\n1,2\n2,1\n")
    return exp


def test_markdown_has_every_figure_and_its_company(expdir, capsys):
    main(["--expdir", str(expdir)])
    text = (expdir / "RESULTS.md").read_text()
    assert "| msep (Hz^2) ↓ | 98.25 | 80.00 to 117.0 | 41 | vocoded recording 41.50 |" in text
    assert "| msep (Hz^2) ↓ | 98.25 (n = 41) | 120.5 (n = 41) |" in text
    assert text.index("## Text to speech") < text.index("## Speech recognition")
    assert "| frame_accuracy ↑ | 0.875 | 9 |" in text and "| phone_error_rate | 0.125 | 8 |" in text
    for word in (
        "seed: `7`",
        "0123456789ab with local changes",
        "conf/mini.yaml",
        "./run.sh --stage 4",
        "The first",
    ):
        assert word in text
    assert "Left out" not in text
    assert "3 experiments, 4 figures, 3 pictures, 4 sounds" in capsys.readouterr().out


def test_every_link_leads_somewhere(expdir):
    main(["--expdir", str(expdir), "--html", str(expdir / "results.html")])
    page = Page((expdir / "results.html").read_text())
    assert (
        page.counts["audio"] == 4 + 4 and page.counts["img"] == 3
    )  # what is heard first is heard again below
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.ids
        else:
            assert (expdir / unquote(address)).is_file(), address
    assert "script" not in page.counts and not any("//" in address for address in page.addresses)
    text = "".join(page.text)
    assert TEXT in text  # escaped, not swallowed as a tag
    assert (
        "98.25" in text
        and "80.00 to 117.0" in text
        and "The first" in text
        and "prefers-color-scheme" in text
    )
    raw = (expdir / "results.html").read_text()
    assert (
        raw.index("<audio") < raw.index("<table") < raw.index("<img")
    )  # sounds and one table, then the rest
    markdown = (expdir / "RESULTS.md").read_text()
    assert "(RESULTS_files/asr_curves.png)" in markdown
    assert "tts_SSB9004/speaker_similarity.tsv" in page.addresses
    assert markdown.index("### tts_SSB9004") < markdown.index("(tts_SSB9004/speaker_similarity.tsv)")
    assert (expdir / "RESULTS_files" / "asr_curves.png").read_bytes().startswith(b"\x89PNG")


def test_pages_elsewhere_and_embedded(expdir, tmp_path):
    out = tmp_path / "docs" / "deep"
    out.mkdir(parents=True)
    main(["--expdir", str(expdir), "--out", str(out / "R.md"), "--html", str(out / "r.html")])
    for address in Page((out / "r.html").read_text()).addresses:
        assert address.startswith("#") or (out / unquote(address)).is_file(), address
    main(["--expdir", str(expdir), "--out", str(out / "R.md"), "--html", str(out / "r.html"), "--embed"])
    page = Page((out / "r.html").read_text())
    assert all(
        address.startswith(("#", "data:image/png;base64,", "data:audio/", "data:text/tab-separated-values;"))
        for address in page.addresses
    )


def test_what_can_not_be_shown_is_named(expdir, capsys):
    (expdir / "vc").mkdir()
    (expdir / "vc" / "scores.json").write_text("{}")
    samples = [
        {"utt": "u9", "role": "vc", "wav": "gone.wav"},
        {"utt": "u8"},
        {"utt": "u7", "role": "vc", "wav": 5},
        {"utt": "u6", "role": "vc", "wav": "../tts_SSB9004/wav/tts 1#.wav", "mel_png": "u6.png"},
    ]
    (expdir / "asr" / "samples.json").write_text(json.dumps(samples))
    (expdir / "asr" / "images" / "captions.json").write_text(json.dumps({"three.png": "?"}))
    (expdir / "asr" / "metrics.csv").write_text("a,b\n")
    main(["--expdir", str(expdir), "--html", str(expdir / "results.html")])
    said = capsys.readouterr().err
    for page in (said, (expdir / "RESULTS.md").read_text(), (expdir / "results.html").read_text()):
        for word in (
            "vc/scores.json",
            "gone.wav",
            "sample 1: needs utt",
            "sample 2: needs utt",
            "u6.png",
            "three.png",
            "no column",
        ):
            assert word in page
    assert "7 left out" in said
    heard = {sample.utt: sample.mel for e in collect(expdir).experiments for sample in e.samples}
    assert heard["u6"] is None


def test_curves_of_each_experiment_are_its_own(expdir):
    """The second log of one has a name that another may have, too; dollars are no formula."""
    from ctap.report.markdown import draw_curves

    for name in ("asr/more", "asr_2", "$5 and $6_", "5_and_6_"):
        (expdir / name).mkdir(parents=True)
        (expdir / name / "metrics.csv").write_text("step,train/loss\n1,1\n2,0.5\n")
    found = collect(expdir)
    draw_curves(found, expdir / "x")
    drawn = [p.path for e in found.experiments for p in e.pictures if p.path.name.endswith("_curves.png")]
    assert len(drawn) == len(set(drawn)) >= 5 and all(path.exists() for path in drawn)


def test_sounds_without_scores_still_show(tmp_path):
    folder = tmp_path / "demo" / "out"
    folder.mkdir(parents=True)
    soundfile.write(folder / "a.wav", np.zeros(240), 24000)
    (folder / "samples.json").write_text(json.dumps([{"utt": "a", "role": "tts", "wav": "a.wav"}]))
    assert [e.name for e in collect(tmp_path).experiments] == ["demo"]
    (tmp_path / "demo").rename(tmp_path / "demo.old1")
    assert collect(tmp_path).experiments == []  # a later training took its place


def test_what_is_to_be_left_out_is_left_out_right_below_alone(expdir, capsys):
    for name in ("table1/row", "asr/table1", ".done/row"):
        scores = {"phone_error_rate": Metric(0.5, n=8)}
        write_scores(expdir / name / "scores.json", name.replace("/", "_"), scores, META, task="asr")
    main(["--expdir", str(expdir), "--skip", "table1", "tts_SSB9004"])
    assert "3 experiments" in capsys.readouterr().out
    text = (expdir / "RESULTS.md").read_text()
    assert "asr_table1" in text and "table1_row" not in text and "| tts_SSB9004" not in text


def test_scores_of_a_listening_test_are_no_fault(expdir):
    (expdir / "mos").mkdir()
    mos = {"format": FORMAT, "questions": {}}
    (expdir / "mos" / "scores.json").write_text(json.dumps(mos))
    assert not collect(expdir).problems
    (expdir / "mos" / "scores.json").write_text(json.dumps(mos | {"format": "another"}))
    assert "not a file of scores" in collect(expdir).problems[0]


def test_experiments_behind_links_are_shown_once(expdir, tmp_path):
    """On a larger disk, from a directory beside, and links that lead back."""
    big = tmp_path / "big"
    (expdir / "asr").rename(big)
    (expdir / "asr").symlink_to(big)
    (expdir / "a_link").symlink_to("tts_SSB9004")
    (expdir / "tts_SSB9004" / "again").symlink_to(expdir)
    (big / "round").symlink_to(big)
    (expdir / "gone").symlink_to(tmp_path / "nowhere")
    (expdir / "asr.old1").symlink_to(tmp_path)
    found = collect(expdir)
    counts = {e.name: (len(e.scores), len(e.samples), len(e.logs)) for e in found.experiments}
    assert counts == {"tts_SSB 9003": (1, 2, 0), "tts_SSB9004": (1, 2, 0), "asr": (2, 0, 1)}
    assert all("a_link" not in str(sample.wav) for e in found.experiments for sample in e.samples)
    assert not found.problems
    main(["--expdir", str(expdir), "--html", str(expdir / "results.html")])
    for address in Page((expdir / "results.html").read_text()).addresses:
        assert address.startswith("#") or (expdir / unquote(address)).is_file(), address


def test_no_directory_and_nothing_in_it(tmp_path, capsys):
    with pytest.raises(UserError, match="no such directory"):
        collect(tmp_path / "none")
    with pytest.raises(SystemExit):
        main(["--expdir", str(tmp_path / "none")])
    assert capsys.readouterr().err.startswith("error: ")
    main(["--expdir", str(tmp_path)])
    assert "No scores yet" in (tmp_path / "RESULTS.md").read_text()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (0.91234, "0.912"), (-0.5, "-0.500"), (0.00042, "0.00042"), (12.345, "12.35"),
     (123.45, "123.5"), (12345.6, "12346"), (float("nan"), "undefined")],
)  # fmt: skip
def test_figures_as_they_are_printed(value, text):
    assert figure(value) == text


def test_links_to_the_tasks_are_short_enough_to_stand_side_by_side(tmp_path):
    write_scores(tmp_path / "judge" / "scores.json", "judge", {"x": Metric(1.0, 2)}, META, task="judge")
    main(["--expdir", str(tmp_path), "--html", str(tmp_path / "results.html")])
    page = (tmp_path / "results.html").read_text()
    assert '<a href="#judge">Judge</a>' in page
    assert '<h2 id="judge">Judge: the recogniser' in page
