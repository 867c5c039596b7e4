"""Corpora of OpenSLR are fetched from there, or from another server with the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.recipes.readers import fetched

PLACES = {
    "aishell1": ["33/data_aishell.tgz", "33/resource_aishell.tgz"],
    "aishell3": ["93/data_aishell3.tgz"],
    "libritts": ["60/dev-clean.tar.gz", "60/test-clean.tar.gz", "60/train-clean-100.tar.gz"],
    "primewords": ["47/primewords_md_2018_set1.tar.gz"],
    "thchs30": ["18/data_thchs30.tgz"],
}
"""Of what a recipe fetches, at any of the servers."""


@pytest.mark.parametrize("recipe", PLACES)
def test_every_archive_comes_from_the_mirror(recipe: str, tmp_path: Path) -> None:
    for words, mirror in (
        ([], "https://www.openslr.org/resources"),
        (["--mirror", "https://a/b"], "https://a/b"),
    ):
        folder = tmp_path / str(len(words))
        folder.mkdir()
        archives = fetched(recipe, folder, *words)
        assert [archive["--url"] for archive in archives] == PLACES[recipe]
        assert {archive["--mirror"] for archive in archives} == {mirror}


def test_an_address_of_the_archive_itself_stays_possible(tmp_path: Path) -> None:
    (archive,) = fetched("aishell3", tmp_path, "--url", "https://a/data_aishell3.tgz")
    assert archive["--url"] == "https://a/data_aishell3.tgz"
