"""Scores against figures worked out by hand."""

from statistics import NormalDist

import pytest

from ctap.align.alignment import Alignment
from ctap.align.events import read_reference
from ctap.align.outliers import Usual
from ctap.align.score import format_table, score
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.text.languages import older

MANDARIN = older()
SETTINGS = AudioSettings()
EVENTS = """utterance\tphone\tindex\tmnemonic\tstart\tend
A01\tsil\t0\t_\t0.000\t0.100
A01\tsh\t1\ts\t0.100\t0.200
A01\ta1\t2\ta\t0.200\t0.250
A01\ta1\t2\ta\t0.250\t0.300
A01\tsp\t3\t_\t0.300\t0.400
A01\tt\t4\t_\t0.400\t0.420
A01\tt\t4\tth\t0.420\t0.450
A01\ta4\t5\ta\t0.450\t0.605
"""


def test_phoneme_events(tmp_path):
    path = tmp_path / "events.tsv"
    path.write_text(EVENTS)
    # Boundaries between frames k-1 and k stand at (k - 0.5) * 10 ms: 115, 195, 305, 425, 445, 605 ms.
    ours = {"A01": (["sil", "sh", "a1", "sp", "t", "a4"], [12, 8, 11, 12, 2, 16])}
    result = score(read_reference(path, {}), ours, SETTINGS, MANDARIN)
    rows = result["boundaries"]
    assert rows["fricative"] == pytest.approx(rows["fricative"] | {"count": 1, "median_signed": 15.0})
    assert rows["vowel"]["count"] == 2
    assert rows["vowel"]["median_signed"] == pytest.approx(-5.0)  # -5 and -5
    assert rows["end before pause"]["mean"] == pytest.approx(2.5)  # 5 and 0
    assert rows["closure after pause"]["median_signed"] == pytest.approx(25.0)
    everything = rows["all"]  # sizes 15, 5, 5, 25, 5, 0
    assert everything["count"] == 6
    assert everything["mean"] == pytest.approx(55 / 6)
    assert everything["within_10"] == pytest.approx(4 / 6)
    assert everything["within_20"] == pytest.approx(5 / 6)
    assert result["pauses"] == {"true": 1, "missed": 0, "invented": 0}
    assert "1 utterances scored" in format_table(result)


def test_a_syllable_without_initial_has_a_row_of_its_own(tmp_path):
    path = tmp_path / "events.tsv"
    lines = ("sh 0 0.10", "i1 0.10 0.20", "ai4 0.20 0.30", "sp 0.30 0.40", "a1 0.40 0.505")
    rows = [line.split() for line in lines]
    text = "".join(f"A01\t{p}\t{i}\t_\t{a}\t{b}\n" for i, (p, a, b) in enumerate(rows))
    path.write_text(EVENTS.splitlines()[0] + "\n" + text)
    ours = {"A01": (["sh", "i1", "ai4", "sp", "a1"], [11, 10, 10, 10, 10])}  # starts at 105, 205 and 405 ms
    found = score(read_reference(path, {}), ours, SETTINGS, MANDARIN)["boundaries"]
    assert found["vowel"]["count"] == 3
    assert found["vowel after a vowel"]["count"] == 1  # ai4; a1 follows a pause
    assert found["vowel after a vowel"]["median_signed"] == pytest.approx(5.0)


def test_a_closure_at_the_start_of_an_utterance_is_one_after_a_pause(tmp_path):
    path = tmp_path / "events.tsv"
    text = "A01\tt\t0\t_\t0.0\t0.1\nA01\ta1\t1\ta\t0.1\t0.205\n"
    path.write_text(EVENTS.splitlines()[0] + "\n" + text)
    ours = {"A01": (["t", "a1"], [10, 11])}
    found = score(read_reference(path, {}), ours, SETTINGS, MANDARIN)["boundaries"]
    assert "stop" not in found and found["closure after pause"]["count"] == 1


def test_missed_and_invented_pauses_and_other_phones(tmp_path):
    path = tmp_path / "events.tsv"
    path.write_text(EVENTS)
    ours = {
        "A01": (["sh", "sp", "a1", "t", "a4"], [12, 8, 11, 14, 16]),
        "A02": (["sh", "a1"], [3, 3]),
    }
    result = score(read_reference(path, {}), ours, SETTINGS, MANDARIN)
    assert result["pauses"] == {"true": 1, "missed": 1, "invented": 1}
    assert result["skipped"] == {"A02": "not in the reference"}
    other = score(read_reference(path, {}), {"A01": (["s", "a1"], [3, 3])}, SETTINGS, MANDARIN)
    assert other["utterances"] == 0
    assert other["skipped"] == {"A01": "the reference has other phones"}


@pytest.mark.parametrize("limit", [10, 20, 50])
def test_a_start_exactly_at_a_limit_is_within_it(tmp_path, limit):
    ours, lines = {}, []
    for frames in range(9, 200):  # the second phone starts at (frames - 0.5) * 10 ms
        true = (10 * frames - 5 + (limit if frames % 2 else -limit)) / 1000
        utt = f"A{frames:03d}"
        ours[utt] = (["sh", "t", "a1"], [frames, 12, 20])
        lines += [f"{utt}\tsh\t0\ts\t0.0\t{true}", f"{utt}\tt\t1\tt\t{true}\t3.0"]
        lines += [f"{utt}\ta1\t2\ta\t3.0\t3.1"]
    path = tmp_path / "events.tsv"
    path.write_text("\n".join(["utterance\tphone\tindex\tmnemonic\tstart\tend", *lines, ""]))
    result = score(read_reference(path, {}), ours, SETTINGS, MANDARIN)
    stops = result["boundaries"]["stop"]
    assert stops["count"] == len(ours) and stops[f"within_{limit}"] == 1.0
    shares = {name: stops[name] for name in ("within_10", "within_20", "within_50")}
    assert shares == {name: float(int(name[7:]) >= limit) for name in shares}


