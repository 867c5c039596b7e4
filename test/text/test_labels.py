"""Labels of other aligners: pinyin in its spellings, public lexicons, IPA, and a user's table."""

from dataclasses import replace

import pytest

from ctap.errors import UserError
from ctap.text.labels import BUILT_IN, LabelTable, match_labels, parts, unmapped, unread
from ctap.text.languages import language_of, rules_for
from ctap.text.pinyin import ZERO_INITIAL, syllable_to_phones


@pytest.mark.parametrize(
    ("labels", "phones", "counts"),
    [
        ("x aw˨˩˦ tʲ e˥˩ n", "h ao3 d ian4", [1, 1, 1, 2]),  # glide heard as the colour of t
        ("tɕ j ow˥ ʈʂ ʐ̩˥", "j iou1 zh iii1", [1, 2, 1, 1]),
        ("kʷ ej˥˩ ɥ e˥˩", "g uei4 ve4", [1, 1, 2]),
        ("n i3 l ve4 j ü4 s i4", "n i3 l ve4 j v4 s ii4", [1] * 8),
        ("n iu2 g ui4 ch un1", "n iou2 g uei4 ch uen1", [1] * 6),
        ("m a5 m a0", "m a5 m a5", [1] * 4),
        ("n i2 m i3", "n i3 m i3", [1] * 4),  # dictionaries differ in tones: sandhi
        ("n i3 h", "n i3", None),
    ],
)
def test_labels_to_phones(labels, phones, counts):
    assert match_labels(labels.split(), phones.split()) == counts


def test_unmapped_lists_only_strangers():
    assert unmapped(["", "sil", "n", "AO3", "tɕʰ", "a˥˩", "ü3", "ʘ", "qq"]) == ["qq", "ʘ"]


@pytest.mark.parametrize(
    ("labels", "phones"),
    [
        # the forms of the lexicon that most public alignments of AISHELL-3 use
        ("w uo3 m en5 y i1", "uo3 m en5 i1"),
        ("y i1 sh iii2 e4 rr", "i1 sh iii2 er4"),
        ("h ua1 er5", "h ua1 rr"),
        ("n v3 h ai2 rr", "n v3 h ai2 rr"),
        ("e4 rr l ai2", "er4 l ai2"),
        ("er2 z ii5", "er2 z ii5"),
        ("w uen1 d u4", "uen1 d u4"),
        ("w uen1 w eng1", "ueng1 ueng1"),
        ("y ve1 ao4 y vn4 h uei4", "ve1 ao4 vn4 h uei4"),
        ("y ou3 y iou3 y o5", "iou3 iou3 io5"),
        ("w an4 y uan2 y u3 y ong4", "uan4 van2 v3 iong4"),
        ("W UO3 Y I1", "uo3 i1"),
    ],
)
def test_labels_of_public_lexicons(labels, phones):
    counts = match_labels(labels.split(), phones.split())
    assert counts is not None and sum(counts) == len(labels.split())


def test_a_final_and_its_erhua_in_one_label():
    for label, expected in (("uanr1", ("uan1", "rr")), ("AR4", ("a4", "rr")), ("iiir", ("iii", "rr"))):
        assert parts(label) == expected
    for label in ("er2", "r", "rr", "zhr4", "ɻ", "sp1", "uan1"):  # phones, and what is none
        assert parts(label) == (label,)
    assert parts("ar4", LabelTable({"uo4": (("ar4",),)})) == ("ar4",)  # a user's own


@pytest.mark.parametrize("syllable", ZERO_INITIAL)
@pytest.mark.parametrize("number", range(1, 6))
def test_every_syllable_without_an_initial(syllable, number):
    """With the letter y or w of its own, before the final in full or as it is spelled."""
    phones = syllable_to_phones(f"{syllable}{number}")
    assert match_labels(phones, phones) == [1]
    if syllable[0] in "yw":
        assert match_labels([syllable[0], *phones], phones) == [2]
        assert match_labels([syllable[0], f"{syllable[1:]}{number}"], phones) == [2]
    assert phones[0].endswith(str(number))


