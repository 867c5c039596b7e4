"""The table that results open with: few figures, in words, each between its floor and its ceiling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ctap.metrics.results import Metric
from ctap.report.collect import Collection
from ctap.report.markdown import ARROWS, Section, figure, interval, metrics

__all__ = ["HEADLINES", "Headline", "at_a_glance"]

NOTE = (
    "Floor: the figure of chance, of silence, or of the wrong voice. Ceiling: the figure of real "
    "recordings, or the best possible value. Rates and shares are fractions of 1. All other figures, sounds "
    "and pictures are below."
)


@dataclass(frozen=True)
class Headline:
    """A figure that a reader should see first.

    Attributes:
        task: heading that the figure stands under.
        key: of the figure.
        words: what it is, to somebody who has not read the paper.
        floor: of the names in the figure's ``against``, those that are a floor.
        ceiling: those that are a ceiling.
    """

    task: str
    key: str
    words: str
    floor: tuple[str, ...] = ()
    ceiling: tuple[str, ...] = ()


_SILENCE = ("nothing said",)
_RECORDING = ("recording", "vocoded", "vocoded recording", "source")


def _voice(task: str) -> tuple[Headline, ...]:
    """Headlines of generated speech."""
    return (
        Headline(task, "phone_error_rate", "phones a recogniser hears wrong", _SILENCE, _RECORDING),
        Headline(
            task,
            "speaker_similarity/target",
            "likeness of the voice to the target's (cosine)",
            ("to the nearest other speaker", "source recordings"),
            ("target's recordings",),
        ),
        _quality(task),
    )


def _quality(task: str) -> Headline:
    return Headline(task, "dnsmos/overall", "sound quality, predicted (DNSMOS, 1 to 5)", (), _RECORDING)


#: Of each task, in the order of the table.
HEADLINES = (
    Headline(
        "durations", "boundary_error/median", "distance of phones' boundaries from the true ones, median"
    ),
    Headline("vocoder", "mel_cepstral_distortion", "distortion of the envelope (dB)"),
    Headline("vocoder", "log_f0_rmse", "error of log F0"),
    _quality("vocoder"),
    Headline("judge", "phone_error_rate", "phones of recordings it hears wrong", _SILENCE),
    Headline("pretrain", "phone_retrieval", "speech frames whose nearest phone is right", ("chance",)),
    Headline("pretrain", "phone_probe", "phones a linear classifier reads off it", ("chance", "log-mel")),
    # the representation is to shed the speaker: chance is the best, or what text and timing tell (P)
    Headline(
        "pretrain",
        "speaker_probe",
        "speakers a linear classifier tells by it",
        ("log-mel",),
        ("chance", "P"),
    ),
    *_voice("tts"),
    *_voice("vc"),
    Headline("asr", "frame_accuracy", "frames whose phone is recognised", ("chance",)),
    Headline("asr", "phone_error_rate", "phones recognised wrong", _SILENCE),
)
TASK_WORDS = {
    "durations": "Durations",
    "vocoder": "Vocoder",
    "judge": "Judge",
    "pretrain": "Representation",
    "tts": "Text to speech",
    "vc": "Voice conversion",
    "asr": "Speech recognition",
}


def at_a_glance(collection: Collection) -> list[Section]:
    """The table of the headlines that experiments have; nothing if they have none."""
    rows = []
    for task, members in collection.by_task().items():
        experiments = [experiment for experiment in members if experiment.scores]
        chosen = [headline for headline in HEADLINES if headline.task == task]
        for experiment in experiments:
            found = metrics(experiment)
            # an experiment that is the only one of its task needs no name, but a voice has one
            name = experiment.name.removeprefix(task).lstrip("_")
            who = f", {name}" if name and (len(experiments) > 1 or task in ("tts", "vc")) else ""
            rows += [
                _row(f"{TASK_WORDS[task]}{who}: {headline.words}", found[headline.key], headline)
                for headline in chosen
                if headline.key in found
            ]
    head = ["what", "figure", "95% interval", "n", "floor", "ceiling"]
    return [Section("At a glance", NOTE, [head, *rows], numbers=head[1:4])] if rows else []


def _row(words: str, metric: Metric, headline: Headline) -> list[str]:
    def beside(names: Iterable[str]) -> str:
        return ", ".join(f"{name} {figure(metric.against[name])}" for name in names if name in metric.against)

    unit = f" {metric.unit}" if metric.unit else ""
    return [
        f"{words} {ARROWS[metric.better]}".strip(),
        f"{figure(metric.value)}{unit}",
        interval(metric),
        str(metric.n),
        beside(headline.floor),
        beside(headline.ceiling),
    ]
