"""Arks against kaldiio, an implementation not ours."""

from __future__ import annotations

import pickle
import resource
import tempfile
from pathlib import Path

import kaldiio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.ark import MatrixReader, MatrixWriter, read_matrix
from ctap.kaldi.ark_sums import ArkSums
from ctap.kaldi.parts import Parts


def matrices(number: int = 12) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    lengths = [1, 2, 3, 4, 5, 9, *random.integers(10, 400, number)]
    return {f"utt{i:03d}": random.normal(-6, 3, (n, 40)).astype(np.float32) for i, n in enumerate(lengths)}


@pytest.mark.parametrize("method", [None, 1, 2, 3, 5])
def test_reads_what_kaldiio_writes(tmp_path: Path, method: int | None) -> None:
    ark, scp = str(tmp_path / "a.ark"), str(tmp_path / "a.scp")
    kaldiio.save_ark(ark, matrices(), scp=scp, compression_method=method)
    reader, theirs = MatrixReader(scp), kaldiio.load_scp(scp)
    assert list(reader) == list(matrices())
    for utterance, matrix in matrices().items():
        ours = reader[utterance]
        assert ours.dtype == np.float32 and ours.flags.writeable
        assert ours.shape == matrix.shape == reader.shape(utterance)
        np.testing.assert_allclose(ours, theirs[utterance], rtol=0, atol=4e-6)


@pytest.mark.parametrize("method", [None, 1, 2, 3, 5])
def test_kaldiio_reads_what_we_write(tmp_path: Path, method: int | None) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", method) as writer:
        for utterance, matrix in matrices().items():
            writer[utterance] = matrix
    theirs = kaldiio.load_scp(str(tmp_path / "a.scp"))
    bound = {None: 0.0, 1: 0.4, 2: 0.4, 3: 2e-4, 5: 0.06}[method]
    for utterance, matrix in matrices().items():
        np.testing.assert_allclose(theirs[utterance], matrix, rtol=0, atol=bound)
    assert [key for key, _ in kaldiio.load_ark(str(tmp_path / "a.ark"))] == list(matrices())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 9), st.floats(-1e4, 1e4), st.floats(0, 1e4), st.integers(0, 99))
def test_one_byte_error_is_bounded(
    tmp_path_factory: pytest.TempPathFactory, rows: int, columns: int, mean: float, scale: float, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("ark")
    matrix = (mean + scale * np.random.default_rng(seed).normal(size=(rows, columns))).astype(np.float32)
    with MatrixWriter(folder / "a.ark", folder / "a.scp") as writer:
        writer["u"] = matrix
    bound = (matrix.max() - matrix.min()) / 508 + 1e-6 * np.abs(matrix).max()
    assert np.abs(read_matrix(f"{folder}/a.ark:2") - matrix).max() <= max(bound, 1e-12)


def test_float16_and_float64_are_stored_right(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(0, 300, (50, 8))
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", 2) as writer:
        writer["half"], writer["double"] = matrix.astype(np.float16), matrix
    reader = MatrixReader(tmp_path / "a.scp")
    for utterance in reader:
        np.testing.assert_allclose(reader[utterance], matrix, atol=20)
    kaldiio.save_ark(str(tmp_path / "d.ark"), {"d": matrix}, scp=str(tmp_path / "d.scp"))
    np.testing.assert_allclose(MatrixReader(tmp_path / "d.scp")["d"], matrix, rtol=1e-6)


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        (np.array([[0.0, np.nan]]), "NaN"),
        (np.array([[0.0, 1.0], [np.inf, 2.0]]), "frame 1, bin 0"),
        (np.zeros((0, 40)), r"shape \[0, 40\]"),
        (np.zeros(40), r"shape \[40\]"),
    ],
)
def test_unusable_matrix_is_refused_by_name(tmp_path: Path, matrix: np.ndarray, word: str) -> None:
    with (
        pytest.raises(UserError, match=f"'SSB1'.*{word}"),
        MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer,
    ):
        writer["SSB0"] = np.ones((2, 2))
        writer["SSB1"] = matrix
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("method", "enough"), [(None, True), (3, True), (5, False)])
def test_rounding_is_told_and_two_bytes_bear_one_large_dimension(
    tmp_path: Path, method: int | None, enough: bool
) -> None:
    """Hidden layers of transformers have dimensions many times as large as the median one."""
    matrix = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)
    matrix[:, 7] *= 60
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", method) as writer:
        writer["utt"] = matrix
    reader = MatrixReader(tmp_path / "a.scp")
    error = np.abs(reader["utt"] - matrix).max()
    assert 0.9 * reader.rounding("utt") <= error <= 1.01 * reader.rounding("utt") + 1e-9
    assert (error < 0.01 * np.median(matrix.std(axis=0))) == enough


