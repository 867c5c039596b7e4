"""What an aligner is, and the named choice between aligners."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ctap.align.corpus import AlignCorpus
from ctap.align.features import Features, Statistics
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError

MANIFEST = "aligner.json"


class CannotAlign(UserError):  # noqa: N818 - what callers catch, and what it says
    """An utterance that the aligner has no alignment for; the message is the reason."""


@dataclass(frozen=True)
class Alignment:
    """One utterance, aligned.

    Attributes:
        phones: with the pauses that are heard.
        durations: frames of each.
        confidence: of each, at most 0: mean over its frames of the log score minus that of the best state of
            any phone. 0 means that nothing fits better anywhere.
        score: mean of the same over the frames of all that is not pause.
    """

    phones: list[str]
    durations: list[int]
    confidence: list[float]
    score: float


class Aligner(Protocol):
    """A trained aligner. Features are those of :mod:`ctap.align.features`, normalised per speaker."""

    everybody: Statistics

    def align(self, features: Features, phones: list[str], total_frames: int) -> Alignment:
        """Align features with phones (no pauses); raises :class:`CannotAlign`."""
        ...

    def adapt(self, examples: Iterable[tuple[Features, list[str]]]) -> Aligner:
        """This aligner, made to suit one speaker by features and phones of some utterances."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        ...


class AlignerKind(Protocol):
    """How aligners of one kind are made."""

    def train(self, corpus: AlignCorpus, *, hours: float, seed: int, threads: int) -> Aligner:
        """Train from a flat start on at most ``hours`` of the corpus."""
        ...

    def load(self, folder: Path, settings: AudioSettings) -> Aligner:
        """Read what :meth:`Aligner.save` wrote."""
        ...


def aligner_kinds() -> dict[str, AlignerKind]:
    """The aligners that can be named."""
    from ctap.align.hmm import HmmKind

    return {"gmm": HmmKind()}


def aligner_kind(name: str) -> AlignerKind:
    """The aligner called ``name``.

    Raises:
        UserError: there is none.
    """
    kinds = aligner_kinds()
    if name not in kinds:
        raise UserError(f"no aligner {name!r}; there are: {', '.join(kinds)}")
    return kinds[name]


def save_aligner(name: str, aligner: Aligner, settings: AudioSettings, folder: str | Path) -> None:
    """Write a model folder, whole or not at all."""
    from ctap.files.atomic import atomic_dir

    with atomic_dir(folder) as temporary:
        aligner.save(temporary)
        manifest = {"aligner": name, "format": 1, "audio": settings.as_dict()}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def load_aligner(folder: str | Path) -> tuple[Aligner, AudioSettings]:
    """Read a model folder.

    Returns:
        The aligner and the settings whose frames its durations count.

    Raises:
        UserError: it is not a model folder, or of another format.
    """
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"{folder}: no aligner here ({MANIFEST} is missing); train one first") from None
    except ValueError as error:
        raise UserError(f"{path}: not readable: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != 1:
        raise UserError(f"{path}: not an aligner of format 1; train it again")
    settings = AudioSettings.from_dict(manifest.get("audio", {}), where=str(path))
    return aligner_kind(str(manifest.get("aligner"))).load(Path(folder), settings), settings
