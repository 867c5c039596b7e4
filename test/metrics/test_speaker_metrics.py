"""Whose voice it is: figures of embeddings that are directions in a plane, against cosines by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ctap.metrics.intervals import bootstrap_mean
from ctap.metrics.speaker_metrics import metrics_of_speakers, set_beside, write_similarities


def at(degrees):
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


COS = [math.cos(math.radians(x)) for x in range(91)]
SAID = {"a": at(10), "b": at(50)}
TARGET = {"t1": at(-5), "t2": at(5)}


def test_figures_by_hand():
    found = metrics_of_speakers(
        SAID, TARGET, source={"a": at(90), "b": at(90)}, others={"B": at(40)}, name="angles"
    )
    target, other = found["speaker_similarity/target"], found["speaker_similarity/nearest_other"]
    assert target.value == pytest.approx((COS[10] + COS[50]) / 2)
    assert target.against == {
        "target's recordings": pytest.approx(COS[10]),
        "source recordings": pytest.approx(0, abs=1e-6),
        "to the nearest other speaker": pytest.approx(other.value),
    }
    assert found["speaker_similarity/source"].value == pytest.approx((COS[80] + COS[40]) / 2)
    assert other.value == pytest.approx((COS[30] + COS[10]) / 2) and "angles; B," in other.note
    # 10 degrees from one recording of the target and 50 from its source; 50 and 40
    assert found["speaker_similarity/target_recording"].value == pytest.approx(
        np.mean([COS[15], COS[5], COS[55], COS[45]])
    )
    assert found["closer_to_target_than_source"].value == 0.5
    assert found["target_is_nearest_speaker"].value == 0.5
    assert all(metric.n == 2 for metric in found.values())


def test_of_many_speakers_the_nearest_and_the_rank_are_kept():
    others = {f"S{degrees}": at(degrees) for degrees in range(21, 90)}
    found = metrics_of_speakers(SAID, TARGET, others=others)
    assert set(found) == {
        *("speaker_similarity/target", "speaker_similarity/nearest_other"),
        *("target_is_nearest_speaker", "target_speaker_rank"),
    }
    # the mean of cosines to 10 and 50 degrees is largest half-way
    other = found["speaker_similarity/nearest_other"]
    assert other.note == "cosine; S30, the most similar of 69 other speakers"
    assert other.value == pytest.approx(COS[20])
    assert other.items == {"a": (pytest.approx(COS[20]), 1.0), "b": (pytest.approx(COS[20]), 1.0)}
    # a lies 10 degrees from the target and 11 or more from all others, b 50 and at most 39
    rank = found["target_speaker_rank"]
    assert rank.items == {"a": (1.0, 1.0), "b": (70.0, 1.0)} and rank.value == 35.5
    assert rank.interval == bootstrap_mean([1.0, 70.0])[1:3]
    assert (rank.unit, rank.better, rank.against) == ("of 70", "lower", {"chance": 35.5})
    share = found["target_is_nearest_speaker"]
    assert share.value == 0.5 and share.against == {"chance": pytest.approx(1 / 70)}


def test_figures_of_other_speech_stand_beside():
    found = metrics_of_speakers(SAID, TARGET, source={"a": at(90), "b": at(90)})
    unheard = metrics_of_speakers({"a": at(0), "b": at(20)}, TARGET, source={"a": at(90), "b": at(90)})
    both = set_beside(found, {**unheard, "another": unheard["speaker_similarity/target"]}, "from phonemes")
    assert both.keys() == found.keys()
    assert both["closer_to_target_than_source"].against == {"from phonemes": 1.0}
    assert both["closer_to_target_than_source"].value == found["closer_to_target_than_source"].value == 0.5
    target = both["speaker_similarity/target"].against
    assert target["from phonemes"] == pytest.approx((1 + COS[20]) / 2)
    assert target["source recordings"] == found["speaker_similarity/target"].against["source recordings"]
    assert set_beside(found, {}, "from phonemes") == found


def test_a_tie_is_no_win():
    found = metrics_of_speakers({"a": at(10)}, {"t": at(0)}, others={"same": at(0), "far": at(80)})
    assert found["target_speaker_rank"].value == 2.0 and found["target_is_nearest_speaker"].value == 0.0


def test_without_target_or_others():
    found = metrics_of_speakers(SAID, None, others={"B": at(40)})
    assert set(found) == {"speaker_similarity/nearest_other"}
    found = metrics_of_speakers(SAID, TARGET)
    assert set(found) == {"speaker_similarity/target"}
    assert set(found["speaker_similarity/target"].against) == {"target's recordings"}


def test_the_whole_matrix_goes_to_a_file(tmp_path):
    path = tmp_path / "new" / "matrix.tsv"
    write_similarities(path, SAID, {"T": at(0), "B": at(40)})
    assert path.read_text() == (
        f"utterance\tT\tB\na\t{COS[10]:.6f}\t{COS[30]:.6f}\nb\t{COS[50]:.6f}\t{COS[10]:.6f}\n"
    )
    assert [p.name for p in path.parent.iterdir()] == ["matrix.tsv"]


def test_many_recordings_of_the_target_are_no_advantage_over_one_of_the_source():
    """A voice half-way between two speakers is as often nearer to the one as to the other."""
    rng = np.random.default_rng(0)
    near, far = np.eye(64)[:2]
    middle = (near + far) / np.sqrt(2)

    def heard(voice, count):
        return {f"{i:03d}": voice + 0.05 * rng.normal(size=64) for i in range(count)}

    for count in (1, 30):
        found = metrics_of_speakers(heard(middle, 400), heard(near, count), source=heard(far, 400))
        assert found["closer_to_target_than_source"].value == pytest.approx(
            0.5, abs=0.1 if count > 1 else 0.3
        )
