"""Speech recognisers from outside, for error rates of characters (the paper's WER, section 3.3).

The toolkit's own recogniser hears phones; whether a listener would get the words is for a model that was
trained on far more speech. Such a model is named as ``kind:model``, the model being a directory or a name.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from ctap.errors import UserError

__all__ = ["FasterWhisper", "FunASR", "Transcriber", "Transformers", "make_transcriber"]

SAMPLE_RATE = 16000


class Transcriber(Protocol):
    """Waves to text."""

    sample_rate: int

    def __call__(self, wave: np.ndarray) -> str:
        """What is said in a wave ``[N]`` at ``sample_rate``, in -1..1."""
        ...


def _package(name: str, install: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise UserError(
            f"this recogniser needs the package {name}: pip install {install} ({error})"
        ) from None


class Transformers:
    """A recogniser of transformers: Whisper, or a model with a CTC head.

    Args:
        model: a directory as ``save_pretrained`` writes it, or a name on the hub.
        device: torch device.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, model: str, device: str = "cpu") -> None:
        package = _package("transformers", "transformers")
        try:
            self._run = package.pipeline(
                "automatic-speech-recognition", model=model, device=device, trust_remote_code=False
            )
        except (OSError, ValueError) as error:
            raise UserError(f"{model}: not a recogniser that transformers can load: {error}") from None
        self._is_whisper = self._run.model.config.model_type == "whisper"

    def __call__(self, wave: np.ndarray) -> str:
        """See :class:`Transcriber`."""
        heard = {"raw": wave.astype(np.float32), "sampling_rate": self.sample_rate}
        if not self._is_whisper:
            return str(self._run(heard)["text"])
        # timestamps let it go on after its window of 30 s
        return str(
            self._run(
                heard,
                return_timestamps=len(wave) > 30 * self.sample_rate,
                generate_kwargs={"language": "zh", "task": "transcribe"},
            )["text"]
        )


class FasterWhisper:
    """Whisper by faster-whisper (CTranslate2).

    Args:
        model: a directory or a size such as ``large-v3``.
        device: ``cpu`` or ``cuda``.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, model: str, device: str = "cpu") -> None:
        package = _package("faster_whisper", "faster-whisper")
        try:
            self._model = package.WhisperModel(model, device=device)
        except (OSError, RuntimeError, ValueError) as error:
            raise UserError(f"{model}: faster-whisper can't load it: {error}") from None

    def __call__(self, wave: np.ndarray) -> str:
        """See :class:`Transcriber`."""
        segments, _ = self._model.transcribe(wave.astype(np.float32), language="zh", beam_size=5)
        return "".join(segment.text for segment in segments)


class FunASR:
    """A recogniser of FunASR, such as ``paraformer-zh``.

    Args:
        model: a directory or a name.
        device: ``cpu`` or ``cuda``.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, model: str, device: str = "cpu") -> None:
        package = _package("funasr", "funasr")
        self._model = package.AutoModel(model=model, device=device, disable_update=True)

    def __call__(self, wave: np.ndarray) -> str:
        """See :class:`Transcriber`."""
        (found,) = self._model.generate(input=wave.astype(np.float32), fs=self.sample_rate)
        return str(found["text"])


_KINDS: dict[str, Callable[[str, str], Transcriber]] = {
    "transformers": Transformers,
    "faster_whisper": FasterWhisper,
    "funasr": FunASR,
}


def make_transcriber(spec: str, device: str = "cpu") -> Transcriber:
    """The recogniser that ``kind:model`` names.

    Raises:
        UserError: an unknown kind, a package that is not installed, or a model that can't be loaded.
    """
    kind, _, model = spec.partition(":")
    if kind not in _KINDS or not model:
        raise UserError(f"{spec!r}: expected kind:model, with one of the kinds {', '.join(_KINDS)}")
    return _KINDS[kind](model, device)
