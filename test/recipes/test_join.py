"""Stage 0 of a recipe that another corpus joins."""

from __future__ import annotations

from ctap.files.tables import read_table
from ctap.kaldi.datadir import DataDir
from test import corruption
from test.recipes.conftest import Recipe


def test_another_corpus_is_trained_on_too(recipe, spoken, tmp_path):
    corruption.make_corpus(tmp_path / "corpus")
    other = Recipe(tmp_path / "other")
    other.run("--corpus", str(tmp_path / "corpus"), "--target_speakers", "none", "--stop_stage", "0")
    joined = other.path / "data/local/all"
    asked = ("--corpus", str(spoken), "--stop_stage", "0")
    recipe.run(*asked)
    alone = {name: DataDir(recipe.path / "data" / name) for name in ("train", "target_SSB7010_test")}
    before = {name: set(folder.utterances()) for name, folder in alone.items()}
    recipe.run(*asked, "--join", str(joined))
    train = DataDir(recipe.path / "data/train")
    theirs = set(DataDir(joined).utterances()) & set(train.utterances())
    assert theirs and before["train"] & set(train.utterances())
    assert all(train.table("phones")[utt] for utt in theirs)
    assert set(read_table(recipe.path / "data/target_SSB7010_test/text")) == before["target_SSB7010_test"]
    twice = recipe.run(*asked, "--join", f"{joined} {recipe.path}/data/local/all", check=False)
    assert twice.returncode != 0 and "is in " in twice.stdout + twice.stderr