def test_word_boundaries(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text(
        "A01\t0.100\t0.300\t沙\tsha1\nA01\t0.400\t0.600\t他们\tta1 men5\nA01\t0.700\t0.800\t啊\ta5\n"
    )
    labels = ["sil", "sh", "a1", "sp", "t", "a1", "m", "en5", "a5", "sil"]
    # Ends: sil 95, sh 195, a1 295, sp 415, t 455, a1 495, m 545, en5 675, a5 795 ms.
    ours = {"A01": (labels, [10, 10, 10, 12, 4, 4, 5, 13, 12, 3])}
    result = score(read_reference(path, {}), ours, SETTINGS, MANDARIN)
    none = {"pauses_inside": 0, "pauses_displaced": 0}
    assert result["words"] == {"boundaries": 2, "respected": 2, "swallowed": 1, **none}
    assert result["boundaries"]["start of word with closure"]["median_signed"] == pytest.approx(15)
    assert result["boundaries"]["end of word"]["median_signed"] == pytest.approx(75)
    # The second boundary 30 ms into the next word: not respected; and a pause of 40 ms inside it.
    labels = ["sil", "sh", "a1", "sp", "t", "a1", "sp", "m", "en5", "a5", "sil"]
    late = {"A01": (labels, [10, 10, 10, 12, 4, 4, 4, 5, 15, 6, 3])}
    result = score(read_reference(path, {}), late, SETTINGS, MANDARIN)
    assert result["words"]["pauses_inside"] == 1
    assert result["words"]["pauses_displaced"] == 0
    assert result["words"]["respected"] == 1
    assert "50.00% of 2" in format_table(result)
    short = {"A01": (labels, [10, 10, 10, 12, 4, 4, 3, 6, 15, 6, 3])}  # one of 30 ms is none
    assert score(read_reference(path, {}), short, SETTINGS, MANDARIN)["words"]["pauses_inside"] == 0
    # The pause is heard at the second joint, but the syllable after it is put before it.
    labels = ["sil", "sh", "a1", "sp", "t", "a1", "sp", "m", "en5", "a5", "sil"]
    early = {"A01": (labels, [10, 10, 10, 11, 6, 12, 10, 5, 3, 3, 3])}
    words = score(read_reference(path, {}), early, SETTINGS, MANDARIN)["words"]
    assert (words["pauses_inside"], words["pauses_displaced"]) == (1, 1)


def test_bad_references_are_refused(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text(EVENTS + "A01\tb\t6\n")
    with pytest.raises(UserError, match=r"r\.tsv:10"):
        read_reference(path, {})
    path.write_text("what is this\n")
    with pytest.raises(UserError, match="expected phoneme events"):
        read_reference(path, {})


def find_outliers(alignments):
    usual = Usual.of(alignments.values(), MANDARIN)
    return [o for utterance in sorted(alignments) for o in usual.outliers(utterance, alignments[utterance])]


def test_outliers():
    phones = ["n", "i3", "h", "ao3"]

    def alignment(durations, score):
        return Alignment(phones, durations, [0.0] * 4, score)

    def unsure(phone, value):
        confidence = [-1.0] * 4
        confidence[phone] = value
        return Alignment(phones, [8, 12, 9, 15], confidence, -1.0)

    good = {f"A{i:02d}": alignment([8, 12, 9, 15], -1.0 - 0.01 * i) for i in range(20)}
    assert find_outliers(good) == []
    spread = 0.05 / NormalDist().inv_cdf(0.75)  # deviation of a normal distribution
    assert Usual.of(good.values(), MANDARIN).score == pytest.approx((-1.095, -1.095 - 6 * spread), rel=1e-4)
    bad = good | {
        "B01": alignment([8, 12, 9, 15], -9.0),
        "B02": alignment([1, 2, 1, 150], -1.0),
        "B03": alignment([8, 12, 9, 110], -1.0),  # less than eight times what is usual
    }
    found = {(o.utterance, o.reason): o.whole_utterance for o in find_outliers(bad)}
    assert found == {
        ("B01", "low-score"): True,
        ("B02", "squeezed"): True,
        ("B02", "long-phone"): False,
    }
    # One phone of one utterance that nothing near it sounds like; the spread of all others is nothing at all.
    sure = {f"A{i:02d}": unsure(i % 4, -1.2) for i in range(20)}
    (outlier,) = find_outliers(sure | {"B01": unsure(3, -7.0)})
    assert (outlier.utterance, outlier.reason, outlier.whole_utterance) == ("B01", "low-phone", False)
    assert outlier.detail == "ao3 of 15 frames from frame 29: -7.00, median -1.00"
    noisy = Alignment(["sil", *phones], [9, 8, 12, 9, 15], [-50.0, -1.0, -1.0, -1.0, -1.0], -1.0)
    assert find_outliers(sure | {"B02": noisy}) == []
