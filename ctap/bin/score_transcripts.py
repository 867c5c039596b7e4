"""Score what an outside recogniser heard: ``ctap.bin.score_transcripts --ref_dir DIR --hyp_dir DIR ...``."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.common import Heard, Scored
from ctap.bin.entry import command
from ctap.bin.transcribe import NOTHING
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.metrics.errors import ErrorRate, error_rate, metrics_of_rates
from ctap.text.languages import language_in


def score_transcripts(heard: Heard, scored: Scored, task: str = "tts", asr: str = "") -> None:
    """Score what an outside recogniser heard: errors of characters or words, and of syllables with tone.

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


def transcription_rates(ref_dir: Path, hyp_dir: Path) -> dict[str, ErrorRate]:
    """Error rates of what the language counts; an utterance that was not transcribed counts as deleted.

    What was said counts, not how it is written: both sides are brought to one form, digits to words. Text
    that can't be read out (Latin letters among hanzi, say) counts with the syllables of what can.
    """
    language = language_in(ref_dir)
    texts = {utt: language.written_out(text) for utt, text in read_table(ref_dir / "text").items()}
    phones, transcripts = read_table(ref_dir / "phones"), read_table(hyp_dir / "text")
    heard = {utt: language.written_out(text) for utt, text in transcripts.items() if text != NOTHING}
    utts = sorted(texts)
    if not set(utts) & set(transcripts):
        raise UserError(f"{hyp_dir}/text and {ref_dir}/text have no utterance in common")
    said, found = ([language.text_tokens(some.get(u, "")) for u in utts] for some in (texts, heard))
    rates = {f"{language.token_name}_error_rate": error_rate(said, found, utts)}
    if lone := sorted(set(utts) - phones.keys()):
        raise UserError(f"{ref_dir}/phones: no {lone[0]}, which {ref_dir}/text has ({len(lone)} such in all)")
    syllables = [language.syllables(phones[u].split()) for u in utts]
    if None not in syllables:
        own = [language.heard_syllables(heard.get(u, "")) for u in utts]
        rates["syllable_error_rate"] = error_rate(syllables, own, utts)
    return rates


main = command(score_transcripts)

if __name__ == "__main__":
    main()
