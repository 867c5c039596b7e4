"""What a training reads, and how a resumed one is known to read the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ctap.errors import UserError
from ctap.files.sums import blocks
from ctap.text.rules import RULES_FILE


@dataclass
class Sources:
    """Where a training takes its data and its starting point from.

    Args:
        train_dir: Dump directory to train on.
        dev_dir: Dump directory to validate on; without one the last weights are taken.
        init: Model directory to start from; pretraining may do without.
        duration_init: Model directory to take the duration part from, if not from ``init``.
        units: Sentencepiece model of the CTC head (asr).
        given: Dump directory of another representation, with stats.json and a directory of the name of
            train_dir, and of dev_dir: for models that read it (section 3.2). For a vocoder, mels that a model
            predicted of the same recordings.
    """

    train_dir: Path
    dev_dir: Path | None = None
    init: Path | None = None
    duration_init: Path | None = None
    units: Path | None = None
    given: Path | None = None

    def __post_init__(self) -> None:
        """Paths may come as words."""
        for name, path in vars(self).items():
            if isinstance(path, str):
                setattr(self, name, Path(path))

    def refuse(self, *names: str) -> None:
        """Refuse sources that a training does not read.

        Raises:
            UserError: One of ``names`` is given.
        """
        for name in names:
            if path := getattr(self, name):
                raise UserError(f"--{name} {path}: this training does not read it; leave it out")

    def given_of(self, folder: Path) -> Path | None:
        """Where the other representation of dump directory ``folder`` is."""
        return None if self.given is None else self.given / folder.name

    def fingerprints(self) -> dict[str, str]:
        """A digest of everything that is read, so that a resumed training is known to be the same one."""
        digests = {}
        for name, folder in (("train_dir", self.train_dir), ("dev_dir", self.dev_dir)):
            if folder is not None:
                tables = ("utt2num_frames", "utt2spk", "aligned_phones", "durations", "feats.scp", RULES_FILE)
                tables += ("utt2audio", "text") if self.units is not None else ("utt2audio",)
                if not (folder / "feats.scp").exists():
                    tables = ("wav.scp", "utt2audio")  # a data directory: a vocoder reads no features
                shared = (folder.parent / "stats.json", folder.parent / "audio.json")
                digests[name] = digest(*(folder / t for t in tables), *shared)
                if (given := self.given_of(folder)) is not None:
                    arks = sorted(given.glob("*.crc32"))
                    digests[f"given_{name}"] = digest(given / "feats.scp", *arks, given.parent / "stats.json")
        for name, folder in (("init", self.init), ("duration_init", self.duration_init)):
            if folder is not None:
                digests[name] = digest(
                    *sorted(folder.glob("*.pt")),
                    *sorted(folder.glob("*.safetensors")),
                    folder / "model.yaml",
                    folder / RULES_FILE,
                )
        if self.units is not None:
            digests["units"] = digest(self.units)
        return digests


def digest(*paths: Path) -> str:
    """Short SHA-256 of the contents of the files that exist."""
    total = hashlib.sha256()
    for path in paths:
        if path.exists():
            total.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                for block in blocks(file):
                    total.update(block)
    return total.hexdigest()[:16]