def test_rounding_of_method_2_cannot_be_told(tmp_path: Path) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", 2) as writer:
        writer["utt"] = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.raises(UserError, match=r"utt.*method 2"):
        MatrixReader(tmp_path / "a.scp").rounding("utt")


def test_failed_writer_leaves_the_old_pair(tmp_path: Path) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["old"] = np.ones((2, 2))
    with (
        pytest.raises(UserError, match="second time"),
        MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as w,
    ):
        w["new"] = np.zeros((3, 2))
        w["new"] = np.zeros((3, 2))
    assert list(MatrixReader(tmp_path / "a.scp")) == ["old"]
    assert MatrixReader(tmp_path / "a.scp")["old"].shape == (2, 2)


def test_commands_in_an_scp_are_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    for spec in (f"touch {witness} |", f"| touch {witness}", f"cat x|touch {witness}"):
        (tmp_path / "a.scp").write_text(f"u {spec}\n")
        with pytest.raises(UserError, match=r"\|"):
            MatrixReader(tmp_path / "a.scp")
        with pytest.raises(UserError, match=r"\|"):
            read_matrix(spec)
    assert not witness.exists()


class Witness:
    def __reduce__(self) -> tuple:
        return (pytest.fail, ("the payload was unpickled",))


def test_pickles_and_other_payloads_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.ark").write_bytes(b"u PKL" + pickle.dumps(Witness()))
    with pytest.raises(UserError, match="pickled"):
        read_matrix(f"{tmp_path}/p.ark:2")
    kaldiio.save_ark(str(tmp_path / "w.ark"), {"u": (8000, np.zeros(80, dtype=np.int16))})
    with pytest.raises(UserError, match="audio"):
        read_matrix(f"{tmp_path}/w.ark:2")
    kaldiio.save_ark(str(tmp_path / "v.ark"), {"u": np.zeros(8, dtype=np.float32)})
    with pytest.raises(UserError, match="expected a Kaldi matrix"):
        read_matrix(f"{tmp_path}/v.ark:2")


@pytest.mark.parametrize("method", [None, 2, 3, 5])
def test_every_truncation_is_noticed(tmp_path: Path, method: int | None) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", method) as writer:
        writer["a"], writer["b"] = np.random.rand(6, 3), np.random.rand(6, 3)
    whole = (tmp_path / "a.ark").read_bytes()
    begin = int((tmp_path / "a.scp").read_text().split(":")[-1])
    for size in range(begin - 2, len(whole)):
        (tmp_path / "a.ark").write_bytes(whole[:size])
        with pytest.raises(UserError, match="cut short"):
            MatrixReader(tmp_path / "a.scp")["a"]
    (tmp_path / "a.ark.crc32").unlink()  # as of an ark that another tool wrote
    for size in range(begin - 2, len(whole)):
        (tmp_path / "a.ark").write_bytes(whole[:size])
        reader = MatrixReader(tmp_path / "a.scp")
        with pytest.raises(UserError, match="cut short"):
            reader["b"]
        assert reader["a"].shape == (6, 3)


