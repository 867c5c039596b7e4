"""Stage 7 on a tiny corpus: rows of every kind that needs no weights, one that is left out, a second run."""

import json

import pytest

from ctap.report.paper_table1 import ROWS


@pytest.mark.slow
def test_compared_systems_side_by_side(recipe, spoken):
    systems = ("--systems", "codec ctap_no_decoder ctap_paper logmel", "--codec_model", "/nowhere/codec")
    systems += ("--table1_jobs", "2")
    done = recipe.run("--corpus", str(spoken), "--stop_stage", "7", *systems)
    exp = recipe.path / "exp"
    text = (exp / "TABLE1.md").read_text()
    for title in (
        "CTAP (ground truth)",
        "CTAP w/o decoder",
        "CTAP",
        "log-mel",
        "recording",
        "recording, vocoded",
    ):
        assert f"| {title} |" in text
    left_out = text.partition("## Left out")[2]
    assert "| Codec | " in left_out
    assert "stage 7: codec is left out" in done.stdout
    for claim in "abcde":
        assert f"## Claim ({claim})" in text
    for row, parts in {
        "ctap_no_decoder": {
            "ctap",
            "acoustic",
            "asr",
            "vc_SSB7010",
            "tts_SSB7010",
            "representation",
            "lists",
        },
        "logmel": {"acoustic", "semantic", "asr", "vc_SSB7010", "tts_SSB7010", "representation", "lists"},
    }.items():
        assert {p.name for p in (exp / "table1" / row).iterdir()} >= parts - {"lists"}
    assert not (exp / "table1" / "ctap_paper" / "ctap").exists()  # the recipe's own pretraining
    own = json.loads((exp / "table1" / "logmel" / "representation" / "scores.json").read_text())["metrics"]
    assert own["dimension"]["value"] == 40
    assert own["bits_per_second"]["value"] == 40 * 32 * 100
    said = json.loads((exp / "table1" / "recording" / "tts_SSB7010" / "scores.json").read_text())["metrics"]
    assert said["msep"]["value"] == 0
    assert "<audio" in (exp / "TABLE1.html").read_text()
    results = (exp / "RESULTS.md").read_text()
    assert "table1" not in results.replace("--skip table1", "")  # which is in the command that wrote it

    again = recipe.run("--corpus", str(spoken), "--stage", "7", "--stop_stage", "7", *systems)
    assert ": done in" not in again.stdout

    wrong = recipe.run("--stage", "7", "--stop_stage", "7", "--systems", "ctap_papre", check=False)
    assert wrong.returncode == 2
    assert "'ctap_papre' is no row of the table" in wrong.stderr


@pytest.mark.slow
def test_systems_of_other_models(recipe, spoken, models):
    """Rows 1 to 4 from tiny models, loaded, dumped and trained on as downloaded ones would be."""
    systems = ("codec", "wav2vec2", "hubert", "whisper")
    weights = [word for name in systems for word in (f"--{name}_model", str(models / name))]
    sizes = ("--codec_bandwidth", "1.2", "--hubert_layer", "2", "--hubert_clusters", "12")
    recipe.run("--corpus", str(spoken), "--stop_stage", "7", "--systems", " ".join(systems), *weights, *sizes)
    exp = recipe.path / "exp"
    text = (exp / "TABLE1.md").read_text()
    assert "## Left out" not in text
    for name, dimension in {"codec": 8, "wav2vec2": 8, "hubert": 16, "whisper": 16}.items():
        assert f"| {ROWS[name]} |" in text
        own = json.loads((exp / "table1" / name / "representation" / "scores.json").read_text())["metrics"]
        assert own["dimension"]["value"] == dimension
        for task in ("tts", "vc"):
            assert (exp / "table1" / name / f"{task}_SSB7010" / "scores_recognition.json").exists()
