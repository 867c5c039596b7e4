"""Shared fixtures: a tiny dump directory whose mels can be told from their phones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from ctap.audio.settings import AudioSettings
from ctap.files.tables import write_table
from ctap.kaldi.ark import MatrixWriter

if not Path("/dev/nvidiactl").exists():  # before anything imports triton: its own functions look at it then
    os.environ.setdefault("TRITON_INTERPRET", "1")

os.fsync = lambda descriptor: None  # what tests write need not outlast a power cut, and waiting costs minutes

settings.register_profile("untimed", deadline=None)  # a loaded machine is no fault
settings.load_profile("untimed")

PHONES = ["b", "a1", "sh", "iii4", "m", "ang2"]


def make_dump(root: Path, name: str, utterances: int = 12, seed: int = 0) -> Path:
    """Write dump directory ``root/name``: every phone has a mel of its own, plus speaker offset and noise."""
    rng = np.random.default_rng(seed)
    colours = {p: np.random.default_rng(i).normal(size=40) for i, p in enumerate(["sil", "sp", *PHONES])}
    folder = root / name
    folder.mkdir(parents=True)
    tables: dict[str, dict] = {
        k: {} for k in ("utt2spk", "utt2num_frames", "aligned_phones", "durations", "text", "phones")
    }
    with MatrixWriter(folder / "feats.ark", folder / "feats.scp") as writer:
        for i in range(utterances):
            speaker = f"SSB000{i % 3}"
            utt = f"{speaker}{i:04d}"
            inner = list(rng.choice(PHONES, size=rng.integers(4, 9)))
            phones = ["sil", *inner, "sil"]
            durations = rng.integers(4, 16, len(phones))
            mel = np.concatenate(
                [np.tile(colours[p], (n, 1)) for p, n in zip(phones, durations, strict=True)]
            )
            mel = mel + 0.1 * rng.normal(size=mel.shape) + 0.5 * (i % 3) - 3.0
            writer[utt] = mel.astype(np.float32)
            tables["utt2spk"][utt] = speaker
            tables["utt2num_frames"][utt] = str(len(mel))
            tables["aligned_phones"][utt] = " ".join(phones)
            tables["durations"][utt] = " ".join(map(str, durations))
            tables["text"][utt] = "".join("八沙是马昂中"[PHONES.index(p)] for p in inner)
            tables["phones"][utt] = " ".join(inner)
    for table, rows in tables.items():
        write_table(folder / table, rows)
    AudioSettings().save(root / "audio.json")
    (root / "stats.json").write_text(json.dumps({"mean": [-3.0] * 40, "std": [1.2] * 40, "frames": 1}))
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole recipe first: it takes longest, and the other processes work meanwhile."""
    items.sort(key=lambda item: "test_pipeline" not in item.nodeid)


@pytest.fixture(scope="session")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a dump with the sets ``train`` and ``dev``."""
    root = tmp_path_factory.mktemp("dump")
    make_dump(root, "train", 12, seed=0)
    make_dump(root, "dev", 5, seed=1)
    return root


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of tiny models of the compared systems; skips where transformers is not installed."""
    pytest.importorskip("transformers", reason="needs the extra `upstream`")
    from test.tiny_upstreams import save_models

    root = tmp_path_factory.mktemp("models")
    save_models(root)
    return root
