"""Sets that are written together hold what each would hold alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.tables import read_table
from ctap.kaldi import subsets
from ctap.kaldi.subsets import Subset, write_subsets

UTTS = [f"{spk}{i}" for spk in "abc" for i in range(4)]


def make(source, has_text, order):
    source.mkdir()
    rows = {
        "wav.scp": {utt: f"/{utt}.wav" for utt in UTTS},
        "utt2spk": {utt: utt[0] for utt in UTTS},
        "text": {utt: f"text of {utt}" for utt in UTTS if utt in has_text},
        "utt2lang": {"a0": "zh"},
        "spk2gender": {"a": "f", "c": "m"},
    }
    for name, table in rows.items():
        keys = order(list(table))
        (source / name).write_text("".join(f"{key} {table[key]}\n" for key in keys))
    (source / "text.json").write_text("{}")
    return rows


@given(
    wanted=st.lists(st.tuples(st.sets(st.integers(0, 11), min_size=1), st.booleans()), max_size=6),
    has_text=st.sets(st.sampled_from(UTTS)),
    is_sorted=st.booleans(),
    at_once=st.integers(1, 7),
)
def test_each_set_has_the_rows_of_its_utterances(tmp_path_factory, wanted, has_text, is_sorted, at_once):
    root = tmp_path_factory.mktemp("sets")
    rows = make(root / "all", has_text, sorted if is_sorted else lambda keys: keys[::-1])
    some = [
        Subset(root / str(number), np.array(sorted(places)), text)
        for number, (places, text) in enumerate(wanted)
    ]
    for own in some:
        own.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subsets, "_AT_ONCE", at_once)
        write_subsets(root / "all", Names(UTTS, "here"), some)
    for own in some:
        utts = [UTTS[place] for place in own.places]
        speakers = sorted({utt[0] for utt in utts})
        expected = {
            name: {
                key: table[key]
                for key in sorted(table)
                if key in (speakers if name == "spk2gender" else utts)
            }
            for name, table in rows.items()
            if own.text or name != "text"
        }
        expected["spk2utt"] = {spk: " ".join(utt for utt in utts if utt[0] == spk) for spk in speakers}
        found = {path.name: path for path in own.folder.iterdir()}
        assert (found.pop("text.json", None) is not None) is own.text
        assert {name: list(read_table(path).items()) for name, path in found.items()} == {
            name: list(table.items()) for name, table in expected.items() if table
        }


def test_tables_may_be_left_and_every_utterance_has_a_speaker(tmp_path):
    make(tmp_path / "all", set(), sorted)
    (tmp_path / "d").mkdir()
    write_subsets(
        tmp_path / "all",
        Names(UTTS, "here"),
        [Subset(tmp_path / "d", np.arange(2))],
        leave={"wav.scp", "spk2gender"},
    )
    assert {path.name for path in (tmp_path / "d").iterdir()} == {
        "utt2spk",
        "utt2lang",
        "spk2utt",
        "text.json",
    }
    with pytest.raises(UserError, match=r"all: has no utterance 'zz' \(1 such in all\)"):
        write_subsets(tmp_path / "all", Names(["a0", "zz"], "here"), [])
