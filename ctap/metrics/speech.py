"""Pitch and cepstra of generated speech: one utterance at a time, and over lists of waves.

References are what the speech should be like: the recording of the same sentence for TTS, the source
utterance for voice conversion (its melody and envelope are to be kept, its register is not).
"""

from __future__ import annotations

import functools
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.metrics.intervals import bootstrap_mean
from ctap.metrics.mcd import mel_cepstral_distortion, warped_distortion
from ctap.metrics.pitch import log_f0, msep
from ctap.metrics.results import Metric, items
from ctap.threads import limit_threads

__all__ = ["Figures", "common", "mean_metric", "metrics_of_pairs", "score_list", "score_pair"]

Figures = Mapping[str, Mapping[str, float]]
"""Utterance -> figures by name."""

_KINDS: dict[str, dict[str, str]] = {
    "msep": {"unit": "Hz^2", "better": "lower"},
    "voicing_error": {"better": "lower", "note": "share of frames voiced in one of the two only"},
    "mel_cepstral_distortion": {"unit": "dB", "better": "lower", "note": "13 coefficients, after warping"},
    "log_f0_rmse": {"unit": "ln Hz", "better": "lower", "note": "after warping"},
    "log_f0_rmse_centred": {"unit": "ln Hz", "better": "lower", "note": "after warping, register taken out"},
    "log_f0_correlation": {"better": "higher", "note": "after warping"},
}
OF_THE_VOICE = ("msep", "mel_cepstral_distortion", "log_f0_rmse")
"""Figures that are best where even the voice is the reference's."""
ANOTHER_VOICE = "against the source recording, another voice"
TIMED_KEYS = ("msep", "voicing_error")
PAIR_KEYS = tuple(key for key in _KINDS if key not in TIMED_KEYS)
_WORTH_A_PROCESS = 30  # utterances that take about as long as starting one


def score_pair(
    reference_wave: np.ndarray, hypothesis_wave: np.ndarray, settings: AudioSettings, *, same_length: bool
) -> dict[str, float]:
    """Pitch and cepstral figures of one utterance.

    Args:
        reference_wave: ``[N]`` at ``settings.sample_rate``.
        hypothesis_wave: ``[M]``.
        settings: of the analysis.
        same_length: the hypothesis has the timing of the reference (ground-truth durations): frames are
            compared one by one and MSEP is given. Otherwise the two are warped onto each other by their
            mel-cepstra, and F0 is compared along that path.

    Returns:
        ``mel_cepstral_distortion`` (dB), ``log_f0_rmse``, ``log_f0_rmse_centred``, ``log_f0_correlation``
        and, with ``same_length``, ``msep`` (Hz^2) and ``voicing_error``; NaN where a figure is not defined.

    Raises:
        UserError: with ``same_length``, numbers of frames that differ.
    """
    import torch

    from ctap.audio.f0 import extract_f0
    from ctap.audio.logmel import log_mel

    waves = [np.ascontiguousarray(wave, dtype=np.float32) for wave in (reference_wave, hypothesis_wave)]
    mels = [log_mel(torch.from_numpy(wave), settings).numpy() for wave in waves]
    if same_length and len(mels[0]) != len(mels[1]):
        raise UserError(
            f"{len(mels[0])} frames in the reference but {len(mels[1])} in the hypothesis: figures without "
            "warping need speech made with the durations of the recording"
        )
    f0 = [np.asarray(extract_f0(wave, settings)) for wave in waves]
    scores: dict[str, float] = {}
    path = None
    if same_length:
        timed = msep(*f0)
        scores.update(msep=timed.value, voicing_error=timed.voicing_error)
        scores["mel_cepstral_distortion"] = mel_cepstral_distortion(*mels, same_length=True)
    else:
        scores["mel_cepstral_distortion"], path = warped_distortion(*mels)
    melody = log_f0(*f0, path)
    scores.update(
        log_f0_rmse=melody.rmse,
        log_f0_rmse_centred=melody.rmse_centred,
        log_f0_correlation=melody.correlation,
    )
    return scores


def _score_files(
    job: tuple[str, str, str], settings: AudioSettings, same_length: bool
) -> tuple[str, dict[str, float] | None, str]:
    from ctap.audio.wave import load_wave

    utt, *paths = job
    try:
        waves = [load_wave(path, settings.sample_rate) for path in paths]
        return utt, score_pair(*waves, settings, same_length=same_length), ""
    except UserError as error:
        return utt, None, str(error)


