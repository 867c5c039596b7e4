"""What a request may ask for, and how it is refused."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctap.audio.wave import load_wave, wave_info
from ctap.errors import UserError

MOST_SAMPLES = 2 * 192_000  # a second, of all channels: small files can unpack to any number


class RefusedError(Exception):
    """A request that is not carried out.

    Args:
        status: HTTP status.
        reason: What was expected, for who asked.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Limits:
    """Sizes and times of requests.

    Args:
        characters: Of a text.
        audio_seconds: Of a recording.
        speech_seconds: Of what is said at once.
        body_bytes: Of a request.
        held_bytes: Of the bodies of all requests together, from their arrival until they are answered.
        body_seconds: That a request may take to arrive.
        wait_seconds: That a request that has arrived may wait and take, all in all, before it is given up.
        waiting: Requests in the queue.
        together: Sentences said, and answered, at once: of no more than ``characters`` in all.
    """

    characters: int = 300
    audio_seconds: float = 30.0
    speech_seconds: float = 120.0
    body_bytes: int = 16_000_000
    held_bytes: int = 128_000_000
    body_seconds: float = 20.0
    wait_seconds: float = 60.0
    waiting: int = 40
    together: int = 8

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UserError(f"{name} {value}: expected more than 0")


def read_json(body: bytes, known: set[str]) -> dict[str, Any]:
    """The JSON object of a body, of ``known`` keys alone.

    Raises:
        RefusedError: It is not such an object.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "expected a JSON object")
    if unknown := sorted(map(str, value.keys() - known)):
        listed = ascii(", ".join(unknown)[:100])
        raise RefusedError(400, f"unknown keys {listed}; known: {', '.join(sorted(known))}")
    return value


def read_text(values: dict[str, Any], limits: Limits) -> str:
    """``text`` of a request.

    Raises:
        RefusedError: It is missing, empty, too long, or not text.
    """
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise RefusedError(400, "text: expected something to say")
    if len(text) > limits.characters:
        raise RefusedError(413, f"text: {len(text)} characters, at most {limits.characters} are said at once")
    if not text.isprintable() and any(not c.isprintable() and not c.isspace() for c in text):
        raise RefusedError(400, "text: holds control characters")
    return text


def read_number(values: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A number of a request.

    Raises:
        RefusedError: It is not a number, or out of its range.
    """
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise RefusedError(400, f"{name}: expected a number")
    if not low <= value <= high:
        raise RefusedError(400, f"{name}: expected {low:g} to {high:g}")
    return value


def read_base64(values: dict[str, Any], name: str) -> bytes:
    """A file within JSON.

    Raises:
        RefusedError: It is not base64.
    """
    value = values.get(name)
    if not isinstance(value, str):
        raise RefusedError(400, f"{name}: expected a sound file in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(400, f"{name}: not base64") from None


def decode(data: bytes, name: str, rate: int, limits: Limits) -> np.ndarray:
    """A sound file's samples [N] at ``rate``.

    Raises:
        RefusedError: It is not a sound file, or is too long.
    """
    if not data:
        raise RefusedError(400, f"{name}: empty")
    with tempfile.NamedTemporaryFile(prefix="ctap") as file:
        file.write(data)
        file.flush()
        try:
            info = wave_info(file.name)
            if info.num_samples * info.channels > limits.audio_seconds * MOST_SAMPLES:
                size = f"{info.seconds:.1f} s of {info.channels} channels at {info.sample_rate} Hz"
                raise UserError(f"{size} is longer than the limit")
            wave = load_wave(file.name, rate, max_seconds=limits.audio_seconds)
        except UserError as error:
            reason = str(error).replace(f"{file.name}: ", "").replace(file.name, name)
            status = 413 if "longer than the limit" in reason else 400
            raise RefusedError(status, f"{name}: {reason}") from None
    if len(wave) < rate // 10:
        raise RefusedError(400, f"{name}: {len(wave) / rate:.2f} s, expected a tenth of a second or more")
    return wave
