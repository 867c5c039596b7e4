"""A corpus spoiled at random in stages 0 to 2: no traceback, nothing whole is lost, all else is named.

50 corruptions, or as many as ``CTAP_CORRUPTIONS`` says; their kinds and what came of them are counted in the
file that ``CTAP_CORRUPTIONS_REPORT`` names.
"""

from __future__ import annotations

import collections
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from test import corruption
from test.corruption import KINDS, Corruption, Refused, keys, stage_0, stage_1, stage_2

COUNT = int(os.environ.get("CTAP_CORRUPTIONS", "50"))
came_of_it: collections.Counter[tuple[str, str]] = collections.Counter()

share = st.floats(0, 1, exclude_max=True)
odd = [b"\n", b"\t", b" ", b"\0", b"\xff", b"|", b"../x", b"-", b"9", b"e9", b'"', b"nan", b"1e999"]
odd += [text.encode() for text in ("\u3000", "ü", "㍿", "\u202e")]
data = st.one_of(st.binary(min_size=1, max_size=40), st.sampled_from(odd))
spoiled = st.builds(Corruption, st.sampled_from(KINDS), share, share, data)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    corruption.make_corpus(root)
    return root


def report() -> None:
    """Write what came of the corruptions so far, so that a run that is broken off leaves its counts."""
    if path := os.environ.get("CTAP_CORRUPTIONS_REPORT"):
        rows = [f"{kind}\t{outcome}\t{n}\n" for (kind, outcome), n in sorted(came_of_it.items())]
        Path(path).write_text("".join(["kind\toutcome\tcount\n", *rows]), encoding="utf-8")


def go(corpus: Path, work: Path, what: Corruption | None) -> str:
    """All stages on a spoiled copy; says what came of it."""
    after, data = work / "corpus", work / "data"
    shutil.copytree(corpus, after)
    touched = corruption.spoil(after, what) if what else after
    prepared, aligned = corruption.whole(corpus, after)
    everything = {path.stem for path in corpus.rglob("*.wav")}
    try:
        stage_0(corruption.prepare_aishell3(), after, data)
    except Refused as error:
        train = {path.stem for path in (corpus / "train").rglob("*.wav")}
        assert str(touched.parent) in str(error) or not prepared & train, f"{what}: {prepared}; {error}"
        return "stage 0 refused"
    kept = keys(data / "local/all/phones")
    assert prepared <= kept, f"whole, and left out: {prepared - kept}"
    named = (data / "local/skipped.tsv").read_text(encoding="utf-8")
    for utterance in everything - kept:
        assert utterance in named or str(touched) in named, f"{utterance}: left out, and not named: {named}"
    outcome = "some left out" if everything - kept else "all kept"
    sets = [data / name for name in ("train", "dev", "test") if (data / name).is_dir()]
    assert set().union(*(keys(folder / "wav.scp") for folder in sets)) == kept
    for folder in sets:
        mine = keys(folder / "wav.scp")
        try:
            stage_1(folder, after / "grids")
        except Refused as error:
            assert not mine & aligned, f"{folder.name}: whole: {mine & aligned}; {error}"
            return "stage 1 refused"
        timed, failed = keys(folder / "durations"), keys(folder / "align_failed")
        assert mine & aligned <= timed and timed | failed == mine
        if failed:
            outcome = "some left out"
    train = keys(data / "train/wav.scp")
    stage_2(data / "train", work / "dump/train")
    dumped = keys(work / "dump/train/feats.scp")
    lost = train - dumped
    assert not lost & prepared & aligned
    reasons = (work / "dump/train/skipped.tsv", data / "train/align_failed")
    assert all(
        any(path.is_file() and u in path.read_text(encoding="utf-8") for path in reasons) for u in lost
    )
    return outcome


def test_the_corpus_as_it_is(corpus: Path, tmp_path: Path) -> None:
    assert go(corpus, tmp_path, None) == "all kept"
    assert len(keys(tmp_path / "data/local/all/phones")) == 16


@settings(max_examples=COUNT, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck), phases=(Phase.generate,))  # fmt: skip
@given(what=spoiled)
def test_a_spoiled_corpus(corpus: Path, what: Corruption) -> None:
    with tempfile.TemporaryDirectory() as work:
        came_of_it[what.kind, go(corpus, Path(work), what)] += 1
    report()
