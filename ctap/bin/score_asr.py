"""Score recognised phones and text: ``ctap.bin.score_asr --ref_dir DIR --hyp_dir DIR --out scores.json``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ctap.bin.common import command
from ctap.errors import UserError
from ctap.eval.bootstrap import bootstrap_ratio
from ctap.eval.errors import characters, collapse, error_rate, frame_accuracy, syllables, without_tone
from ctap.eval.results import Metric, collect_meta, write_scores
from ctap.kaldi.io import read_table


def score_asr(
    ref_dir: Path,
    hyp_dir: Path,
    out: Path,
    name: str,
    task: str = "asr",
    prefix: str = "",
    frames: bool = True,
    seed: int = 777,
    config: str = "-",
) -> None:
    """Compare what ctap.bin.recognize wrote with what was said.

    Args:
        ref_dir: Directory with phones, text, and for frame accuracy aligned_phones and durations.
        hyp_dir: Directory that ctap.bin.recognize wrote.
        out: JSON file of scores.
        name: Name of the experiment.
        task: Heading that the scores belong to: asr, tts, vc.
        prefix: Put before the names of the figures.
        frames: Score frame accuracy; leave it out for generated speech, whose frames have no labels.
        seed: Seed of the experiment, for the record.
        config: Configuration of the experiment, for the record.
    """
    said, heard = read_table(ref_dir / "phones"), read_table(hyp_dir / "phones")
    utts = sorted(said)
    if not set(utts) & set(heard):
        raise UserError(f"{hyp_dir}/phones and {ref_dir}/phones have no utterance in common")
    for what, some in (
        ("in the hypotheses", set(said) - set(heard)),
        ("in the references", set(heard) - set(said)),
    ):
        if some:
            print(f"{len(some)} utterances are not {what}: {' '.join(sorted(some)[:5])}")
    metrics: dict[str, Metric] = {}
    refs = [collapse(said[u].split()) for u in utts]
    # what was not recognised at all counts as deleted
    hyps = [collapse(heard.get(u, "").split()) for u in utts]
    add_rate(metrics, f"{prefix}phone_error_rate", refs, hyps)
    ref_syllables, hyp_syllables = [syllables(r) for r in refs], [syllables(h) for h in hyps]
    add_rate(metrics, f"{prefix}syllable_error_rate", ref_syllables, hyp_syllables)
    add_rate(
        metrics,
        f"{prefix}syllable_error_rate_no_tone",
        [without_tone(s) for s in ref_syllables],
        [without_tone(s) for s in hyp_syllables],
    )
    if frames:
        metrics[f"{prefix}frame_accuracy"] = frame_metric(ref_dir, hyp_dir, sorted(set(utts) & set(heard)))
    if (ref_dir / "text").exists() and (hyp_dir / "text").exists() and frames:
        texts, spelled = read_table(ref_dir / "text"), read_table(hyp_dir / "text")
        both = [u for u in utts if u in texts]
        add_rate(
            metrics,
            f"{prefix}character_error_rate",
            [characters(texts[u]) for u in both],
            [characters(spelled.get(u, "")) for u in both],
        )
    write_scores(out, name, metrics, collect_meta(seed=seed, config=config), task=task)
    for key, metric in metrics.items():
        print(f"{name}: {key} {metric.value:.4f} ({metric.n} utterances)")


def add_rate(metrics: dict[str, Metric], key: str, refs: list[list[str]], hyps: list[list[str]]) -> None:
    """Put an error rate with its interval into ``metrics``."""
    rate = error_rate(refs, hyps)
    metrics[key] = Metric.of(rate.interval(), n=rate.utterances, better="lower")


def frame_metric(ref_dir: Path, hyp_dir: Path, utts: list[str]) -> Metric:
    """Share of frames whose phone is right, over all frames, pauses included."""
    tables = [read_table(d / t) for d in (ref_dir, hyp_dir) for t in ("aligned_phones", "durations")]
    ref_phones, ref_durations, hyp_phones, hyp_durations = tables
    right, total = [], []
    for utt in utts:
        ref = np.repeat(ref_phones[utt].split(), np.array(ref_durations[utt].split(), int))
        hyp = np.repeat(hyp_phones[utt].split(), np.array(hyp_durations[utt].split(), int))
        if len(ref) != len(hyp):
            raise UserError(
                f"{hyp_dir}: {utt}: {len(hyp)} frames recognised, {len(ref)} in {ref_dir}/durations"
            )
        hits, frames = frame_accuracy(ref, hyp)
        right.append(hits)
        total.append(frames)
    interval = bootstrap_ratio(np.array(right), np.array(total))
    return Metric.of(interval, n=len(utts), better="higher")


if __name__ == "__main__":
    command(score_asr)
