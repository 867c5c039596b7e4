"""The audio settings that every stage shares, and their manifest on disk."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ctap.errors import UserError
from ctap.files.atomic import write_json
from ctap.files.mappings import parse_yaml

MelScale = Literal["htk", "slaney"]
MelNorm = Literal["none", "slaney"]


@dataclass(frozen=True)
class AudioSettings:
    """How waveforms become log-mel frames.

    The defaults are 24 kHz, 40 mel bins from 0 to 8000 Hz, 40 ms frames every 10 ms, centred. Slaney's scale
    and norm, of his Auditory Toolbox (1998), are what librosa makes if it is not told otherwise.

    Attributes:
        sample_rate: samples per second of the analysed (resampled) waveform.
        n_fft: points of the Fourier transform.
        win_length: samples of the Hann window.
        hop_length: samples from frame to frame.
        n_mels: mel bins.
        f_min: lowest frequency of the filter bank, Hz.
        f_max: highest frequency of the filter bank, Hz.
        log_floor: smallest mel magnitude before the natural logarithm.
        mel_scale: ``htk`` (logarithmic) or ``slaney`` (linear to 1000 Hz, logarithmic above).
        mel_norm: triangles of height 1 (``none``) or of one area (``slaney``).
    """

    sample_rate: int = 24000
    n_fft: int = 960
    win_length: int = 960
    hop_length: int = 240
    n_mels: int = 40
    f_min: float = 0.0
    f_max: float = 8000.0
    log_floor: float = 1e-5
    mel_scale: MelScale = "htk"
    mel_norm: MelNorm = "none"

    def __post_init__(self) -> None:
        for name in ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
                raise UserError(f"audio settings: {name} must be a positive whole number, not {value!r}")
        for name in ("f_min", "f_max", "log_floor"):
            value = getattr(self, name)
            if isinstance(value, str):  # YAML's 1e-5: it takes only 1.0e-5 for a number
                with contextlib.suppress(ValueError):
                    value = float(value)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise UserError(f"audio settings: {name} must be a number, not {value!r}")
            object.__setattr__(self, name, float(value))
        for name, known in (("mel_scale", get_args(MelScale)), ("mel_norm", get_args(MelNorm))):
            if (value := getattr(self, name)) not in known:
                raise UserError(f"audio settings: {name} must be {' or '.join(known)}, not {value!r}")
        if self.n_fft % 2:
            raise UserError(f"audio settings: n_fft must be even, not {self.n_fft}")
        if self.win_length > self.n_fft:
            raise UserError(f"audio settings: win_length {self.win_length} is longer than n_fft {self.n_fft}")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise UserError(
                f"audio settings: need 0 <= f_min < f_max <= sample_rate / 2, "
                f"not {self.f_min:g}, {self.f_max:g}, {self.sample_rate / 2:g}"
            )
        if not self.log_floor > 0:
            raise UserError(f"audio settings: log_floor must be above 0, not {self.log_floor:g}")

    @property
    def frame_shift(self) -> float:
        """Seconds from frame to frame."""
        return self.hop_length / self.sample_rate

    def as_dict(self) -> dict[str, int | float | str]:
        """The settings as plain values, in the order of the fields."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict, where: str = "audio settings") -> AudioSettings:
        """Make settings from plain values; fields left out keep their defaults.

        Args:
            values: field names to their values.
            where: what to call the source in an error.

        Raises:
            UserError: a field is unknown or its value impossible.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise UserError(f"{where}: unknown fields {', '.join(unknown)}; known: {', '.join(known)}")
        try:
            return cls(**values)
        except UserError as error:
            raise UserError(str(error).replace("audio settings", where, 1)) from None

    def save(self, path: str | Path) -> None:
        """Write the settings as JSON, whole or not at all."""
        write_json(path, self.as_dict())

    @classmethod
    def load(cls, path: str | Path | None) -> AudioSettings:
        """Read settings from JSON (or YAML, by the file's suffix); without a file, the default ones.

        Raises:
            UserError: the file is missing, not readable as settings, or lacks a mapping.
        """
        if path is None:
            return cls()
        path = Path(path)
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: cannot read the audio settings: {error}") from None
        try:
            values = parse_yaml(content) if path.suffix in (".yaml", ".yml") else json.loads(content)
        except ValueError as error:
            raise UserError(f"{path}: not a file of audio settings: {error}") from None
        if not isinstance(values, dict):
            raise UserError(f"{path}: expected a mapping of audio settings, found {type(values).__name__}")
        return cls.from_dict(values, where=str(path))

    def require_same(self, other: AudioSettings, where: str) -> None:
        """Check that ``other`` was made with these settings.

        Args:
            other: the settings found.
            where: what the found settings belong to, for the message.

        Raises:
            UserError: naming each field that differs, with both values.
        """
        mine, theirs = self.as_dict(), other.as_dict()
        different = [
            f"{k} is {_word(theirs[k])}, expected {_word(mine[k])}" for k in mine if mine[k] != theirs[k]
        ]
        if different:
            raise UserError(
                f"{where}: made with other audio settings: {'; '.join(different)}. "
                "Dump the features again with one set of settings, or use the matching model."
            )


def _word(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
