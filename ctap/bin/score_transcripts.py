"""Score what an outside recogniser heard: ``ctap.bin.score_transcripts --ref_dir DIR --hyp_dir DIR ...``."""

from __future__ import annotations

from ctap.bin.common import Heard, Scored
from ctap.bin.entry import command
from ctap.metrics.errors import metrics_of_rates
from ctap.metrics.recognition import transcription_rates


def score_transcripts(heard: Heard, scored: Scored, task: str = "tts", asr: str = "") -> None:
    """Score what an outside recogniser heard: errors of characters or words, and of syllables.

    Args:
        heard: What was said, and what was heard.
        scored: The experiment, and where its scores go.
        task: Heading that the scores belong to: tts, vc.
        asr: The recogniser, for the record.
    """
    rates, others = heard.rates(transcription_rates)
    found = metrics_of_rates(rates, others, note=f"heard by {asr}" if asr else "")
    metrics = {f"transcribed_{key}": metric for key, metric in found.items()}
    scored.write(metrics, task)
    for key, metric in metrics.items():
        print(f"{scored.name}: {key} {metric.value:.4f} ({metric.n} utterances)")


main = command(score_transcripts)

if __name__ == "__main__":
    main()
