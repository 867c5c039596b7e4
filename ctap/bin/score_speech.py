"""Score generated speech against recordings: pitch, cepstra, whose voice it is, predicted quality."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.metrics.generated import (
    Speech,
    Voices,
    metrics_of_predictor,
    metrics_of_recordings,
    metrics_of_voices,
)
from ctap.metrics.provenance import collect_meta
from ctap.metrics.results import SIMILARITIES, Metric, write_scores
from ctap.ranges import POSITIVE, require
from ctap.report.markdown import figure, label

NOTHING = "nothing to compare with: give --reference, --source_scp, --speakers or --target_speaker_scp"


def score_speech(
    hypothesis: Path,
    out: Path,
    config: str = "-",
    reference: Path | None = None,
    msep_hypothesis: Path | None = None,
    vocoded: Path | None = None,
    target_speaker_scp: Path | None = None,
    source_scp: Path | None = None,
    from_phonemes: Path | None = None,
    speakers: Path | None = None,
    target_speaker: str = "",
    max_refs: int = 30,
    speaker_encoder: str = "resemblyzer",
    quality: str = "dnsmos",
    settings: Path | None = None,
    name: str | None = None,
    task: str | None = None,
    seed: int = 0,
    nj: int = 1,
) -> None:
    """Score generated speech against recordings: pitch, cepstra, whose voice it is, predicted quality.

    Args:
        hypothesis: wav.scp of the generated speech.
        out: scores.json to write.
        config: The configuration behind the speech, for the record.
        reference: wav.scp of what it should be like: the recording (default: --source_scp).
        msep_hypothesis: wav.scp of the same with the reference's durations, for MSEP.
        vocoded: wav.scp of the reference's mel through the vocoder, scored beside it as ceiling.
        target_speaker_scp: wav.scp of recordings of the target speaker.
        source_scp: wav.scp of the source of every converted utterance (same names).
        from_phonemes: wav.scp of the same said from phonemes with the sources' durations, not their voices.
        speakers: Recordings of speakers: a data directory (spk2utt, wav.scp), or what embed_speakers made of
            them (the target's are used if --target_speaker_scp is not given).
        target_speaker: Name of the target speaker in spk2utt.
        max_refs: Recordings a speaker for the speaker encoder.
        speaker_encoder: Its name, or none.
        quality: Predictor of speech quality: dnsmos, where installed, or none.
        settings: Audio settings (dump/audio.json); without, the paper's.
        name: Name of the experiment (default: the directory of --out).
        task: tts, vc or vocoder (default: what the name starts with).
        seed: Seed of the experiment, and of the bootstrap.
        nj: Processes for pitch and cepstra.
    """
    if not config:
        raise UserError('--config "": no result goes without the configuration behind it')
    audio = AudioSettings.load(settings)
    speech = Speech.of(hypothesis, reference, msep_hypothesis, vocoded, source_scp, from_phonemes)
    require("--max_refs", max_refs, POSITIVE)
    voices = Voices(speaker_encoder, target_speaker_scp, source_scp, speakers, target_speaker, max_refs)
    metrics = metrics_of_recordings(speech, audio, nj, seed)
    metrics |= metrics_of_voices(speech, voices, out.parent / SIMILARITIES, seed)
    metrics |= metrics_of_predictor(speech, quality, seed)
    if not metrics:
        raise UserError(NOTHING)
    meta = collect_meta(seed=seed, config=config, settings=audio.as_dict())
    write_scores(out, name or out.resolve().parent.name, metrics, meta, task=task)
    say(metrics)


def say(metrics: dict[str, Metric]) -> None:
    """Print the figures with their intervals."""
    for key, metric in metrics.items():
        low_high = ""
        if metric.interval is not None:
            low_high = f"  [{figure(metric.interval[0])}, {figure(metric.interval[1])}]"
        beside = "".join(f"  ({name} {figure(value)})" for name, value in metric.against.items())
        print(f"{label(key, metric)}: {figure(metric.value)}{low_high}  n = {metric.n}{beside}")


main = command(score_speech)

if __name__ == "__main__":
    main()
