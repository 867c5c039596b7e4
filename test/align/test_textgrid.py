"""TextGrids of other aligners: MFA's own text format, IPA and pinyin labels, and what does not map."""

import pytest
from praatio import textgrid as praat

from ctap.align.durations import read_durations, write_durations
from ctap.align.events import read_reference
from ctap.align.importing import import_durations
from ctap.align.textgrid import Segment, align_intervals, export_textgrids, read_textgrid
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import save_wave
from ctap.errors import UserError
from ctap.files.tables import write_table
from ctap.text.labels import LabelTable
from ctap.text.rules import TextRules

SETTINGS = AudioSettings()


def mfa_text(intervals, end, tier="phones"):
    """A TextGrid as MFA writes it, by hand: a tier of words and one of phones."""

    def interval_tier(name, rows):
        lines = ['        class = "IntervalTier"', f'        name = "{name}"', "        xmin = 0",
                 f"        xmax = {end}", f"        intervals: size = {len(rows)}"]  # fmt: skip
        for i, (a, b, label) in enumerate(rows, 1):
            lines += [f"        intervals [{i}]:", f"            xmin = {a}", f"            xmax = {b}",
                      f'            text = "{label}"']  # fmt: skip
        return lines

    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}",
            "tiers? <exists>", "size = 2", "item []:"]  # fmt: skip
    words = interval_tier("words", [(0, end, "x")])
    phones = interval_tier(tier, intervals)
    return "\n".join([*head, "    item [1]:", *words, "    item [2]:", *phones]) + "\n"


@pytest.fixture
def data_dir(tmp_path):
    """Two utterances of 1.2 s: nian2 (pause) shi4, and hao3."""
    folder = tmp_path / "data"
    folder.mkdir()
    waves = {}
    for name in ("A01", "A02"):
        save_wave(tmp_path / f"{name}.wav", [0.1, -0.1] * 14400, 24000)
        waves[name] = tmp_path / f"{name}.wav"
    (folder / "wav.scp").write_text("".join(f"{u} {p}\n" for u, p in waves.items()))
    (folder / "phones").write_text("A01 n ian2 sh iii4\nA02 h ao3\n")
    (folder / "pinyin").write_text("A01 nian2 shi4\nA02 hao3\n")
    return folder


IPA = [(0, 0.1, ""), (0.1, 0.2, "ɲ"), (0.2, 0.3, "e˧˥"), (0.3, 0.4, "n"), (0.4, 0.55, "sil"),
       (0.55, 0.7, "ʂ"), (0.7, 1.0, "ʐ̩˥˩"), (1.0, 1.2, "")]  # fmt: skip
PINYIN = [(0, 0.1, "SIL"), (0.1, 0.2, "N"), (0.2, 0.4, "IAN2"), (0.4, 0.55, "sp"), (0.55, 0.7, "SH"),
          (0.7, 1.0, "I4"), (1.0, 1.2, "")]  # fmt: skip


@pytest.mark.parametrize("tier", ["phones", "Phones", "A - phones"])
@pytest.mark.parametrize("rows", [IPA, PINYIN, PINYIN[1:-1]])  # the last without silence at the ends
def test_import_from_mfa(data_dir, tmp_path, rows, tier):
    grids = tmp_path / "grids" / "speaker"
    grids.mkdir(parents=True)
    (grids / "A01.TextGrid").write_text(mfa_text(rows, 1.2, tier), encoding="utf-8")
    lines = import_durations(data_dir, tmp_path / "grids", SETTINGS)
    labels, frames = read_durations(data_dir)["A01"]
    assert labels == ["sil", "n", "ian2", "sp", "sh", "iii4", "sil"]
    # The frame centred on a boundary belongs to the right side; 121 frames of 1.2 s.
    assert frames == [10, 10, 20, 15, 15, 30, 21]
    assert sum(frames) == 121
    assert "A02: not among the TextGrids" in "\n".join(lines)
    assert (data_dir / "align_failed").read_text().startswith("A02 ")


def test_what_does_not_map_is_named(data_dir, tmp_path):
    grids = tmp_path / "grids"
    grids.mkdir()
    (grids / "A01.TextGrid").write_text(mfa_text(IPA, 1.2), encoding="utf-8")
    (grids / "A02.TextGrid").write_text(
        mfa_text([(0, 0.5, "x"), (0.5, 0.9, "ʘ"), (0.9, 1.2, "")], 1.2), encoding="utf-8"
    )
    text = "\n".join(import_durations(data_dir, grids, SETTINGS))
    assert "labels that stand for no phone (times): ʘ (1)" in text
    assert (data_dir / "align_failed").read_text() == "A02 labels do not map: ʘ\n"
    (grids / "A02.TextGrid").write_text(mfa_text([(0, 0.9, "spn"), (0.9, 1.2, "")], 1.2), encoding="utf-8")
    assert "A02: holds 'spn'" in "\n".join(import_durations(data_dir, grids, SETTINGS))
    (grids / "A02.TextGrid").write_text("not a grid")
    assert "A02.TextGrid: not a readable TextGrid" in "\n".join(import_durations(data_dir, grids, SETTINGS))