def common(reference: Mapping[str, object], hypothesis: Mapping[str, object], what: str) -> list[str]:
    """Utterances of both lists, those of one alone counted on stderr.

    Figures are means over what was said: of an utterance that could not be, nothing is scored.

    Raises:
        UserError: none in common.
    """
    shared = [utt for utt in hypothesis if utt in reference]
    if not shared:
        examples = f"{next(iter(hypothesis), 'none')} and {next(iter(reference), 'none')}"
        raise UserError(f"{what}: no utterance in common with the references (for example {examples})")
    if silent := len(reference.keys() - hypothesis.keys()):
        print(f"warning: {what}: {silent} of {len(reference)} references were not said", file=sys.stderr)
    missing = len(hypothesis) - len(shared)
    if missing:
        first = next(utt for utt in hypothesis if utt not in reference)
        print(
            f"warning: {what}: {missing} of {len(hypothesis)} have no reference (first: {first})",
            file=sys.stderr,
        )
    return shared


def _map(work: Callable[[Any], Any], jobs: Sequence[Any], nj: int) -> Iterable[Any]:
    nj = min(nj, len(jobs) // _WORTH_A_PROCESS)
    if nj <= 1:
        limit_threads()
        return map(work, jobs)
    # torch's threads don't survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(nj, mp_context=context, initializer=limit_threads) as pool:
        return list(pool.map(work, jobs, chunksize=4))


def score_list(
    reference: Mapping[str, str],
    hypothesis: Mapping[str, str],
    settings: AudioSettings,
    *,
    same_length: bool,
    nj: int = 1,
    what: str = "hypothesis",
) -> dict[str, dict[str, float]]:
    """:func:`score_pair` for every utterance of two lists of files; those that can't be scored are counted.

    Args:
        reference: utterance -> file.
        hypothesis: utterance -> file.
        settings: of the analysis.
        same_length: see :func:`score_pair`.
        nj: processes.
        what: name of the list in messages.

    Raises:
        UserError: not one utterance could be scored.
    """
    jobs = [(utt, reference[utt], hypothesis[utt]) for utt in common(reference, hypothesis, what)]
    scores, failures = {}, []
    for utt, found, why in _map(
        functools.partial(_score_files, settings=settings, same_length=same_length), jobs, nj
    ):
        if found is None:
            failures.append(f"{utt}: {why}")
        else:
            scores[utt] = found
    for failure in failures:
        print(f"warning: {what}: not scored: {failure}", file=sys.stderr)
    if not scores:
        raise UserError(f"{what}: none of {len(jobs)} utterances could be scored, for example {failures[0]}")
    if failures:
        print(f"warning: {what}: {len(failures)} of {len(jobs)} utterances not scored", file=sys.stderr)
    return scores


def metrics_of_pairs(
    scores: Figures,
    keys: Iterable[str],
    *,
    against: Mapping[str, Figures] | None = None,
    another_voice: bool = False,
    seed: int = 0,
) -> dict[str, Metric]:
    """Means over utterances of what :func:`score_list` gives, with intervals.

    Args:
        scores: utterance -> figures.
        keys: which of them.
        against: name of a floor or ceiling -> its scores, of the same shape.
        another_voice: the references are the sources of a conversion, whose voice is not aimed at.
        seed: of the bootstrap.
    """
    metrics = {}
    for key in keys:
        kind = dict(_KINDS[key])
        if another_voice:
            kind["note"] = "; ".join(filter(None, (kind.get("note"), ANOTHER_VOICE)))
            kind["better"] = "neither" if key in OF_THE_VOICE else kind["better"]
        metrics[key] = mean_metric(key, scores, against or {}, seed, **kind)
    return metrics


def mean_metric(
    key: str,
    scores: Figures,
    against: Mapping[str, Figures],
    seed: int,
    **kind: Any,
) -> Metric:
    """Mean of one figure over utterances, with its interval and each utterance's part.

    Args:
        key: the figure.
        scores: utterance -> figures.
        against: name of a floor or ceiling -> its scores, of the same shape; empty ones are left out.
        seed: of the bootstrap.
        kind: unit, direction and note of the figure.
    """
    own = [found[key] for found in scores.values()]
    beside = {
        name: bootstrap_mean([found[key] for found in other.values()]).value
        for name, other in against.items()
        if other
    }
    return Metric.of(bootstrap_mean(own, seed=seed), against=beside, items=items(scores, own), **kind)
