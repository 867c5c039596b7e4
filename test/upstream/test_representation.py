from __future__ import annotations

import dataclasses

import pytest

from ctap.errors import UserError
from ctap.upstream.representation import Representation, bits_per_second

CODEC = Representation(
    "codec", "facebook/encodec_24khz", "", "ab12", 24000, 320, 128, 8, 1024, {"bandwidth": 6.0}
)


def test_bits_of_known_systems():
    assert CODEC.bits_per_second == 6000  # EnCodec calls it 6 kbit/s
    assert bits_per_second(768, 50) == 768 * 32 * 50
    assert bits_per_second(768, 50, codebooks=1, codebook_size=512) == 450


def test_what_is_saved_is_read(tmp_path):
    CODEC.save(tmp_path / "upstream.json")
    assert Representation.load(tmp_path / "upstream.json") == CODEC


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": 1, "bits_per_second": 2}'])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UserError, match=r"x\.json: not a description"):
        Representation.load(tmp_path / "x.json")
    with pytest.raises(UserError, match="not a description"):
        Representation.load(tmp_path / "missing.json")


def test_differences_are_named_but_a_moved_model_is_the_same():
    CODEC.require_same(dataclasses.replace(CODEC, model="/elsewhere"), "here")
    with pytest.raises(UserError, match="here: another representation: codebooks is 4, expected 8"):
        CODEC.require_same(dataclasses.replace(CODEC, codebooks=4), "here")
