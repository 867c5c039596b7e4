"""Options that are wrong end a recipe before its first stage, with their name and value."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.recipes.conftest import Recipe

CONFIG = "no such file or directory; expected a configuration"
WRONG = {
    "--skip_stages 0,x": "--skip_stages 0,x: 'x' is no stage; expected some of -1 to 8",
    "--skip_stages 9": "--skip_stages 9: '9' is no stage",
    "--units 1e3": "--units 1e3: expected a whole number",
    "--align_pictures 0.5": "--align_pictures 0.5: expected a whole number",
    "--table1_jobs 0": "--table1_jobs 0: expected 1 or more",
    "--vocoder grifin_lim": "--vocoder grifin_lim: no such file or directory; expected pretrained,",
    "--phones_of exp/nope/model": "--phones_of exp/nope/model: no such file or directory",
    "--phone_map nope": "--phone_map nope: no such file or directory",
    "--language custom:nope.json": "--language custom:nope.json: no such file",
    "--aligner_model nope": "--aligner_model nope: no such file or directory",
    "--durations nope": "--durations nope: no such file or directory",
    "--durations . --label_table nope": "--label_table nope: no such file or directory",
    "--audio_config nope.yaml": f"--audio_config nope.yaml: {CONFIG}",
    "--train_config conf/ctap_minni.yaml": f"--train_config conf/ctap_minni.yaml: {CONFIG}",
    "--duration_adapt_config nope.yaml": f"--duration_adapt_config nope.yaml: {CONFIG}",
    "--asr_config nope.yaml": f"--asr_config nope.yaml: {CONFIG}",
    "--stop_stage 7 --systems ctap_ours --ours_config nope.yaml": f"--ours_config nope.yaml: {CONFIG}",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_option_is_named(recipe: Recipe, words: str) -> None:
    done = recipe.run(*words.split(), check=False)
    assert done.returncode in (1, 2) and f"error: {WRONG[words]}" in done.stderr
    assert "stage -1" not in done.stdout and "stage 0" not in done.stdout


@pytest.mark.parametrize("skipped", ["0,1", "0, 1", " 1 0 ", "0\n1"])
def test_stages_are_skipped_however_they_are_listed(recipe: Recipe, tmp_path: Path, skipped: str) -> None:
    """What no stage reads that is asked for need not be there."""
    nowhere = ("--phones_of", "nope", "--vocoder", "nope", "--train_config", "nope.yaml")
    done = recipe.run("--skip_stages", skipped, "--stop_stage", "1", *nowhere)
    assert "stage" not in done.stdout
