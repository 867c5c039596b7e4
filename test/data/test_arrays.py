"""Arrays beside the tables: the same as the tables, or not used."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.data import arrays
from ctap.data.arrays import FOLDER, LABELS, TABLES, read_arrays, stored_arrays, write_arrays
from ctap.data.dataset import FeatureSet
from ctap.errors import UserError
from ctap.files.sums import SUMS, write_sums
from ctap.files.tables import read_table, write_table
from ctap.text.languages import older

TOKENS = older().tokens


@pytest.fixture
def dev(dump: Path, tmp_path: Path) -> Path:
    """A dump directory with arrays."""
    shutil.copytree(dump / "dev", tmp_path / "dev")
    write_arrays(tmp_path / "dev")
    return tmp_path / "dev"


def contents(features: FeatureSet) -> dict[str, object]:
    """All that is in a set."""
    count = range(len(features))
    return {
        "utts": list(features.utts),
        "lengths": features.lengths.tolist(),
        "speakers": [features.speakers[number] for number in features.speaker],
        "tokens": [row.tolist() for row in features.tokens],
        "durations": [row.tolist() for row in features.durations],
        "mels": [features.mel(index).tolist() for index in count],
    }


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )


def mapped(array: np.ndarray) -> bool:
    return isinstance(array.base, np.memmap)


@pytest.mark.parametrize("labeled", [True, False])
def test_a_set_is_the_same_with_arrays_and_without(dump: Path, dev: Path, labeled: bool, capsys) -> None:
    found = FeatureSet(dev, TOKENS, labeled=labeled)
    assert contents(found) == contents(FeatureSet(dump / "dev", TOKENS, labeled=labeled))
    assert mapped(found.speaker) and (not labeled or mapped(found.durations.values))
    assert capsys.readouterr().err == ""


WORDS = st.lists(st.sampled_from([f"p{number}" for number in range(300)]), min_size=1, max_size=4)


@given(
    st.dictionaries(
        st.text("ab北", min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=3), min_size=1
    ),
    st.sampled_from([1, 200, 300, 70_000]),
    st.randoms(use_true_random=False),
)
def test_what_is_stored_is_what_the_tables_say(tmp_path_factory, spoken, longest, rng) -> None:
    folder = tmp_path_factory.mktemp("set")
    phones = {utt: [word for words in rows for word in words] for utt, rows in spoken.items()}
    spans = {utt: [rng.randint(1, longest) for _ in own] for utt, own in phones.items()}
    tables = {
        "aligned_phones": phones,
        "durations": spans,
        "utt2num_frames": {utt: [sum(own)] for utt, own in spans.items()},
        "utt2spk": {utt: [utt[:1]] for utt in spans},
        "feats.scp": {utt: [f"some where/{len(utt)}.ark:{rng.randrange(2**40)}"] for utt in spans},
    }
    for name, table in tables.items():
        keys = rng.sample(list(table), len(table))
        (folder / name).write_text("".join(f"{k} {' '.join(map(str, table[k]))}\n" for k in keys))
    made = read_arrays(folder, labeled=True)
    write_arrays(folder)
    stored = stored_arrays(folder, labeled=True)
    assert stored is not None and same(made, stored) and all(mapped(array) for array in stored.values())
    found, utts = FeatureSet(folder, arrays_tokens(), labeled=True), sorted(spans)
    assert list(found.utts) == utts
    assert [row.tolist() for row in found.durations] == [spans[utt] for utt in utts]
    assert [arrays_tokens().decode(row.tolist()) for row in found.tokens] == [phones[utt] for utt in utts]
    for utt in utts:
        [spec] = tables["feats.scp"][utt]
        assert spec.endswith(f"/{found.mels.place(utt)}") and found.mels.places.arks


def arrays_tokens():
    from ctap.text.tokens import TokenTable

    return TokenTable.of(f"p{number}" for number in range(300))


@pytest.mark.parametrize("table", [*TABLES, *LABELS])
def test_an_edited_table_is_noticed_whatever_its_size_and_time(dev: Path, table: str, capsys) -> None:
    path = dev / table
    content, stat = path.read_bytes(), path.stat()
    edit = content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]
    path.write_bytes(edit)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert stored_arrays(dev, labeled=True) is None
    said = capsys.readouterr().err
    assert f"{dev / FOLDER}: was not made of {table} as it is now" in said and "stage 2" in said
    assert (stored_arrays(dev, labeled=False) is None) is (table in TABLES)
    path.write_bytes(content)
    os.utime(path)
    assert stored_arrays(dev, labeled=True) is not None


def test_what_was_edited_is_what_is_read(dev: Path, capsys) -> None:
    rows = read_table(dev / "utt2spk")
    write_table(dev / "utt2spk", rows | {sorted(rows)[0]: "somebody"})
    found = FeatureSet(dev, TOKENS)
    assert found.speakers[found.speaker[0]] == "somebody" and "warning" in capsys.readouterr().err
    write_arrays(dev)
    found = FeatureSet(dev, TOKENS)
    assert found.speakers[found.speaker[0]] == "somebody" and capsys.readouterr().err == ""


def test_a_removed_table_is_noticed(dev: Path) -> None:
    (dev / "durations").unlink()
    with pytest.raises(UserError, match="durations: cannot be read"):
        FeatureSet(dev, TOKENS)
    assert len(FeatureSet(dev, TOKENS, labeled=False)) == 5


@given(st.data())
def test_no_changed_bit_and_no_lost_end_is_read_as_good(dump: Path, tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("damage") / "dev"
    shutil.copytree(dump / "dev", folder)
    write_arrays(folder)
    path = data.draw(st.sampled_from(sorted((folder / FOLDER).iterdir())))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[place:]
    path.write_bytes(content)
    assert stored_arrays(folder, labeled=True) is None
    assert same(read_arrays(folder, labeled=True), read_arrays(dump / "dev", labeled=True))


def spoil_nothing_but_sums(folder: Path) -> None:
    (folder / SUMS).unlink()


def spoil_a_file(folder: Path) -> None:
    (folder / "phones.npy").unlink()


def spoil_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def spoil_the_version(folder: Path) -> None:
    path = folder / "tables.json"
    path.write_text(path.read_text().replace(f'"format": {arrays.FORMAT}', '"format": 0'))
    write_sums(folder)


def spoil_the_json(folder: Path) -> None:
    (folder / "tables.json").write_text("[1]")
    write_sums(folder)


def spoil_by_a_pickle(folder: Path) -> None:
    np.save(folder / "speaker.npy", np.array([{"a": 1}], object), allow_pickle=True)
    write_sums(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_nothing_but_sums,
        spoil_a_file,
        spoil_all,
        spoil_the_version,
        spoil_the_json,
        spoil_by_a_pickle,
    ],
)
def test_arrays_that_are_not_whole_are_named_and_not_used(dump: Path, dev: Path, spoil, capsys) -> None:
    spoil(dev / FOLDER)
    assert contents(FeatureSet(dev, TOKENS)) == contents(FeatureSet(dump / "dev", TOKENS))
    said = capsys.readouterr().err
    assert said.startswith("warning: ") and str(dev / FOLDER) in said


def test_a_training_writes_nothing_there(dump: Path, dev: Path) -> None:
    for folder in (dump / "dev", dev):
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        FeatureSet(folder, TOKENS)
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_arrays_that_are_in_use_may_be_written_anew(dev: Path) -> None:
    features = FeatureSet(dev, TOKENS)
    before = contents(features)
    rows = read_table(dev / "utt2spk")
    write_table(dev / "utt2spk", dict.fromkeys(rows, "somebody"))
    write_arrays(dev)
    assert contents(features) == before
    assert FeatureSet(dev, TOKENS).speakers == ["somebody"]


def test_a_table_that_changes_while_it_is_read_is_noticed(dev: Path, monkeypatch) -> None:
    make = arrays.make_arrays

    def edited(dump: Path, *, labeled: bool):
        rows = read_table(dump / "utt2spk")
        write_table(dump / "utt2spk", dict.fromkeys(rows, "somebody"))
        return make(dump, labeled=labeled)

    monkeypatch.setattr(arrays, "make_arrays", edited)
    write_arrays(dev)
    assert stored_arrays(dev, labeled=True) is None


def test_arrays_of_unsound_tables_are_not_written(dev: Path) -> None:
    rows = read_table(dev / "durations")
    utt = sorted(rows)[2]
    write_table(dev / "durations", rows | {utt: "1"})
    before = sorted((dev / FOLDER).iterdir())
    with pytest.raises(UserError, match=f"{utt}: 1 durations summing to 1 frames for"):
        write_arrays(dev)
    assert sorted((dev / FOLDER).iterdir()) == before and not list(dev.glob(".*"))


@pytest.mark.parametrize("stored", [True, False])
def test_an_unknown_phone_is_named_with_its_utterance(dump: Path, tmp_path: Path, stored: bool) -> None:
    shutil.copytree(dump / "dev", tmp_path / "dev")
    rows = read_table(tmp_path / "dev" / "aligned_phones")
    utt = sorted(rows)[3]
    rest = rows[utt].partition(" ")[2]
    write_table(tmp_path / "dev" / "aligned_phones", rows | {utt: f"qq9 {rest}"})
    if stored:
        write_arrays(tmp_path / "dev")
    with pytest.raises(UserError, match=f"aligned_phones: {utt}: phone 'qq9' is not in the token table"):
        FeatureSet(tmp_path / "dev", TOKENS)


def test_another_representation_is_compared_by_arrays_too(dump: Path, dev: Path, tmp_path: Path) -> None:
    shutil.copytree(dev, tmp_path / "given")
    found = FeatureSet(dev, TOKENS, given=tmp_path / "given")
    assert found.given is not None and found.given.places.names is found.utts
    utt = found.utts[1]
    assert (found.given[utt] == found.mels[utt]).all()
    rows = read_table(dev / "utt2num_frames")
    kept = {name: row for name, row in rows.items() if name != utt}
    for name in (*TABLES, *LABELS):
        table = read_table(tmp_path / "given" / name)
        write_table(tmp_path / "given" / name, {key: table[key] for key in kept})
    write_arrays(tmp_path / "given")
    with pytest.raises(UserError, match=f"given/feats.scp: {utt}: 0 frames, {rows[utt]} in"):
        FeatureSet(dev, TOKENS, given=tmp_path / "given")