def test_a_label_of_two_phones_is_halved():
    found = align_intervals(
        [Segment("uanr1", 0.0, 0.3), Segment("", 0.3, 0.4), Segment("h", 0.4, 0.5), Segment("ua1", 0.5, 0.6)],
        ["uan1", "rr", "h", "ua1"],
    )
    assert found[:2] == [Segment("uan1", 0.0, 0.15), Segment("rr", 0.15, 0.3)]
    assert [x.label for x in found[2:]] == ["sp", "h", "ua1"]


def test_gaps_of_rounding_are_no_pauses():
    starts = [(0.0, 0.1), (0.100002, 0.2), (0.2009, 0.3), (0.302, 0.4)]
    found = align_intervals(
        [*(Segment(p, a, b) for p, (a, b) in zip(["n", "i3", "h", "ao3"], starts, strict=True))],
        ["n", "i3", "h", "ao3"],
    )
    assert [x.label for x in found] == ["n", "i3", "h", "sp", "ao3"]
    ended = align_intervals(
        [Segment("h", 0.0, 0.1), Segment("ao3", 0.1, 0.5), Segment("", 0.5, 0.500002)], ["h", "ao3"]
    )
    assert [x.label for x in ended] == ["h", "ao3"]


def test_other_phones_and_another_length_are_refused(data_dir, tmp_path):
    grids = tmp_path / "grids"
    grids.mkdir()
    (grids / "A01.TextGrid").write_text(mfa_text(IPA, 1.2), encoding="utf-8")
    (grids / "A02.TextGrid").write_text(mfa_text([(0, 0.5, "x"), (0.5, 1.9, "aw˨˩˦")], 1.9), encoding="utf-8")
    assert "A02: ends at 1.900 s" in "\n".join(import_durations(data_dir, grids, SETTINGS))
    (grids / "A02.TextGrid").write_text(mfa_text([(0, 0.5, "x"), (0.5, 1.2, "aj˨˩˦")], 1.2), encoding="utf-8")
    text = "\n".join(import_durations(data_dir, grids, SETTINGS))
    assert "do not fit the phones of the text (utterances): aj˨˩˦ for ao3 (1)" in text
    assert "cannot be read as h ao3" in (data_dir / "align_failed").read_text()


def test_import_of_durations_checks_the_frames(data_dir, tmp_path):
    source = tmp_path / "source"
    write_durations(
        source, {"A01": (["n", "ian2", "sh", "iii4"], [30, 30, 30, 31]), "A02": (["h", "ao3"], [60, 60])}
    )
    text = "\n".join(import_durations(data_dir, source, SETTINGS))
    assert "A02: durations sum to 120 frames, but the utterance has 121" in text
    assert list(read_durations(data_dir)) == ["A01"]
    with pytest.raises(UserError, match="nothing to import"):
        import_durations(data_dir, tmp_path / "nowhere", SETTINGS)


def test_durations_of_another_language_are_imported(data_dir, tmp_path):
    """Its phones are those of the data directory; the other has no text.json."""
    TextRules("english").save(data_dir)
    write_table(data_dir / "phones", {"A01": "HH AY1", "A02": "OW1"})
    write_table(tmp_path / "aligned_phones", {"A01": "sil HH AY1", "A02": "OW1"})
    write_table(tmp_path / "durations", {"A01": "20 50 51", "A02": "121"})
    import_durations(data_dir, tmp_path, SETTINGS)
    assert read_durations(data_dir)["A01"] == (["sil", "HH", "AY1"], [20, 50, 51])


@pytest.mark.parametrize(
    ("labels", "frames", "says"),
    [
        ("A02 h ao3", "A02 0 121", "has 0 frames"),
        ("A02 h qq3", "A02 60 61", "unknown phone 'qq3'"),
        ("A02 h ao3", "A02 60.5 60.5", "'60.5' is not a whole number"),
        ("A02 h ao3", "A02", "2 aligned phones, but 0 durations"),
        ("A02 h ao3", "A03 60 61", "is in only one of aligned_phones and durations"),
    ],
)
def test_a_bad_row_of_durations_leaves_out_its_utterance(data_dir, tmp_path, labels, frames, says):
    (tmp_path / "aligned_phones").write_text(f"A01 n ian2 sh iii4\n{labels}\n")
    (tmp_path / "durations").write_text(f"A01 30 30 30 31\n{frames}\n")
    text = "\n".join(import_durations(data_dir, tmp_path, SETTINGS))
    assert "left out: A02: " in text and says in text
    assert list(read_durations(data_dir)) == ["A01"]


