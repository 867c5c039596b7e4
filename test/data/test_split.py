import dataclasses
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.data import split as dividing
from ctap.data.utterances import PARTS, SplitOptions, Utterances
from ctap.errors import UserError


def split(utt2spk, seconds, *, part=None, gender=None, options=None):
    """The same of tables, with the utterances of the sets by name."""
    names = sorted(utt2spk)
    speakers = {spk: [] for spk in sorted(set(utt2spk.values()))}
    for place, utt in enumerate(names):
        speakers[utt2spk[utt]].append(place)
    corpus = Utterances(
        {spk: np.array(places, np.int32) for spk, places in speakers.items()},
        np.array([seconds[utt] for utt in names]),
        None if part is None else np.array([PARTS.index(part.get(utt, "train")) for utt in names], np.int8),
    )
    result = dividing.split(corpus, gender, options)
    result.sets = {name: [names[place] for place in places] for name, places in result.sets.items()}
    return result


def corpus(sizes, seconds=6.0, tests=None):
    """Speakers A, B, ... with so many utterances each, the last ``tests`` of each in the test part."""
    utt2spk = {f"{spk}{i:04d}": spk for spk, size in sizes.items() for i in range(size)}
    part = None
    if tests is not None:
        part = {
            u: "test" if int(u[-4:]) >= sizes[s] - tests.get(s, 0) else "train" for u, s in utt2spk.items()
        }
    return utt2spk, dict.fromkeys(utt2spk, seconds), part


EIGHT = dict.fromkeys("ABCDEFGH", 100)
GENDER = dict(zip("ABCDEFGH", "fffffmmf", strict=True))


def test_sets_of_a_corpus_with_its_own_test_part():
    utt2spk, seconds, part = corpus(EIGHT, tests=dict.fromkeys("ABCDEFGH", 20))
    options = SplitOptions(labeled_minutes=3, dev_utts=12)
    result = split(utt2spk, seconds, part=part, gender=GENDER, options=options)
    assert result.targets == ["A", "F"]  # a quarter of eight, one of each gender
    sets = result.sets
    for spk in result.targets:
        assert sets[f"target_{spk}_test"] == [f"{spk}{i:04d}" for i in range(80, 100)]
        assert sets[f"target_{spk}_speech"] == [f"{spk}{i:04d}" for i in range(80)]
        assert len(sets[f"target_{spk}_labeled"]) == 30  # 3 minutes of 6 s each
        assert set(sets[f"target_{spk}_labeled"]) <= set(sets[f"target_{spk}_speech"])
    others = set("ABCDEFGH") - set(result.targets)
    assert {utt2spk[u] for name in ("train", "dev", "test") for u in sets[name]} == others
    assert len(sets["dev"]) == 12 and {utt2spk[u] for u in sets["dev"]} == others
    assert sets["test"] == sorted(u for u in utt2spk if part[u] == "test" and utt2spk[u] in others)
    assert len(sets["train"]) == 6 * 80 - 12


def test_sets_of_a_corpus_with_its_own_dev_part():
    utt2spk, seconds, _ = corpus(dict.fromkeys("ABCDEF", 30))
    part = {u: {"E": "dev", "F": "test"}.get(spk, "train") for u, spk in utt2spk.items()}
    result = split(utt2spk, seconds, part=part, options=SplitOptions(target_speakers=("D",), dev_utts=20))
    assert {utt2spk[u] for u in result.sets["dev"]} == {"E"} and len(result.sets["dev"]) == 20
    assert {utt2spk[u] for u in result.sets["train"]} == set("ABC")
    assert any(
        "20 of the 30 utterances" in remark and "10 are in no set" in remark for remark in result.remarks
    )
    whole = split(utt2spk, seconds, part=part, options=SplitOptions(target_speakers=("E",)))
    assert len(whole.sets["target_E_speech"]) + len(whole.sets["target_E_test"]) == 30
    with pytest.raises(UserError, match="only 30 can be spared of the corpus's own dev part"):
        split(utt2spk, seconds, part=part, options=SplitOptions(target_speakers=("D",), dev_utts=31))