@pytest.mark.parametrize("name", ["a.ark", "a.ark.crc32"])
def test_every_flipped_bit_is_noticed(tmp_path: Path, name: str) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["a"], writer["b"] = np.random.rand(6, 3), np.random.rand(6, 3)
    whole = (tmp_path / name).read_bytes()
    keys = [whole.index(b"a "), whole.index(b"b ")] if name == "a.ark" else []
    for at in sorted(set(range(len(whole))) - {k + i for k in keys for i in (0, 1)}):
        (tmp_path / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        reader = MatrixReader(tmp_path / "a.scp")
        with pytest.raises(UserError, match=r"a\.ark"):
            [reader[utterance] for utterance in reader]


def test_a_growing_ark_is_read_as_far_as_it_is_listed(tmp_path: Path) -> None:
    ark = tmp_path / "12:30.ark"  # a path may hold a colon, too
    with MatrixWriter(ark, tmp_path / "a.scp", growing=True) as writer:
        writer["a"] = np.ones((4, 3))
        writer.save()
        writer["b"] = np.ones((4, 3))
        writer._file.flush()
        assert next(iter(MatrixReader(tmp_path / "a.scp").values())).shape == (4, 3)
    assert len([*MatrixReader(tmp_path / "a.scp").values()]) == 2


def test_wrong_offset_missing_ark_and_range_are_told(tmp_path: Path) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["a"] = np.ones((4, 3))
    with pytest.raises(UserError, match="no binary Kaldi matrix here"):
        read_matrix(f"{tmp_path}/a.ark:7")
    with pytest.raises(UserError, match="range"):
        read_matrix(f"{tmp_path}/a.ark:2[0:1]")
    (tmp_path / "a.ark").unlink()
    with pytest.raises(UserError, match=r"a\.ark: cannot be read"):
        MatrixReader(tmp_path / "a.scp")["a"]


def test_reader_survives_pickling_and_moving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dump").mkdir()
    monkeypatch.chdir(tmp_path / "dump")
    with MatrixWriter("a.ark", "a.scp", None) as writer:
        writer["a"] = np.arange(6).reshape(2, 3)
    monkeypatch.chdir(tmp_path)
    reader = MatrixReader("dump/a.scp")
    expected = reader["a"]
    copy = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(copy["a"], expected)
    assert "b" not in reader and len(reader) == 1


def test_an_ark_of_a_recipe_is_found_from_another_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "dump/dev"
    folder.mkdir(parents=True)
    with MatrixWriter("dump/dev/f.1.ark", "dump/dev/f.scp", None) as writer:
        writer["u"] = np.ones((2, 3))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert (MatrixReader(folder / "f.scp")["u"] == 1).all()
    (folder / "f.1.ark").unlink()
    with pytest.raises(UserError, match=r"dump/dev/f\.1\.ark: cannot be read"):
        MatrixReader(folder / "f.scp")["u"]


def test_a_growing_ark_lists_what_it_holds_whatever_comes(tmp_path):
    ark, scp = tmp_path / "w.ark", tmp_path / "w.scp"
    scp.write_text("old w.ark:4\n")
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    with pytest.raises(KeyboardInterrupt), MatrixWriter(ark, scp, None, growing=True) as writer:
        assert not scp.exists()
        writer["a"] = first
        writer.save()
        so_far = MatrixReader(scp)
        np.testing.assert_allclose(so_far["a"], first, rtol=1e-6)
        with pytest.raises(UserError):
            writer["bad"] = np.full((2, 2), np.nan)
        writer["b"] = second
        assert list(MatrixReader(scp)) == ["a"]
        raise KeyboardInterrupt
    found = MatrixReader(scp)
    assert list(found) == ["a", "b"]
    np.testing.assert_allclose(found["b"], second, rtol=1e-6)
    with MatrixWriter(ark, scp, None, growing=True):
        assert not ark.with_name("w.ark.crc32").exists()  # which are those of the old one
    assert not scp.exists()


@settings(max_examples=30, deadline=None)
@given(places=st.sets(st.integers(0, 23), min_size=1), near=st.integers(1, 4000))
def test_what_is_read_ahead_holds_the_utterances_and_no_gap(places: set[int], near: int) -> None:
    """Of two arks; utterances that lie apart are read one by one, and each to its end."""
    asked: list[tuple[int, int, int]] = []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        rows = {}
        for part in ("a", "b"):
            with MatrixWriter(f"{folder}/{part}.ark", f"{folder}/{part}.scp") as writer:
                for utt, matrix in matrices(6).items():
                    writer[f"{part}{utt}"] = matrix
            rows |= read_table(Path(folder) / f"{part}.scp")
        write_table(Path(folder) / "feats.scp", rows)
        reader = MatrixReader(Path(folder) / "feats.scp")
        patch.setattr("ctap.kaldi.ark.NEAR", near)
        patch.setattr(
            "ctap.kaldi.ark._Ark.read_ahead", lambda ark, start, end: asked.append((id(ark), start, end))
        )
        reader.read_ahead(np.array(sorted(places)))
        arks = {name: id(reader._map(name)) for name in reader.places.arks}
    for place in places:
        own, offset = arks[reader.places.arks[reader.places.ark[place]]], reader.places.offset[place]
        assert any(ark == own and start <= offset and offset + near <= end for ark, start, end in asked)
    assert sum(end - start for _, start, end in asked) <= len(places) * 2 * near


def test_a_file_is_read_ahead_to_its_end_at_most(tmp_path: Path) -> None:
    """As the system takes it: from whole pages on, and no further than the file goes."""
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        for utt, matrix in matrices().items():
            writer[utt] = matrix
    reader = MatrixReader(tmp_path / "a.scp")
    reader.read_ahead(np.arange(3, 12))
    reader.read_ahead(np.arange(0))
    assert set(reader) == set(matrices())


def test_an_ark_that_was_cut_short_says_so_when_it_is_read_and_not_before(tmp_path: Path) -> None:
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        for utt, matrix in matrices().items():
            writer[utt] = matrix
    (tmp_path / "a.ark.crc32").unlink()
    with (tmp_path / "a.ark").open("r+b") as ark:
        ark.truncate(5000)
    reader = MatrixReader(tmp_path / "a.scp")
    reader.read_ahead(np.arange(len(reader)))
    with pytest.raises(UserError, match=r"cut short"):
        dict(reader)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    shard_frames=st.integers(1, 20),
    most_open=st.integers(1, 3),
    data=st.data(),
)
@settings(max_examples=50, deadline=None)
def test_shards_hold_what_one_ark_would_and_no_more_than_they_may(
    lengths: list[int], shard_frames: int, most_open: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = {f"u{i:02d}": np.full((frames, 2), i, np.float32) for i, frames in enumerate(lengths)}
        with MatrixWriter(folder / "a.ark", folder / "a.scp", None, shard_frames=shard_frames) as writer:
            for utt, matrix in written.items():
                writer[utt] = matrix
        reader = MatrixReader(folder / "a.scp", most_open=most_open)
        arks = [folder / f"a.{number}.ark" for number in range(1, len(reader.arks()) + 1)]
        assert reader.arks() == arks == sorted(folder.glob("*.ark"), key=lambda ark: int(ark.suffixes[0][1:]))
        for utt in data.draw(st.permutations(list(written))):
            np.testing.assert_array_equal(reader[utt], written[utt])
            assert len(reader._maps) <= most_open
        inside = [
            [len(written[utt]) for utt in written if reader.place(utt).startswith(f"{ark.name}:")]
            for ark in arks
        ]
        assert [frames for ark in inside for frames in ark] == lengths
        for frames, (first, *_) in zip(inside, [*inside[1:], [shard_frames + 1]], strict=True):
            assert sum(frames) <= shard_frames or len(frames) == 1
            assert sum(frames) + first > shard_frames


def test_a_shard_is_there_before_the_next_begins_and_the_list_only_at_the_end(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", shard_frames=2) as writer,
    ):
        for utt in "abc":
            writer[utt] = np.ones((2, 2))
        raise KeyboardInterrupt
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.1.ark", "a.1.ark.crc32", "a.2.ark", "a.2.ark.crc32"]


def test_more_arks_than_a_process_may_open_are_read(tmp_path: Path) -> None:
    utts = [f"u{i:04d}" for i in range(600)]
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp", shard_frames=1) as writer:
        for utt in utts:
            writer[utt] = np.ones((1, 2))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        assert len(dict(MatrixReader(tmp_path / "a.scp"))) == 600
        assert len(Parts.open([tmp_path / "a.scp"]).utts) == 600
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_where_no_matrix_begins_is_not_called_damaged(tmp_path: Path) -> None:
    """An ark that was written again, under an scp of before."""
    with MatrixWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["u"] = np.ones((3, 4))
    sums = ArkSums(tmp_path / "a.ark", (tmp_path / "a.ark").stat().st_size)
    for offset in (1, 10**6):
        with pytest.raises(UserError, match="x: no matrix begins here; is the scp older than its ark"):
            sums.check(offset, b"", "x")