def test_what_does_not_fit_is_named():
    error = unread(["w", "uo3", "m", "en5", "b", "a1"], ["uo3", "m", "en5", "p", "a1"])
    assert error.instead == ("b", "p") and error.strange == []
    assert "label 5 is b, where p is expected" in str(error)
    assert unread(["n", "i3"], ["n", "i3", "h", "ao3"]).instead == ("(end)", "h")
    assert unread(["n", "i3", "h"], ["n", "i3"]).instead == ("h", "(end)")
    assert unread(["ʘ", "i3", "ʘ"], ["n", "i3"]).strange == ["ʘ", "ʘ"]


def test_a_users_table_comes_first_and_adds(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("\ufeff# comment\n\nuo  wo_long | WW\nuo3 o3 o3\nsil <breath> | #1\n", encoding="utf-8")
    table = LabelTable.load(path)
    assert match_labels(["wo_long"], ["uo1"], table) == [1]
    assert match_labels(["ww"], ["uo2"], table) == [1]
    assert match_labels(["o3", "o3"], ["uo3"], table) == [2]
    assert match_labels(["o3", "o3"], ["uo4"], table) is None  # of tone 3 alone, and with these tones alone
    assert match_labels(["w", "uo3"], ["uo3"], table) == [2]
    assert table.is_silence("<BREATH>") and table.is_silence("#1") and not BUILT_IN.is_silence("<breath>")
    assert BUILT_IN.is_silence("sp1") and BUILT_IN.is_silence("SP") and not BUILT_IN.is_silence("1")
    assert unmapped(["wo_long", "o3", "qq"], table) == ["qq"]


@pytest.mark.parametrize("line", ["uo", "qq w uo", "uo w uo |", "uo | w"])
def test_malformed_tables_are_refused_by_line(tmp_path, line):
    path = tmp_path / "labels.txt"
    path.write_text(f"er e rr\n{line}\n")
    with pytest.raises(UserError, match=r"labels.txt:2"):
        LabelTable.load(path)


def test_phones_of_other_languages_stand_for_themselves(tmp_path):
    english = language_of(rules_for("english"))
    table = LabelTable.load(None, english)
    assert match_labels(["HH", "ah1", "L", "OW"], ["HH", "AH0", "L", "OW1"], table) == [1, 1, 1, 1]
    assert match_labels(["N", "IAN2"], ["N", "IY1"], table) is None
    assert unmapped(["HH", "ow2", "sil", "IAN2", "ʘ"], table) == ["IAN2", "ʘ"]
    path = tmp_path / "labels"
    path.write_text("AH  ə | ʌ\nER  ɝ | ɜ ɹ\nsil  <breath>\n")
    table = LabelTable.load(path, english)
    assert match_labels(["ɜ", "ɹ", "ə", "OY"], ["ER1", "AH0", "OY2"], table) == [2, 1, 1]
    assert table.is_silence("<breath>")
    path.write_text("ian  x\n")
    with pytest.raises(UserError, match="'ian' is not a phone of the inventory"):
        LabelTable.load(path, english)
    rules = replace(rules_for("espeak:de"), phones=(("ˈaɪ", "vowel"), ("aɪ", "vowel"), ("ç", "fricative")))
    german = LabelTable.load(None, language_of(rules))
    assert match_labels(["aɪ", "ç", "ˌaɪ"], ["ˈaɪ", "ç", "aɪ"], german) == [1, 1, 1]
    assert LabelTable.load(None, language_of(rules_for("mandarin"))) is BUILT_IN


def test_a_case_that_tells_phones_apart(tmp_path):
    path = tmp_path / "phones"
    vowels = "".join(f"{phone} vowel\n" for phone in ("u:", "A1", "A2", "e1", "e2", "E"))
    path.write_text(f"s fricative\nS fricative\nv fricative\nt stop\n{vowels}")
    table = LabelTable.load(None, language_of(rules_for(f"custom:{path}")))
    assert match_labels(["s", "S", "T", "a", "u:", "e1"], ["s", "S", "t", "A2", "u:", "e2"], table) == [1] * 6
    for label, phone in (("S", "s"), ("s", "S"), ("v", "u:"), ("u:", "v"), ("e2", "E"), ("E1", "e2")):
        assert match_labels([label], [phone], table) is None
    assert unmapped(["S", "s", "U:", "a1"], table) == ["U:"]
