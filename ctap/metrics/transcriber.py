"""Speech recognisers from outside, for error rates of characters (the paper's WER, section 3.3).

The toolkit's own recogniser hears phones; whether a listener would get the words is for a model that was
trained on far more speech. Such a model is named as ``kind:model``, the model being a directory or a name.

Its weights are somebody else's file, so nothing of it is unpickled, and no code is taken from it, as far as
its package can be told so: see :class:`FunASR`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pickle
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from ctap.errors import UserError

__all__ = ["FasterWhisper", "FunASR", "Transcriber", "Transformers", "make_transcriber"]

SAMPLE_RATE = 16000
WINDOW = 30  # seconds that Whisper hears at a time
TOKENS_A_SECOND = 25  # more than anybody says: where a loop is stopped
MOST_TOKENS = 440  # of one window, less than Whisper's positions by its prompt
LOOP = re.compile(r"((?:([^\W\d_])\2{0,58}(?!\2).|[\W\d_]{1,59}[^\W\d_]).{0,58}?)\1{3,}")
FUNASR_RISK = "some kinds of FunASR models run code that lies in the model: take only models that you trust"


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


@contextlib.contextmanager
def _tensors_only() -> Iterator[None]:
    """Whatever ``torch.load`` is told, or told by nobody: it reads tensors and runs nothing of a file."""
    force, never = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
    before = {name: os.environ.pop(name, None) for name in (force, never)}
    os.environ[force] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class Transformers:
    """A recogniser of transformers: Whisper, or a model with a CTC head.

    Safetensors if the model has them, else a ``.bin`` by torch's weights-only reader; no code of the model's.

    Args:
        model: a directory as ``save_pretrained`` writes it, or a name on the hub.
        device: torch device.
        language: that a Whisper model is told; "", or one that it does not know: it detects the language
            itself.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, model: str, device: str = "cpu", language: str = "") -> None:
        package = _package("transformers", "transformers")
        try:
            with _tensors_only():
                self._run = package.pipeline(
                    "automatic-speech-recognition", model=model, device=device, trust_remote_code=False
                )
        except (OSError, ValueError, pickle.UnpicklingError) as error:
            raise UserError(f"{model}: not a recogniser that transformers can load: {error}") from None
        self._is_whisper = self._run.model.config.model_type == "whisper"
        self._told: dict[str, Any] = {}
        if self._is_whisper:
            self._told = _told(self._run.model.generation_config, language)

    def __call__(self, wave: np.ndarray) -> str:
        """See :class:`Transcriber`."""
        heard = {"raw": wave.astype(np.float32), "sampling_rate": self.sample_rate}
        if not self._is_whisper:
            return str(self._run(heard)["text"])
        seconds = len(wave) / self.sample_rate
        told = dict(self._told)
        if seconds <= WINDOW:
            told["max_new_tokens"] = min(MOST_TOKENS, math.ceil(TOKENS_A_SECOND * (1 + seconds)))
        # timestamps let it go on after its window
        found = self._run(heard, return_timestamps=seconds > WINDOW, generate_kwargs=told)
        return without_loops(str(found["text"]))


def without_loops(text: str) -> str:
    """A phrase that is said four times or more in a row, said once.

    A Whisper that understands nothing may repeat one until it is stopped: one error, not a hundred. A phrase
    has a letter and another character, so that laughter, numbers and figures read out remain.
    """
    while found := LOOP.search(text):
        rest = text[found.end() :]
        text = text[: found.start()] + found[1] + ("" if found[1].startswith(rest) else rest)
    return text


class FasterWhisper:
    """Whisper by faster-whisper: CTranslate2's own format, numbers and JSON.

    Args:
        model: a directory or a size such as ``large-v3``.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        language: as of :class:`Transformers`.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, model: str, device: str = "cpu", language: str = "") -> None:
        package = _package("faster_whisper", "faster-whisper")
        try:
            kind, _, index = device.partition(":")
            self._model = package.WhisperModel(model, device=kind, device_index=int(index or 0))
        except (OSError, RuntimeError, ValueError) as error:
            raise UserError(f"{model}: faster-whisper can't load it: {error}") from None
        known = language in self._model.supported_languages
        self._language = language if _takes(language, known) else None

    def __call__(self, wave: np.ndarray) -> str:
        """See :class:`Transcriber`."""
        segments, _ = self._model.transcribe(wave.astype(np.float32), language=self._language, beam_size=5)
        return "".join(segment.text for segment in segments)


class FunASR:
    """A recogniser of FunASR, such as ``paraformer-zh``.

    FunASR reads weights by ``torch.load`` and lets a model's configuration ask for the model's own code. Both
    are refused here. But that configuration also names the class that reads the model, and some of FunASR's
    classes (those around language models) run code of the model whatever they are told: a warning is logged.

    Args:
        model: a directory or a name.
        device: ``cpu`` or ``cuda``.
        language: not used: each of its models has its own.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, model: str, device: str = "cpu", language: str = "") -> None:
        package = _package("funasr", "funasr")
        logging.warning("funasr:%s: %s", model, FUNASR_RISK)
        try:
            with _tensors_only():
                # said outright: otherwise the model's config.yaml may say true
                self._model = package.AutoModel(
                    model=model, device=device, disable_update=True, trust_remote_code=False
                )
        except pickle.UnpicklingError as error:
            raise UserError(
                f"{model}: its weights hold more than tensors, and nothing is unpickled "
                f"({str(error).splitlines()[0]}); take another model, or bring it to a transformers directory"
            ) from None
        except (AssertionError, OSError, RuntimeError, ValueError) as error:
            raise UserError(f"{model}: FunASR can't load it: {error}") from None

    def __call__(self, wave: np.ndarray) -> str:
        """See :class:`Transcriber`."""
        (found,) = self._model.generate(input=wave.astype(np.float32), fs=self.sample_rate)
        return str(found["text"])


def _told(generation: Any, language: str) -> dict[str, str]:
    """What a Whisper of transformers is told; one that knows English alone refuses to be told anything."""
    if not getattr(generation, "is_multilingual", True):
        _takes(language, language == "en")
        return {}
    known = getattr(generation, "lang_to_id", None) or {}
    told = {"language": language} if _takes(language, f"<|{language}|>" in known) else {}
    return {"task": "transcribe", **told}


def _takes(language: str, known: bool) -> bool:
    """Whether a recogniser is to be told ``language``; says so where it does not know it."""
    if language and not known:
        logging.warning("the recogniser has no language %r: it tells by itself which one it hears", language)
    return bool(language) and known


_KINDS: dict[str, Callable[[str, str, str], Transcriber]] = {
    "transformers": Transformers,
    "faster_whisper": FasterWhisper,
    "funasr": FunASR,
}


def make_transcriber(spec: str, device: str = "cpu", language: str = "") -> Transcriber:
    """The recogniser that ``kind:model`` names, for speech in ``language`` (a code of ISO 639; "": any).

    Raises:
        UserError: an unknown kind, a package that is not installed, or a model that can't be loaded.
    """
    kind, _, model = spec.partition(":")
    if kind not in _KINDS or not model:
        raise UserError(f"{spec!r}: expected kind:model, with one of the kinds {', '.join(_KINDS)}")
    return _KINDS[kind](model, device, language)
