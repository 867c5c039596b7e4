"""Merging and thinning of data directories."""

import pytest

from ctap.bin.merge_data_dirs import merge_data_dirs
from ctap.bin.subset_data_dir import subset_data_dir
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.datadir import DataDir


def make(path, speakers, extra=False):
    path.mkdir()
    utts = {f"{s}-{i}": s for s in speakers for i in range(3)}
    write_table(path / "utt2spk", utts)
    write_table(path / "spk2utt", {s: [u for u in utts if utts[u] == s] for s in speakers})
    write_table(path / "wav.scp", {u: f"/x/{u}.wav" for u in utts})
    if extra:
        write_table(path / "text", dict.fromkeys(utts, "好"))
    return path


def test_merged_directories_hold_all_utterances_and_the_common_tables(tmp_path):
    a, b = make(tmp_path / "a", ["s1", "s2"], extra=True), make(tmp_path / "b", ["s3"])
    merge_data_dirs([b, a], tmp_path / "c")
    assert list(read_table(tmp_path / "c" / "wav.scp")) == sorted(
        [*read_table(a / "wav.scp"), *read_table(b / "wav.scp")]
    )
    assert DataDir(tmp_path / "c").spk2utt["s3"] == ["s3-0", "s3-1", "s3-2"]
    assert not (tmp_path / "c" / "text").exists()
    merge_data_dirs([a, b], tmp_path / "other order")
    for table in (tmp_path / "c").iterdir():
        assert (tmp_path / "other order" / table.name).read_bytes() == table.read_bytes()
    with pytest.raises(UserError, match="s3-0"):
        merge_data_dirs([b, tmp_path / "c"], tmp_path / "d")


def test_two_corpora_do_not_share_a_speaker(tmp_path):
    a, b = make(tmp_path / "a", ["s1"]), make(tmp_path / "b", ["s2"])
    for table in ("utt2spk", "wav.scp"):
        path = b / table
        path.write_text(path.read_text().replace("s2-", "t-").replace(" s2", " s1"))
    merge_data_dirs([a, b], tmp_path / "sets of one corpus")
    with pytest.raises(UserError, match=r"b/utt2spk: speaker s1 is in .*/a, too; give it another name"):
        merge_data_dirs([a, b], tmp_path / "corpora", own_speakers=True)


def test_a_directory_is_not_written_over_itself(tmp_path):
    a, b = make(tmp_path / "a", ["s1"]), make(tmp_path / "b", ["s2"])
    before = {path: path.read_bytes() for path in a.iterdir()}
    with pytest.raises(UserError, match="a: is read, and would be overwritten"):
        merge_data_dirs([a, b], tmp_path / "b" / ".." / "a")
    with pytest.raises(UserError, match="a: is read, and would be overwritten"):
        subset_data_dir(a, a, 1)
    assert {path: path.read_bytes() for path in a.iterdir()} == before


def test_a_subset_takes_from_all_speakers_alike(tmp_path):
    a = make(tmp_path / "a", ["s1", "s2", "s3"])
    subset_data_dir(a, tmp_path / "few", 5)
    counts = [len(u) for u in DataDir(tmp_path / "few").spk2utt.values()]
    assert sorted(counts) == [1, 2, 2]
    subset_data_dir(a, tmp_path / "again", 5)
    assert read_table(tmp_path / "few" / "wav.scp") == read_table(tmp_path / "again" / "wav.scp")
    chosen = set()
    for seed in range(5):
        subset_data_dir(a, tmp_path / "other", 5, seed)
        chosen.add((tmp_path / "other" / "wav.scp").read_text())
    assert len(chosen) > 1
    subset_data_dir(a, tmp_path / "all", 99)
    assert len(DataDir(tmp_path / "all").utterances()) == 9
    (a / "utt2spk").write_text("")
    with pytest.raises(UserError, match="a/utt2spk: no utterance in it"):
        subset_data_dir(a, tmp_path / "none", 5)
