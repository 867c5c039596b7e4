"""Options that are wrong end a recipe before its first stage, with their name and value."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from test.recipes.conftest import ROOT, Recipe

CONFIG = "no such file or directory; expected a configuration"
WRONG = {
    "--skip_stages 0,x": "--skip_stages 0,x: 'x' is no stage; expected some of -1 to 8",
    "--tag judge": "--tag judge: the recipe makes exp/judge itself; take another name",
    "--tag vc_SSB7010": "--tag vc_SSB7010: the recipe makes exp/vc_SSB7010 itself",
    "--pretrained nope": "--pretrained nope: ctap/model is not there; expected exp of a recipe",
    "--skip_stages 9": "--skip_stages 9: '9' is no stage",
    "--units 1e3": "--units 1e3: expected a whole number",
    "--align_pictures 0.5": "--align_pictures 0.5: expected a whole number",
    "--table1_jobs 0": "--table1_jobs 0: expected 1 or more",
    "--ngpu -1": "--ngpu -1: expected 0 or more",
    "--seed -1": "--seed -1: expected 0 or more",
    "--eval_utts 0": "--eval_utts 0: expected 1 or more",
    "--max_refs 2.5": "--max_refs 2.5: expected a whole number",
    "--stage 7": "--stage 7: nothing to do, --stop_stage is 6; for this stage alone add --stop_stage 7",
    "--datadir=": "--datadir '': expected a directory",
    "--dumpdir=": "--dumpdir '': expected a directory",
    "--pretrain_on all": "--pretrain_on all: expected one of train, labeled",
    "--duration_model difusion": "--duration_model difusion: expected one of diffusion, deterministic",
    "--melody sorce": "--melody sorce: expected one of model, source",
    "--drop_outliers dubtful": "--drop_outliers dubtful: expected one of none, doubtful, all",
    "--transcriber whisper": "--transcriber whisper: expected KIND:MODEL, where KIND is",
    "--stop_stage 7 --systems ctap_papr": "--systems ctap_papr: 'ctap_papr' is no row of the table",
    "--corpus nope": "--corpus nope: no such file or directory; expected the directory of the corpus",
    "--vocoder grifin_lim": "--vocoder grifin_lim: no such file or directory; expected pretrained,",
    "--phones_of exp/nope/model": "--phones_of exp/nope/model: no such file or directory",
    "--phone_map nope": "--phone_map nope: no such file or directory",
    "--language custom:nope.json": "--language custom:nope.json: no such file",
    "--language mandrin": "--language mandrin: expected one of mandarin, english,",
    "--languages english,mandarin": "--language english,mandarin: expected one of",
    "--language espeak:swa": "eSpeak NG has no voice 'swa'; near it: sw",
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


def test_variables_of_the_environment_are_no_options(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("docker_args", "it's")
    done = recipe.run("--phone_map", "nope", check=False)  # which is looked at after the words of options
    assert "docker_args" not in done.stderr and "error: --phone_map nope" in done.stderr


def test_nothing_is_written_to_the_root_in_place_of_a_directory_without_name(recipe: Recipe) -> None:
    done = recipe.run("--expdir", "", "--stage", "5", "--stop_stage", "5", check=False)
    assert done.returncode == 1 and "error: --expdir '': expected a directory" in done.stderr
    assert not Path("/.done").exists()


def test_the_vocoders_recipe_refuses_them_too(recipe: Recipe) -> None:
    (recipe.path / "voc.sh").symlink_to(ROOT / "egs" / "TEMPLATE" / "voc1" / "voc.sh")
    for words, error in (
        ("--ngpu -1", WRONG["--ngpu -1"]),
        ("--stage 6", "--stage 6: nothing to do, --stop_stage is 5"),
    ):
        done = subprocess.run(["./voc.sh", *words.split()], cwd=recipe.path, capture_output=True, text=True)
        assert done.returncode == 1 and f"error: {error}" in done.stderr


@pytest.mark.parametrize("stage", ["1", "2", "8"])
def test_a_stage_without_data_says_which_one_makes_them(recipe: Recipe, stage: str) -> None:
    """Once stage 2 asked for what it makes itself, behind an error of cat."""
    done = recipe.run("--stage", stage, "--stop_stage", stage, check=False)
    assert done.returncode == 1 and "cat:" not in done.stderr
    assert f"error: stage {stage}: data/target_speakers does not exist; run stage 0 first" in done.stderr


def test_conversion_asks_for_the_pretraining_before_it_trains_a_judge(recipe: Recipe) -> None:
    (recipe.path / "data").mkdir()
    (recipe.path / "data" / "target_speakers").write_text("")
    asked = ("--stage", "5", "--stop_stage", "5", "--tag", "typo")
    done = recipe.run(*asked, check=False)
    assert (
        done.returncode == 1 and "stage 5: there is no test set, on which stages 3 to 6 score" in done.stderr
    )
    (recipe.path / "data" / "test").mkdir()
    (recipe.path / "data" / "test" / "wav.scp").write_text("a a.wav\n")
    done = recipe.run(*asked, check=False)
    message = "stage 5: exp/typo/model does not exist; run stage 3 first, or name its --tag"
    assert done.returncode == 1 and message in done.stderr


def test_a_slash_behind_a_directory_makes_no_other_one(recipe: Recipe) -> None:
    """Else a step whose command names it, a training say, would be done again."""
    done = recipe.run("--stage", "1", "--stop_stage", "1", "--datadir", "data//", check=False)
    assert "error: stage 1: data/target_speakers does not exist" in done.stderr
    done = recipe.run("--stop_stage", "0", "--corpus", "nothing/", check=False)
    assert "error: --corpus nothing: no such file" in done.stderr


@pytest.mark.parametrize("skipped", ["0,1", "0, 1", " 1 0 ", "0\n1"])
def test_stages_are_skipped_however_they_are_listed(recipe: Recipe, tmp_path: Path, skipped: str) -> None:
    """What no stage reads that is asked for need not be there."""
    nowhere = ("--phones_of", "nope", "--vocoder", "nope", "--train_config", "nope.yaml")
    done = recipe.run("--skip_stages", skipped, "--stop_stage", "1", *nowhere)
    assert "stage" not in done.stdout
