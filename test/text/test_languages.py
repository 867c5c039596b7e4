"""Which language it is, is known to ctap.text alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ctap
from ctap.errors import UserError
from ctap.text.languages import language_in, main, older, rules_for
from ctap.text.phones import PHONES
from ctap.text.rules import TextRules

ROOT = Path(ctap.__file__).parent
ANY_LANGUAGE = {"corpus", "language", "languages", "pauses", "pieces", "rules", "tokens", "units"}
NAMES = ("mandarin", "espeak", "english", "cmudict", "arpabet")
OF_ONE = ("pinyin", "hanzi", "sandhi", "spell_latin")
KNOWN = {
    "align/events.py": {"hanzi", "pinyin"},  # columns of a reference of words
    "align/textgrid.py": {"pinyin"},  # the tier of syllables, where the table of this name is
    "bin/prepare_text.py": {"sandhi", "spell_latin"},  # options, which are fields of TextRules
    "kaldi/corpus.py": {"pinyin"},  # tables have their names in Kaldi's directories, whatever the language
    "kaldi/tables.py": {"pinyin"},
    "models/onnx_export.py": {"pinyin"},  # a key that programs of others read
}
"""What of one language (OF_ONE) is named outside ctap.text, and why."""
LABELS = ("align/importing.py", "align/textgrid.py", "bin/import_durations.py")
"""Import alignments of others, whose labels are read by a table of Mandarin's (ctap.text.labels)."""


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path.parent.name != "text")


def code_of(path: Path) -> ast.Module:
    """The module without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            bare = (ast.Expr, ast.Constant)
            node.body = [
                x for x in node.body if not (isinstance(x, bare[0]) and isinstance(x.value, bare[1]))
            ]
    return tree


def words_of(node: ast.AST) -> list[str]:
    """Strings, and names of functions, parameters, variables and attributes."""
    found = [getattr(node, name, None) for name in ("value", "id", "arg", "attr", "name")]
    return [word for word in found if isinstance(word, str)]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_outside_names_a_language(path):
    where = str(path.relative_to(ROOT))
    known = KNOWN.get(where, set())
    met = set()
    for node in ast.walk(code_of(path)):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module and module.startswith("ctap.text."):
            allowed = ANY_LANGUAGE | ({"labels"} if where in LABELS else set())
            assert module.removeprefix("ctap.text.") in allowed, f"{where} imports {module}"
        for word in words_of(node):
            found = {name for name in (*NAMES, *OF_ONE) if name in word.lower()}
            met |= found
            assert found <= known and word != older().code, f"{where}:{node.lineno}: {word!r}"
    assert met == known, f"{where} no longer names {known - met}"


def test_the_recipe_names_one_only_as_its_default():
    stages = ROOT.parent / "egs" / "TEMPLATE" / "ctap1" / "stages"
    for path in stages.glob("*.sh"):
        lines = [
            line.partition(" #")[0] for line in path.read_text().splitlines() if not line.startswith("#")
        ]
        named = [line for line in lines if any(name in line for name in NAMES)]
        assert len(named) == (path.name == "0_data.sh"), named


def test_what_is_older_than_the_record_is_mandarin(tmp_path):
    language = language_in(tmp_path)
    assert language is older() and language.name == "mandarin"
    known = set(PHONES)
    assert language.phones == PHONES
    assert language.phone_tables == {"phones": known - {"sil", "sp"}, "aligned_phones": known}
    assert language.tokens.tokens[:4] == ("<pad>", "<blank>", "sil", "sp")


def test_mandarin_behind_the_interface():
    language = older()
    reading = language.read({"text": "你好，賠錢！"})
    assert (reading.text, reading.phones[:4]) == ("你好赔钱", ["n", "i3", "h", "ao3"]) or reading.notice
    assert language.starts(["n", "i3", "er2", "rr"]) == [True, False, True, False]
    assert (language.unit("m2"), language.unit_class("m0"), language.unit_class("ian")) == (
        "m0",
        "nasal",
        "vowel",
    )
    assert language.text_tokens("你好。") == ["你", "好"] and language.token_name == "character"
    assert language.syllables(["n", "i3", "sp", "h"]) == ["ni3", "h"]
    assert language.toneless(["ni3", "h"]) == ["ni", "h"]
    assert language.written_out("賠2000元。") == "赔两千元"
    assert [piece.joint for piece in language.to_pieces("你好。再见。", 100)] == ["sil", ""]
    with pytest.raises(UserError, match="unknown phone 'x9'"):
        language.phone_class("x9")


def test_what_can_not_be_named(tmp_path):
    with pytest.raises(UserError, match=r"--language klingon: expected one of mandarin, .*espeak:VOICE"):
        rules_for("klingon")
    TextRules(language="espeak:de", phones=(("a", "vowel"),)).save(tmp_path)
    with pytest.raises(UserError, match="is of espeak:de, not of mandarin"):
        rules_for("mandarin", phones_of=tmp_path)
    with pytest.raises(UserError, match="nope: no such directory; expected a model or data directory"):
        rules_for("espeak:de", phones_of=tmp_path / "nope")


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("espeak:DE", "espeak:de"),
        ("espeak:en-US", "espeak:en-us"),
        ("espeak:fr", "espeak:fr"),  # the file of fr-fr
        (" mandarin \t espeak:YUE", "mandarin espeak:yue"),
    ],
)
def test_a_name_is_recorded_as_it_is_listed(name, recorded):
    assert rules_for(name).language == recorded


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("espeak:gmw", "no voice 'gmw'"),  # a folder of the library's, with which it crashes
        ("espeak:ZH", "no voice 'ZH'; near it: cmn"),
        ("espeak:Japanese", "no voice 'Japanese'; near it: ja,"),
        ("mandarin english espeak:zz", "no voice 'zz'"),
        ("espeak:de espeak:DE", "expected one of"),
        ("", "--language : expected one of"),
    ],
)
def test_a_voice_must_be_a_listed_one(name, message):
    with pytest.raises(UserError, match=message):
        rules_for(name)


def test_a_recipe_is_told_the_name_that_is_recorded(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["languages", "english  espeak:DE"])
    main()
    assert capsys.readouterr().out == "english espeak:de\n"
    monkeypatch.setattr("sys.argv", ["languages", "mandrin"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.startswith("error: --language mandrin: expected one of mandarin")
