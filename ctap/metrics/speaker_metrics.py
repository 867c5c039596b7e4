"""Whose voice generated speech has: figures from speaker embeddings, and the whole matrix in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.tables import read_table
from ctap.kaldi.ark import MatrixReader
from ctap.metrics.from_files import from_files
from ctap.metrics.intervals import bootstrap_mean, interval_of_share
from ctap.metrics.results import Metric, items
from ctap.metrics.speaker import NoSpeechError, SpeakerEncoder, centroid, similarity
from ctap.metrics.speech import common

__all__ = ["embed_list", "embed_speakers", "metrics_of_speakers", "set_beside", "write_similarities"]


def embed_list(
    waves: Mapping[str, str], encoder: SpeakerEncoder, what: str = "hypothesis"
) -> dict[str, np.ndarray]:
    """Speaker embeddings ``[D]`` of files; those without speech are named and left out.

    Raises:
        UserError: none has speech.
    """
    embeddings = from_files(waves, encoder, f"{what}: no speaker embedding", NoSpeechError)
    if not embeddings:
        raise UserError(f"{what}: none of the {len(waves)} utterances has speech")
    return embeddings


def embed_speakers(folder: Path, limit: int, encoder: SpeakerEncoder) -> dict[str, dict[str, np.ndarray]]:
    """Embeddings ``[D]`` of the first ``limit`` recordings of every speaker, by speaker and utterance.

    Args:
        folder: Data directory (spk2utt, wav.scp), or what :mod:`ctap.bin.embed_speakers` made of one.
        limit: Recordings a speaker.
        encoder: Of speakers.

    Raises:
        UserError: a recording is missing, a speaker's hold no speech, or no embeddings were made.
    """
    is_embedded = (folder / "embeddings.scp").exists()
    scp = folder / ("embeddings.scp" if is_embedded else "wav.scp")
    known: Mapping[str, Any] = MatrixReader(scp) if is_embedded else read_table(scp)
    speakers = {}
    listed = read_table(folder / "spk2utt")
    if is_embedded and not listed:
        raise UserError(
            f"{folder}: holds no embeddings, as when the speaker encoder was not installed when it was made: "
            "remove this directory and make it again (stage 4 of a recipe)"
        )
    for speaker, utterances in listed.items():
        absent = [utt for utt in utterances.split() if utt not in known]
        if absent:
            raise UserError(f"{scp}: no {absent[0]}, which {folder}/spk2utt gives to {speaker}")
        first = utterances.split()[:limit]
        if is_embedded:
            speakers[speaker] = {utt: known[utt][0] for utt in first}
        else:
            speakers[speaker] = embed_list({utt: known[utt] for utt in first}, encoder, f"speaker {speaker}")
    return speakers


def write_similarities(
    path: Path, hypothesis: Mapping[str, np.ndarray], speakers: Mapping[str, np.ndarray]
) -> None:
    """Write the cosine of every utterance to every speaker as a table, whole or not at all.

    Lines ``utterance`` and one cosine a speaker, with tabs, in the order given; the first names the speakers.

    Args:
        path: the file.
        hypothesis: utterance -> embedding ``[D]``.
        speakers: speaker -> centroid ``[D]``.
    """
    rows = [["utterance", *speakers]]
    rows += [
        [utt, *(f"{similarity(own, centre):.6f}" for centre in speakers.values())]
        for utt, own in hypothesis.items()
    ]
    with atomic_write(path) as file:
        file.writelines("\t".join(row) + "\n" for row in rows)


def _mean(values: Mapping[str, float], seed: int, **fields: Any) -> Metric:
    """Mean of one figure an utterance."""
    interval = bootstrap_mean(np.array(list(values.values()), dtype=float), seed=seed)
    return Metric.of(interval, items=items(values, values.values()), **fields)


def _share(holds: Mapping[str, bool], **fields: Any) -> Metric:
    """The share of utterances of which something holds."""
    interval = interval_of_share([list(holds.values())])
    return Metric.of(interval, items=items(holds, holds.values()), **fields)


def metrics_of_speakers(
    hypothesis: Mapping[str, np.ndarray],
    target: Mapping[str, np.ndarray] | None,
    *,
    source: Mapping[str, np.ndarray] | None = None,
    others: Mapping[str, np.ndarray] | None = None,
    name: str = "",
    seed: int = 0,
) -> dict[str, Metric]:
    """Speaker similarity to the target, to the source, and to the nearest of other speakers.

    Args:
        hypothesis: utterance -> embedding ``[D]`` of the generated speech.
        target: recordings of the target speaker; the similarity is to their centroid. As a ceiling, each of
            them against the centroid of the others.
        source: the recording that each utterance was converted from; the similarity is to that recording, and
            as a floor the similarity of the source recordings to the target. To compare with it, the mean
            similarity to single recordings of the target, and the share of utterances where that is larger.
        others: speaker -> centroid of other speakers. The nearest is the one to which the utterances are most
            similar on average (also a floor of the similarity to the target). Of the target among them:
            the share of utterances to which it is nearest, and its mean rank, beside those of chance.
        name: encoder, for the note.
        seed: of the bootstrap.
    """
    metrics: dict[str, Metric] = {}
    note = f"cosine, {name}" if name else "cosine"
    to_others = np.array([[similarity(e, c) for c in (others or {}).values()] for e in hypothesis.values()])
    nearest = int(to_others.mean(axis=0).argmax()) if others else 0
    to_target: dict[str, float] = {}
    if target:
        centre = centroid(target.values())
        to_target = {utt: similarity(e, centre) for utt, e in hypothesis.items()}
        against = _ceiling(target)
        if source:
            against["source recordings"] = float(np.mean([similarity(e, centre) for e in source.values()]))
        if others:
            against["to the nearest other speaker"] = float(to_others[:, nearest].mean())
        metrics["speaker_similarity/target"] = _mean(
            to_target, seed, better="higher", against=against, note=note
        )
    if source:
        metrics |= _beside_source(hypothesis, target or {}, source, note, seed)
    if others:
        metrics["speaker_similarity/nearest_other"] = _mean(
            dict(zip(hypothesis, to_others[:, nearest], strict=True)),
            seed,
            better="lower",
            note=f"{note}; {list(others)[nearest]}, the most similar of {len(others)} other speakers",
        )
        if target:
            # a tie counts against the target
            ahead = (to_others >= np.array(list(to_target.values()))[:, None]).sum(axis=1)
            metrics |= _ranks(dict(zip(hypothesis, ahead, strict=True)), 1 + len(others), seed)
    return metrics


def _beside_source(
    hypothesis: Mapping[str, np.ndarray],
    target: Mapping[str, np.ndarray],
    source: Mapping[str, np.ndarray],
    note: str,
    seed: int,
) -> dict[str, Metric]:
    """Similarity to the source, and to the target as it compares with that.

    Of the source there is one recording, so single recordings of the target are what is compared: a centroid
    is nearer than any that it is the mean of.
    """
    shared = common(source, hypothesis, "sources")
    to_source = {utt: similarity(hypothesis[utt], source[utt]) for utt in shared}
    metrics = {"speaker_similarity/source": _mean(to_source, seed, better="lower", note=note)}
    if target:
        of_target = {
            utt: float(np.mean([similarity(hypothesis[utt], e) for e in target.values()])) for utt in shared
        }
        metrics["speaker_similarity/target_recording"] = _mean(
            of_target, seed, better="higher", note=f"{note}, mean over {len(target)} recordings"
        )
        metrics["closer_to_target_than_source"] = _share(
            {utt: of_target[utt] > to_source[utt] for utt in shared},
            better="higher",
            note="share of utterances; recording against recording",
        )
    return metrics


def set_beside(metrics: Mapping[str, Metric], others: Mapping[str, Metric], name: str) -> dict[str, Metric]:
    """``metrics``, each with the same figure of other speech ``against`` it, under ``name``."""
    return {
        key: replace(metric, against={**metric.against, name: others[key].value}) if key in others else metric
        for key, metric in metrics.items()
    }


def _ceiling(target: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Each recording of the target against the centroid of the others, on average; {} of a single one."""
    if len(target) < 2:
        return {}
    alone = [
        similarity(e, centroid(v for key, v in target.items() if key != utt)) for utt, e in target.items()
    ]
    return {"target's recordings": float(np.mean(alone))}


def _ranks(ahead: Mapping[str, int], speakers: int, seed: int) -> dict[str, Metric]:
    """Where the target stands among ``speakers``, from how many are ahead of it for each utterance."""
    return {
        "target_is_nearest_speaker": _share(
            {utt: count == 0 for utt, count in ahead.items()},
            better="higher",
            against={"chance": 1 / speakers},
            note=f"share of utterances, {speakers} speakers",
        ),
        "target_speaker_rank": _mean(
            {utt: 1.0 + count for utt, count in ahead.items()},
            seed,
            unit=f"of {speakers}",
            better="lower",
            against={"chance": (1 + speakers) / 2},
            note="mean over utterances; 1: no other speaker is as similar",
        ),
    }