def test_export_is_read_back_and_by_praatio(data_dir, tmp_path):
    wanted = {
        "A01": (["sil", "n", "ian2", "sp", "sh", "iii4", "sil"], [10, 10, 20, 15, 15, 30, 21]),
        "A02": (["h", "ao3"], [60, 61]),
    }
    write_durations(data_dir, wanted)
    assert export_textgrids(data_dir, tmp_path / "out", SETTINGS) == 2
    grid = praat.openTextgrid(str(tmp_path / "out/A01.TextGrid"), includeEmptyIntervals=True)
    assert grid.tierNames == ("pinyin", "phones")
    assert [e.label for e in grid.getTier("pinyin").entries if e.label] == ["nian2", "shi4"]
    second = grid.getTier("phones").entries[1]
    assert (second.label, second.start, second.end) == ("n", pytest.approx(0.095), pytest.approx(0.195))
    import_durations(data_dir, tmp_path / "out", SETTINGS)
    assert read_durations(data_dir) == wanted


def test_textgrids_as_reference(data_dir, tmp_path):
    (tmp_path / "g").mkdir()
    (tmp_path / "g/A01.TextGrid").write_text(mfa_text(IPA, 1.2), encoding="utf-8")
    reference = read_reference(tmp_path / "g", {"A01": ["n", "ian2", "sh", "iii4"]})
    assert [x.label for x in reference.phones["A01"]] == ["sil", "n", "ian2", "sp", "sh", "iii4", "sil"]
    assert reference.phones["A01"][2].end == pytest.approx(0.4)


def test_tiers_are_named_when_there_are_no_phones(tmp_path):
    path = tmp_path / "x.TextGrid"
    path.write_text(mfa_text(IPA, 1.2, "sounds"), encoding="utf-8")
    with pytest.raises(UserError, match="'words', 'sounds'"):
        read_textgrid(path)


def test_short_silences_between_words_become_sp(tmp_path):
    path = tmp_path / "x.TextGrid"
    path.write_text(mfa_text(IPA, 1.2), encoding="utf-8")
    found = align_intervals(read_textgrid(path), ["n", "ian2", "sh", "iii4"])
    assert [x.label for x in found] == ["sil", "n", "ian2", "sp", "sh", "iii4", "sil"]


@pytest.mark.parametrize("end", [0.6, 1.0, 1.35, 2.4])
def test_a_grid_of_another_length_is_refused(data_dir, tmp_path, end):
    (tmp_path / "A02.TextGrid").write_text(mfa_text([(0, 0.2, "h"), (0.2, end, "ao3")], end))
    with pytest.raises(UserError, match=rf"A02: ends at {end:.3f} s, but its audio at about 1.200 s"):
        import_durations(only(data_dir, "A02"), tmp_path, SETTINGS)


@pytest.mark.parametrize("end", [1.15, 1.2, 1.25])
def test_a_grid_of_about_the_length_is_taken(data_dir, tmp_path, end):
    """Of a tier that ends with its last phone, the file's own end counts."""
    rows = [(0, 0.2, "h"), (0.2, 0.8, "ao3")]
    (tmp_path / "A02.TextGrid").write_text(mfa_text(rows, end))
    import_durations(only(data_dir, "A02"), tmp_path, SETTINGS)
    assert read_durations(data_dir)["A02"] == (["h", "ao3", "sil"], [20, 60, 41])


def test_what_a_grid_lacks_at_its_end_is_silence(data_dir, tmp_path):
    (tmp_path / "A02.TextGrid").write_text(mfa_text([(0, 0.2, "h"), (0.2, 1.15, "ao3")], 1.15))
    import_durations(only(data_dir, "A02"), tmp_path, SETTINGS)
    assert read_durations(data_dir)["A02"] == (["h", "ao3", "sil"], [20, 95, 6])


