"""What is served: models by name, voices by name, and what each is asked for."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from torch import Tensor

import ctap
from ctap.audio.wave import encode_wave, to_pcm
from ctap.errors import UserError
from ctap.files.names import name_fault
from ctap.models.inference import Model
from ctap.models.pitch import Melody
from ctap.models.prompt import Prompt
from ctap.models.speech import Speech
from ctap.text.languages import language_of


@dataclass
class Served:
    """A model that may be asked for.

    Attributes:
        name: In addresses.
        model: Loaded.
        voices: Prompts by name, heard.
    """

    name: str
    model: Model
    voices: dict[str, Prompt]

    def can(self) -> list[str]:
        """What it can do."""
        parts, reads_waves = self.model.parts, not self.model.parts.ctap.config.given
        found = ["synthesize"] * (parts.duration is not None) + ["convert"] * reads_waves
        return found + ["recognize"] * (parts.asr is not None and reads_waves)

    def melodies(self) -> list[str]:
        """Whose melody a conversion can have."""
        found = []
        for melody in get_args(Melody):
            with contextlib.suppress(UserError):
                self.model.check_melody(melody)
                found.append(melody)
        return found


def load_served(
    models: Sequence[Path], voices: Sequence[Path], device: str, vocoder: str
) -> dict[str, Served]:
    """Load models, and hear voices with each.

    A model is named by its directory, or by the one above if that is called ``model``. A packed model's own
    ``prompt.*`` is a voice of it.

    Raises:
        UserError: Two of one name, or a directory or recording can't be used.
    """
    found: dict[str, Served] = {}
    for path in models:
        folder = path.resolve()
        name = folder.parent.name if folder.name == "model" else folder.name
        if (fault := name_fault(name)) or name in found:
            raise UserError(
                f"{path}: model {name!r} {fault or 'is there already'}; name the directory otherwise"
            )
        model = ctap.load(path, device, vocoder)
        named: dict[str, Path] = {}
        for voice in [*sorted(path.glob("prompt.*")), *voices]:
            if named.setdefault(voice.stem, voice) != voice:
                raise UserError(
                    f"{voice}: voice {voice.stem!r} is there already ({named[voice.stem]}); rename one"
                )
        heard = {label: model.prompt(recording) for label, recording in named.items()}
        _ = model.vocoder  # one that does not fit is refused now
        found[name] = Served(name, model, heard)
    return found


def described(served: dict[str, Served]) -> list[dict[str, Any]]:
    """The list of models, for the page: what each can, its voices, its language."""
    listed = []
    for own in served.values():
        language = language_of(own.model.parts.text)
        about = {"language": language.code, "writing": language.writing, "example": language.example}
        able = {"can": own.can(), "melodies": own.melodies()}
        listed.append({"name": own.name, **able, "voices": list(own.voices), **about})
    return listed


def wav_bytes(speech: Speech) -> bytes:
    """A wav file of PCM-16."""
    return encode_wave(to_pcm(speech.wave), speech.sample_rate)


def mel_picture(mel: Tensor) -> dict[str, Any]:
    """Log-mel [T, n_mels] as bytes for the page's picture, 0 the quietest and 255 the loudest."""
    low, high = float(mel.min()), float(mel.max())
    scaled = ((mel - low) / max(high - low, 1e-6) * 255).round().byte()
    data = base64.b64encode(scaled.numpy().tobytes()).decode("ascii")
    return {"frames": mel.shape[0], "bins": mel.shape[1], "bytes": data}


def spoken(speech: Speech, frame_shift: float) -> dict[str, Any]:
    """The answer to who asked for speech: sound, mel, and when each phone is said."""
    return {
        "wav": base64.b64encode(wav_bytes(speech)).decode("ascii"),
        "seconds": len(speech.wave) / speech.sample_rate,
        "sample_rate": speech.sample_rate,
        "frame_shift": frame_shift,
        "mel": mel_picture(speech.mel),
        "phones": speech.phones,
        "durations": speech.durations,
    }