def test_no_utterance_is_lost_or_used_twice():
    utt2spk, seconds, _ = corpus({"A": 40, "B": 30, "C": 1, "D": 2, "E": 25})
    sets = split(utt2spk, seconds).sets
    disjoint = [u for name, utts in sets.items() if not name.endswith("_labeled") for u in utts]
    assert sorted(disjoint) == sorted(utt2spk)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("ABCDEFGHIJKL"), st.integers(1, 40), min_size=1),
    st.booleans(),
    st.integers(0, 3),
)
def test_any_corpus(sizes, has_part, seed):
    utt2spk, seconds, part = corpus(sizes, tests=dict.fromkeys(sizes, 3) if has_part else None)
    try:
        result = split(utt2spk, seconds, part=part, options=SplitOptions(seed=seed, labeled_minutes=1))
    except UserError as error:
        assert "no utterance is left to train on" in str(error)
        return
    sets = result.sets
    assert {u for utts in sets.values() for u in utts} == set(utt2spk)
    assert not set(sets["train"]) & set(sets.get("test", [])) and not set(sets["train"]) & set(
        sets.get("dev", [])
    )
    for spk in result.targets:
        speech, labeled, test = (set(sets[f"target_{spk}_{kind}"]) for kind in ("speech", "labeled", "test"))
        assert labeled and labeled <= speech and not speech & test
        if len(sizes) >= 3:
            assert all(utt2spk[u] != spk for name in ("train", "dev", "test") for u in sets.get(name, []))
    if len(sizes) >= 3:
        able = sum(size >= 3 for size in sizes.values())
        assert len(result.targets) == min(max(1, len(sizes) // 4), 4, able)
    again = split(utt2spk, seconds, part=part, options=SplitOptions(seed=seed, labeled_minutes=1))
    assert again.sets == sets


def test_the_seed_changes_the_draw_and_another_speaker_does_not():
    utt2spk, seconds, _ = corpus(EIGHT)
    options = SplitOptions(target_speakers=("B",), labeled_minutes=2)
    one = split(utt2spk, seconds, options=options).sets
    other = split(utt2spk, seconds, options=dataclasses.replace(options, seed=1)).sets
    assert one["target_B_labeled"] != other["target_B_labeled"]
    assert one["target_B_test"] != other["target_B_test"]
    fewer = {u: s for u, s in utt2spk.items() if s != "H"}
    assert split(fewer, seconds, options=options).sets["target_B_labeled"] == one["target_B_labeled"]


def test_targets_have_a_test_part_and_enough_speech_and_no_more():
    utt2spk, seconds, part = corpus(
        {"A": 400, "B": 60, "C": 300, "D": 900, "E": 350}, tests={"A": 0, "B": 10, "C": 10, "D": 10, "E": 10}
    )
    # 15 labeled minutes ask for 30 of speech, 300 utterances: A has no test part, B too little, D is larger.
    assert split(utt2spk, seconds, part=part).targets == ["E"]
    assert split(utt2spk, seconds, part=part, options=SplitOptions(labeled_minutes=10)).targets == ["C"]
    assert split(utt2spk, seconds, part=part, options=SplitOptions(labeled_minutes=60)).targets == ["D"]


def test_too_little_speech_is_said_and_half_of_it_labeled():
    utt2spk, seconds, _ = corpus({"A": 50, "B": 50, "C": 50})
    result = split(utt2spk, seconds, options=SplitOptions(target_speakers=("A",)))
    assert len(result.sets["target_A_speech"]) == 45
    assert len(result.sets["target_A_labeled"]) == 22
    assert any("target A has 4.5 minutes" in remark and "half" in remark for remark in result.remarks)


def test_a_speaker_with_one_utterance_trains_only():
    utt2spk, seconds, _ = corpus({"A": 20, "B": 20, "C": 20, "Z": 1})
    result = split(utt2spk, seconds)
    assert "Z0000" in result.sets["train"]
    assert any("1 utterance, train only: Z" in remark for remark in result.remarks)


def test_many_speakers_of_one_utterance_all_train():
    utt2spk, seconds, _ = corpus(dict.fromkeys("ABCDEFGHIJKLMNOPQRST", 1))
    result = split(utt2spk, seconds)
    assert result.sets == {"train": sorted(utt2spk)} and result.targets == []


def test_one_speaker_is_pretrained_on_and_that_is_said():
    utt2spk, seconds, _ = corpus({"A": 100})
    result = split(utt2spk, seconds)
    sets = result.sets
    assert result.targets == ["A"] and any("not new to pretraining" in remark for remark in result.remarks)
    assert set(sets["target_A_speech"]) == set(sets["train"])
    assert sets["test"] == sets["target_A_test"] and len(sets["test"]) == 10
    assert not set(sets["dev"]) & (set(sets["train"]) | set(sets["target_A_speech"]) | set(sets["test"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SplitOptions(target_speakers=("X",)), "no speaker 'X'; there are 3: A, B, Z"),
        (SplitOptions(target_speakers=("Z",)), "'Z' has 2 utterances"),
        (SplitOptions(target_speakers=("A", "B"), dev_utts=9), "--dev_utts 9: only 1 can be spared"),
        (SplitOptions(test_share=1.5), "--test_share 1.5"),
    ],
)
def test_errors(options, message):
    utt2spk, seconds, _ = corpus({"A": 20, "B": 20, "Z": 2})
    with pytest.raises(UserError, match=message):
        split(utt2spk, seconds, options=options)


def test_all_speakers_as_targets_leave_nothing():
    utt2spk, seconds, _ = corpus({"A": 20, "B": 20, "C": 20})
    with pytest.raises(UserError, match="no utterance is left to train on"):
        split(utt2spk, seconds, options=SplitOptions(target_speakers=("A", "B", "C"), dev_utts=0))


def test_a_share_is_held_out_where_a_divided_corpus_has_no_test_part():
    utt2spk, seconds, _ = corpus({"A": 40, "B": 40, "C": 20, "D": 10})
    part = {u: "dev" if spk == "C" else "train" for u, spk in utt2spk.items()}
    options = SplitOptions(target_speakers=("B",), dev_utts=20)
    result = split(utt2spk, seconds, part=part, options=options)
    assert set(result.sets["dev"]) == {u for u in utt2spk if u[0] == "C"}  # all of the corpus's own
    alone = split(utt2spk, seconds, options=options)
    assert result.sets["test"] == [u for u in alone.sets["test"] if u[0] in "AD"] and result.sets["test"]
    assert result.sets["target_B_test"] == alone.sets["target_B_test"]
    assert any("no test part" in remark and "--test_share" in remark for remark in result.remarks)
    of_target = {u: "test" if u == "B0000" else "train" for u in utt2spk}
    assert split(utt2spk, seconds, part=of_target, options=options).sets["test"] == alone.sets["test"]
    one = {u: "test" if u == "A0000" else "train" for u in utt2spk}
    given = split(utt2spk, seconds, part=one, options=options)
    assert given.sets["test"] == ["A0000"] and not any("no test part" in said for said in given.remarks)


def test_why_a_set_is_empty_is_said():
    utt2spk, seconds, _ = corpus({"A": 20, "B": 20, "C": 20})
    result = split(utt2spk, seconds, options=SplitOptions(target_speakers=("A",), dev_utts=0))
    assert "dev is empty: --dev_utts 0" in result.remarks and not any("test is" in r for r in result.remarks)
    utt2spk, seconds, _ = corpus({"A": 2, "B": 2})
    remarks = split(utt2spk, seconds).remarks
    assert "dev is empty: too few utterances" in remarks
    assert "test is empty: no speaker has 3 utterances to train on" in remarks


@pytest.mark.parametrize(
    ("part", "seed", "digest"),
    [
        ("none", 0, "d0b5daa58e69b5d7"),
        ("none", 1, "4f22d073b4bc6a28"),
        ("all", 0, "429b446ec3f4e4c8"),
        ("all", 1, "9159c1f76e39fe15"),
        ("dev", 0, "a540f9f36bbf0521"),
        ("dev", 1, "925dc01f6d9aaf0d"),
    ],
)
def test_the_division_of_a_seed_stays_what_it_was(part, seed, digest):
    utt2spk, _, _ = corpus({"A": 60, "B": 35, "C": 1, "D": 2, "E": 48, "F": 400, "G": 30, "H": 21})
    seconds = {utt: 2 + (i * 7919 % 97) / 16 for i, utt in enumerate(utt2spk)}
    parts = {utt: ("train", "train", "dev", "test", "train")[i * 31 % 5] for i, utt in enumerate(utt2spk)}
    given = {
        "none": None,
        "all": parts,
        "dev": {utt: name for utt, name in parts.items() if name == "dev"},
    }
    gender = dict(zip("ABCDEF", "fmfmfm", strict=True))
    options = SplitOptions(seed=seed, labeled_minutes=1)
    result = split(utt2spk, seconds, part=given[part], gender=gender, options=options)
    assert result.targets == ["B", "G"]
    found = json.dumps([result.sets, result.remarks], sort_keys=True)
    assert hashlib.sha256(found.encode()).hexdigest()[:16] == digest