@pytest.mark.parametrize("form", ["long", "short"])
def test_exponents_are_numbers(data_dir, tmp_path, form):
    text = mfa_text([("5.68e-14", "2E-1", "h"), ("2.000e-01", "1.2e+0", "ao3")], 1.2)
    if form == "short":
        values = [line.split(" = ")[-1].strip() for line in text.splitlines()]
        kept = [v for v in values if v and not v.startswith(("item", "intervals ["))]
        text = "\n".join(['File type = "ooTextFile short"', '"TextGrid"', "", "0", "1.2", "<exists>", "2"])
        text += "\n" + "\n".join(kept[5:]) + "\n"
    (tmp_path / "A02.TextGrid").write_text(text)
    import_durations(only(data_dir, "A02"), tmp_path, SETTINGS)
    assert read_durations(data_dir)["A02"] == (["h", "ao3"], [20, 101])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_praat(data_dir, tmp_path, encoding):
    rows = [(0, 0.2, "x"), (0.2, 1.2, "aw˨˩˦")]
    (tmp_path / "A02.TextGrid").write_text(mfa_text(rows, 1.2), encoding=encoding)
    import_durations(only(data_dir, "A02"), tmp_path, SETTINGS)
    assert read_durations(data_dir)["A02"][0] == ["h", "ao3"]


def test_two_grids_of_an_utterance_are_refused(data_dir, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / "grids" / folder).mkdir(parents=True)
        (tmp_path / "grids" / folder / "A02.TextGrid").write_text(
            mfa_text([(0, 0.2, "h"), (0.2, 1.2, "ao3")], 1.2)
        )
    (tmp_path / "grids/A01.TextGrid").write_text(mfa_text(PINYIN, 1.2))
    text = "\n".join(import_durations(data_dir, tmp_path / "grids", SETTINGS))
    assert "left out: A02: has 2 TextGrids" in text
    assert (
        str(tmp_path / "grids/one/A02.TextGrid") in text and str(tmp_path / "grids/two/A02.TextGrid") in text
    )
    assert list(read_durations(data_dir)) == ["A01"]


def test_a_label_with_line_ends_loses_its_utterance_alone(data_dir, tmp_path):
    (tmp_path / "A01.TextGrid").write_text(mfa_text(PINYIN, 1.2))
    (tmp_path / "A02.TextGrid").write_text(mfa_text([(0, 0.2, "h\nx"), (0.2, 1.2, "ao3")], 1.2))
    import_durations(data_dir, tmp_path, SETTINGS)
    assert list(read_durations(data_dir)) == ["A01"]
    assert (data_dir / "align_failed").read_text() == "A02 labels do not map: h x\n"


def test_overlaps_are_refused(data_dir, tmp_path):
    (tmp_path / "A02.TextGrid").write_text(mfa_text([(0, 0.5, "h"), (0.2, 1.2, "ao3")], 1.2))
    with pytest.raises(UserError, match=r"interval 2 \('ao3'\) goes from 0.2 to 1.2 s"):
        import_durations(only(data_dir, "A02"), tmp_path, SETTINGS)


def test_a_table_of_the_users(data_dir, tmp_path):
    (tmp_path / "A02.TextGrid").write_text(
        mfa_text([(0, 0.2, "H_"), (0.2, 1.0, "ao3"), (1.0, 1.2, "<br>")], 1.2)
    )
    (tmp_path / "table").write_text("h h_\nsil <br>\n")
    import_durations(only(data_dir, "A02"), tmp_path, SETTINGS, LabelTable.load(tmp_path / "table"))
    assert read_durations(data_dir)["A02"] == (["h", "ao3", "sil"], [20, 80, 21])


def only(data_dir, utterance):
    """The data directory with one utterance left in ``phones``."""
    lines = (data_dir / "phones").read_text().splitlines(keepends=True)
    (data_dir / "phones").write_text("".join(line for line in lines if line.startswith(utterance)))
    return data_dir


OTHERS = (
    AudioSettings(sample_rate=16000, n_fft=1024, win_length=800, hop_length=200),
    AudioSettings(hop_length=256),
)


@pytest.mark.parametrize("settings", [SETTINGS, *OTHERS])
def test_export_ends_with_the_audio_at_any_settings(data_dir, tmp_path, settings):
    frames = 1 + int(1.2 * settings.sample_rate) // settings.hop_length
    wanted = {
        "A01": (["n", "ian2", "sh", "iii4"], [20, 20, 20, frames - 60]),
        "A02": (["h", "ao3"], [40, frames - 40]),
    }
    write_durations(data_dir, wanted)
    export_textgrids(data_dir, tmp_path / "out", settings)
    assert read_textgrid(tmp_path / "out/A01.TextGrid")[-1].end == pytest.approx(
        1.2, abs=settings.frame_shift
    )
    import_durations(data_dir, tmp_path / "out", settings)
    assert read_durations(data_dir) == wanted
