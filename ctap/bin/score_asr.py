"""Score recognised phones and text: ``ctap.bin.score_asr --ref_dir DIR --hyp_dir DIR --out scores.json``."""

from __future__ import annotations

import functools
import json

from ctap.bin.common import Heard, Scored
from ctap.bin.entry import command
from ctap.metrics.errors import RECOGNITION, metrics_of_rates
from ctap.metrics.recognition import error_rates, frame_metric


def score_asr(heard: Heard, scored: Scored, task: str = "asr", frames: bool = True) -> None:
    """Score recognised phones and text against what was said.

    Args:
        heard: What was said, and what was heard.
        scored: The experiment, and where its scores go.
        task: Heading that the scores belong to: asr, tts, vc.
        frames: Score frame accuracy and characters; leave them out for generated speech, whose frames have no
            labels.
    """
    rates, others = heard.rates(functools.partial(error_rates, text=frames))
    metrics = metrics_of_rates(rates, others, floor={"nothing said": 1.0})
    if frames:
        metrics["frame_accuracy"] = frame_metric(heard.ref_dir, heard.hyp_dir)
    how = heard.hyp_dir / RECOGNITION
    noted = {"recognition": json.loads(how.read_text(encoding="utf-8"))} if how.exists() else {}
    scored.write(metrics, task, **noted)
    for key, metric in metrics.items():
        beside = "".join(f", {label} {value:.4f}" for label, value in metric.against.items())
        print(f"{scored.name}: {key} {metric.value:.4f} ({metric.n} utterances{beside})")


main = command(score_asr)

if __name__ == "__main__":
    main()
