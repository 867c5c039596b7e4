"""How the texts of a corpus are read, recorded."""

import pytest

from ctap.errors import UserError
from ctap.text.rules import TextRules, common_rules


def test_saved_and_read(tmp_path):
    assert TextRules.load(tmp_path) == TextRules("mandarin", False, "wetext")  # of before there was a file
    TextRules(sandhi=True, spell_latin=True).save(tmp_path)
    assert TextRules.load(tmp_path) == TextRules(sandhi=True, spell_latin=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "can't read"),
        ("[]", "expected the keys language, normalization, phone_map, phones, sandhi, spell_latin"),
        ('{"tones": 5}', "tones"),
        ('{"language": "klingon"}', 'language "klingon": this version knows mandarin, english'),
        ('{"sandhi": "yes"}', 'sandhi "yes": this version knows true, false'),
    ],
)
def test_what_is_not_known_is_refused(tmp_path, content, message):
    (tmp_path / "text.json").write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        TextRules.load(tmp_path)
    assert str(tmp_path / "text.json") in str(caught.value)


def test_directories_must_be_read_alike(tmp_path):
    for name, sandhi in (("a", True), ("b", True), ("c", False)):
        TextRules(sandhi=sandhi).save(tmp_path / name)
    assert common_rules([tmp_path / "a", tmp_path / "b"]).sandhi
    with pytest.raises(UserError, match=r"c/text\.json: .* than that of .*a: sandhi false, not true"):
        common_rules([tmp_path / "a", tmp_path / "c"])
