"""The named choice between aligners, and their model folders."""

from __future__ import annotations

import json
from pathlib import Path

from ctap.align.aligner import Aligner, AlignerKind
from ctap.align.hmm import HmmKind
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir
from ctap.files.sums import check_sums, write_sums
from ctap.text.languages import language_of
from ctap.text.rules import TextRules

MANIFEST = "aligner.json"


def aligner_kinds() -> dict[str, AlignerKind]:
    """The aligners that can be named."""
    return {"gmm": HmmKind()}


def aligner_kind(name: str) -> AlignerKind:
    """The aligner called ``name``.

    Raises:
        UserError: there is no such aligner.
    """
    kinds = aligner_kinds()
    if name not in kinds:
        raise UserError(f"no aligner {name!r}; there are: {', '.join(kinds)}")
    return kinds[name]


def save_aligner(
    name: str, aligner: Aligner, settings: AudioSettings, folder: str | Path, rules: TextRules
) -> None:
    """Write a model folder, whole or not at all; ``rules`` are those of the texts trained on."""
    with atomic_dir(folder) as temporary:
        aligner.save(temporary)
        rules.save(temporary)
        manifest = {"aligner": name, "format": 1, "audio": settings.as_dict()}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        write_sums(temporary)


def load_aligner(folder: str | Path, rules: TextRules) -> tuple[Aligner, AudioSettings]:
    """Read a model folder, to align texts that are read by ``rules``.

    Phones that the model has not seen borrow the sound of the most alike.

    Returns:
        The aligner and the settings whose frames its durations count.

    Raises:
        UserError: it is not a model folder, or of another format, or language.
    """
    path = Path(folder) / MANIFEST
    check_sums(Path(folder))
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"{folder}: no aligner here ({MANIFEST} is missing); train one first") from None
    except ValueError as error:
        raise UserError(f"{path}: not readable: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != 1:
        raise UserError(f"{path}: not an aligner of format 1; train it again")
    settings = AudioSettings.from_dict(manifest.get("audio", {}), where=str(path))
    if (own := TextRules.load(folder).language) != rules.language:
        raise UserError(f"{folder}: an aligner of {own}, but the text is {rules.language}; train one on it")
    kind = aligner_kind(str(manifest.get("aligner")))
    return kind.load(Path(folder), settings, language_of(rules)), settings
