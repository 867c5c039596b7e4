"""Predicted speech quality: DNSMOS, for use before listeners are available.

A predictor does not replace listeners: its figures are called by its name, never MOS (those come from
:mod:`ctap.listening`). The predictor can be replaced: any object with the interface of
:class:`QualityPredictor`. DNSMOS P.835 (Reddy et al., "DNSMOS P.835: a non-intrusive perceptual objective
speech quality metric to evaluate noise suppressors", 2022) comes with its weights inside the optional package
speechmos; without it there is no such column, and a printed line says so. It was trained on noisy and
denoised speech, not on synthesis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ctap.errors import UserError
from ctap.metrics.from_files import from_files, load_optional
from ctap.metrics.results import Metric
from ctap.metrics.speaker import audible
from ctap.metrics.speech import Figures, mean_metric

__all__ = [
    "DNSMOS",
    "QualityPredictor",
    "load_quality_predictor",
    "metrics_of_quality",
    "predict_list",
]

_INSTALL = 'pip install -c tools/constraints.txt -e ".[quality]"'


class QualityPredictor(Protocol):
    """Waves to predicted quality."""

    name: str
    sample_rate: int
    figures: Mapping[str, str]
    """Keys of the figures, and what each predicts."""

    def __call__(self, wave: np.ndarray) -> dict[str, float]:
        """Figures of a wave ``[N]`` at ``sample_rate``, in -1..1."""
        ...


class DNSMOS:
    """DNSMOS of the package speechmos 0.0.1: 16 kHz, windows of 9 s, shorter waves repeated. Deterministic.

    Raises:
        UserError: the package, or one that it needs, is missing or broken.
    """

    name = "DNSMOS"
    sample_rate = 16000
    figures: Mapping[str, str] = {
        "dnsmos/overall": "P.835 overall",
        "dnsmos/signal": "P.835 speech",
        "dnsmos/background": "P.835 background",
        "dnsmos/p808": "P.808 overall",
    }
    _KEYS = ("ovrl_mos", "sig_mos", "bak_mos", "p808_mos")

    def __init__(self) -> None:
        try:
            from speechmos import dnsmos
        except ImportError as error:
            raise UserError(f"DNSMOS cannot be imported ({error}): {_INSTALL}") from None
        self._run: Any = dnsmos.run

    def __call__(self, wave: np.ndarray) -> dict[str, float]:
        """Predicted scores, 1 (bad) to 5 (excellent).

        Args:
            wave: ``[N]`` samples at 16 kHz.

        Raises:
            NoSpeechError: the wave is silent, empty or not finite (the package would never return from an
                empty one).
        """
        wave = audible(wave, "no quality to predict")
        found = self._run(np.clip(wave, -1, 1), sr=self.sample_rate)  # resampling may overshoot
        return {key: float(found[own]) for key, own in zip(self.figures, self._KEYS, strict=True)}


_PREDICTORS: Mapping[str, type[QualityPredictor]] = {"dnsmos": DNSMOS}


def load_quality_predictor(name: str = "dnsmos") -> QualityPredictor | None:
    """The predictor called ``name``; ``None`` and a line on stderr where it is not installed.

    Raises:
        UserError: there is none of this name.
    """
    return load_optional(_PREDICTORS, "predictor of quality", name, "no speech quality will be predicted")


def predict_list(
    waves: Mapping[str, str], predictor: QualityPredictor, what: str = "hypothesis"
) -> dict[str, dict[str, float]]:
    """Predicted figures of files; those that are silent or can't be read are named and left out.

    Args:
        waves: utterance -> file.
        predictor: of quality.
        what: name of the list in messages.

    Raises:
        UserError: there is a figure for none of them.
    """
    found = from_files(waves, predictor, f"{what}: no {predictor.name}")
    if waves and not found:
        raise UserError(f"{what}: {predictor.name} has a figure for none of {len(waves)} utterances")
    return found


def metrics_of_quality(
    scores: Figures, predictor: QualityPredictor, against: Mapping[str, Figures], seed: int
) -> dict[str, Metric]:
    """Means over utterances of what :func:`predict_list` gives, with intervals.

    Args:
        scores: utterance -> figures.
        predictor: that gave them.
        against: name of a floor or ceiling -> its scores, of the same shape.
        seed: of the bootstrap.
    """
    return {
        key: mean_metric(
            key,
            scores,
            against,
            seed,
            better="higher",
            note=f"{predictor.name}, {what}, 1 to 5; predicted, not rated by listeners",
        )
        for key, what in predictor.figures.items()
    }
