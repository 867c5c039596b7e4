"""Figures of lists of generated speech: pitch and cepstra, whose voice it is, predicted quality."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.metrics import quality as predictors
from ctap.metrics import speaker as encoders
from ctap.metrics.results import Metric
from ctap.metrics.speaker_metrics import (
    embed_list,
    embed_speakers,
    metrics_of_speakers,
    set_beside,
    write_similarities,
)
from ctap.metrics.speech import PAIR_KEYS, TIMED_KEYS, metrics_of_pairs, score_list

__all__ = ["Speech", "Voices", "metrics_of_predictor", "metrics_of_recordings", "metrics_of_voices"]


@dataclass(frozen=True)
class Speech:
    """Generated speech and what it is compared with, each utterance -> file; what is not given is empty.

    Attributes:
        hypothesis: the generated speech.
        reference: the recordings that it should be like.
        timed: the same said with the reference's durations.
        vocoded: the reference through the vocoder.
        voiceless: the same said from phonemes.
        of_source: the reference is what the speech was converted from.
    """

    hypothesis: dict[str, str]
    reference: dict[str, str]
    timed: dict[str, str]
    vocoded: dict[str, str]
    voiceless: dict[str, str]
    of_source: bool = False

    @classmethod
    def of(
        cls,
        hypothesis: Path,
        reference: Path | None,
        timed: Path | None,
        vocoded: Path | None,
        source: Path | None,
        voiceless: Path | None,
    ) -> Speech:
        """Read the lists; without a reference the source is compared with, where there is one.

        Raises:
            UserError: a list is malformed, that of the generated speech is empty, or a timed one has nothing
                to be compared with.
        """
        if timed and not (reference or source):
            raise UserError("--msep_hypothesis needs --reference, the recordings to compare with")
        given = (hypothesis, reference or source, timed, vocoded, voiceless)
        speech = cls(
            *(read_table(path) if path else {} for path in given),
            of_source=source is not None and (reference or source).resolve() == source.resolve(),
        )
        if not speech.hypothesis:
            raise UserError(f"{hypothesis}: lists no utterance")
        return speech


@dataclass(frozen=True)
class Voices:
    """What tells whose voice it is.

    Attributes:
        encoder: name of the speaker encoder, or ``"none"``.
        target_scp: wav.scp of recordings of the target speaker.
        source_scp: wav.scp of the source of every converted utterance.
        speakers: recordings of speakers, see :func:`ctap.metrics.speaker_metrics.embed_speakers`.
        target: name of the target speaker among them.
        max_refs: recordings a speaker.
    """

    encoder: str
    target_scp: Path | None
    source_scp: Path | None
    speakers: Path | None
    target: str
    max_refs: int


def metrics_of_recordings(speech: Speech, settings: AudioSettings, nj: int, seed: int) -> dict[str, Metric]:
    """Pitch and cepstra against the reference, beside those of its vocoded mel; nothing without one."""
    metrics: dict[str, Metric] = {}
    options = {"settings": settings, "nj": nj}
    lists = [
        (speech.timed, TIMED_KEYS, True, "msep_hypothesis"),
        (speech.hypothesis, PAIR_KEYS, False, "hypothesis"),
    ]
    for waves, keys, same_length, what in lists if speech.reference else ():
        if not waves:
            continue
        scores = score_list(speech.reference, waves, same_length=same_length, what=what, **options)
        against = {}
        if speech.vocoded:
            beside = {utt: wave for utt, wave in speech.vocoded.items() if utt in scores}
            against["vocoded recording"] = score_list(
                speech.reference, beside, same_length=same_length, what="vocoded", **options
            )
        metrics |= metrics_of_pairs(scores, keys, against=against, another_voice=speech.of_source, seed=seed)
    return metrics


def metrics_of_voices(speech: Speech, voices: Voices, table: Path, seed: int) -> dict[str, Metric]:
    """Whose voice it is, and a ``table`` of the similarities to every speaker, if there are several."""
    table.unlink(missing_ok=True)  # of an earlier run
    encoder = None if voices.encoder == "none" else encoders.load_speaker_encoder(voices.encoder)
    if encoder is None:
        return {}
    target, others, source = None, {}, None
    if voices.target_scp:
        waves = dict(list(read_table(voices.target_scp).items())[: voices.max_refs])
        target = embed_list(waves, encoder, "target speaker")
    if voices.speakers:
        known = embed_speakers(voices.speakers, voices.max_refs, encoder)
        if voices.target and voices.target not in known and target is None:
            raise UserError(
                f"{voices.speakers}/spk2utt: no speaker {voices.target!r}; there are {', '.join(known)}"
            )
        own = known.pop(voices.target, None)
        target = target or own
        others = {speaker: encoders.centroid(embeddings.values()) for speaker, embeddings in known.items()}
    if voices.source_scp:
        waves = read_table(voices.source_scp)
        source = embed_list(
            {utt: waves[utt] for utt in speech.hypothesis if utt in waves}, encoder, "sources"
        )
    if target is None and not source and not others:
        return {}
    said = embed_list(speech.hypothesis, encoder, "hypothesis")
    if others:
        named = {voices.target or "target": encoders.centroid(target.values())} if target else {}
        write_similarities(table, said, named | others)
    fields = {"source": source, "others": others, "name": encoder.name, "seed": seed}
    metrics = metrics_of_speakers(said, target, **fields)
    same = {utt: wave for utt, wave in speech.voiceless.items() if utt in said}
    if same:
        voiceless = embed_list(same, encoder, "from phonemes")
        metrics = set_beside(metrics, metrics_of_speakers(voiceless, target, **fields), "from phonemes")
    return metrics


def metrics_of_predictor(speech: Speech, name: str, seed: int) -> dict[str, Metric]:
    """Predicted quality, beside that of the recordings and of their vocoded mels."""
    predictor = None if name == "none" else predictors.load_quality_predictor(name)
    if predictor is None:
        return {}
    against = {}
    for beside, known in (("recording", speech.reference), ("vocoded recording", speech.vocoded)):
        waves = {utt: wave for utt, wave in known.items() if utt in speech.hypothesis}
        against[beside] = predictors.predict_list(waves, predictor, beside)
    scores = predictors.predict_list(speech.hypothesis, predictor)
    return predictors.metrics_of_quality(scores, predictor, against=against, seed=seed)
