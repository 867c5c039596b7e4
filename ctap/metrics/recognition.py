"""What a recogniser heard, beside what was said: errors of phones, syllables and text, and frame accuracy."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.kaldi.durations import misfit, whole_numbers
from ctap.metrics.errors import NOTHING, ErrorRate, collapse, error_rate, frame_accuracy
from ctap.metrics.intervals import bootstrap_ratio
from ctap.metrics.results import Metric, items
from ctap.text.languages import language_in

__all__ = ["error_rates", "frame_metric", "transcription_rates"]


def error_rates(ref_dir: Path, hyp_dir: Path, *, text: bool) -> dict[str, ErrorRate]:
    """Error rates of phones, syllables (with and without tone) and, where both have text, of its tokens.

    Syllables are left out where the language's phones do not tell them.

    An utterance that was not recognised at all counts as deleted.
    """
    said, heard = read_table(ref_dir / "phones"), read_table(hyp_dir / "phones")
    utts = sorted(said)
    if not set(utts) & set(heard):
        raise UserError(f"{hyp_dir}/phones and {ref_dir}/phones have no utterance in common")
    for what, some in (("hypotheses", set(said) - set(heard)), ("references", set(heard) - set(said))):
        if some:
            print(f"{hyp_dir}: {len(some)} utterances are not in the {what}: {' '.join(sorted(some)[:5])}")
    refs = [collapse(said[u].split()) for u in utts]
    hyps = [collapse(heard.get(u, "").split()) for u in utts]
    rates = {"phone_error_rate": error_rate(refs, hyps, utts)}
    language = language_in(ref_dir)
    ref_syllables, hyp_syllables = ([language.syllables(p) for p in some] for some in (refs, hyps))
    if None not in ref_syllables:
        rates["syllable_error_rate"] = error_rate(ref_syllables, hyp_syllables, utts)
        rates["syllable_error_rate_no_tone"] = error_rate(
            [language.toneless(s) for s in ref_syllables], [language.toneless(s) for s in hyp_syllables], utts
        )
    if text and (ref_dir / "text").exists() and (hyp_dir / "text").exists():
        texts, spelled = read_table(ref_dir / "text"), read_table(hyp_dir / "text")
        both = [u for u in utts if u in texts]
        tokens = [[language.text_tokens(some.get(u, "")) for u in both] for some in (texts, spelled)]
        name = f"{language.token_name}_error_rate"
        # the text of own phones is phones too, but not those that were heard frame by frame
        rates["text_error_rate" if name in rates else name] = error_rate(*tokens, both)
    return rates


def transcription_rates(ref_dir: Path, hyp_dir: Path) -> dict[str, ErrorRate]:
    """Error rates of what the language counts; an utterance that was not transcribed counts as deleted.

    What was said counts, not how it is written: in Mandarin and English both sides are brought to one form,
    digits to words; in other languages their writing is compared. Hanzi text that can't be read out (Latin
    letters in it, say) counts with the syllables of what can.
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


def frame_metric(ref_dir: Path, hyp_dir: Path) -> Metric:
    """Share of frames whose phone is right, over all frames, beside that of always saying the commonest.

    Of an utterance that was not recognised at all no frame is right.
    """
    said, heard = (_frame_phones(folder) for folder in (ref_dir, hyp_dir))
    if not said.keys() & heard.keys():
        raise UserError(f"{hyp_dir}/durations and {ref_dir}/durations have no utterance in common")
    right, total, counts = [], [], Counter()
    utts = sorted(said)
    for utt in utts:
        ref = said[utt]
        hyp = heard.get(utt, np.full(len(ref), ""))
        if len(ref) != len(hyp):
            raise UserError(
                f"{hyp_dir}: {utt}: {len(hyp)} frames recognised, {len(ref)} in {ref_dir}/durations"
            )
        hits, frames = frame_accuracy(ref, hyp)
        right.append(hits)
        total.append(frames)
        counts.update(ref.tolist())
    interval = bootstrap_ratio(np.array(right), np.array(total))
    commonest = counts.most_common(1)[0][1] / sum(counts.values())
    own = items(utts, right, total)
    return Metric.of(interval, n=len(utts), better="higher", against={"chance": commonest}, items=own)


def _frame_phones(folder: Path) -> dict[str, np.ndarray]:
    """Phones of all frames, by utterance."""
    phones, durations = (read_table(folder / name) for name in ("aligned_phones", "durations"))
    found = {}
    for utt, text in phones.items():
        try:
            labels, counts = text.split(), whole_numbers(durations.get(utt, ""))
            if problem := misfit(labels, counts):
                raise UserError(problem)
        except UserError as error:
            raise UserError(f"{folder}/durations: {utt}: {error}") from None
        found[utt] = np.repeat(labels, counts)
    return found
