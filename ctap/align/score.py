"""How far an alignment's boundaries lie from true ones."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ctap.align.durations import Durations, strip_pauses
from ctap.align.events import Reference, Word
from ctap.align.textgrid import Segment
from ctap.audio.frames import durations_to_boundaries
from ctap.audio.settings import AudioSettings
from ctap.text.language import Language
from ctap.text.pauses import PAUSES

WITHIN = (0.010, 0.020, 0.050)
WORD_TOLERANCE = 0.020
INNER_PAUSE = 0.030
CLEAN_EDGE = 0.020  # a joined word's recording starts or ends with speech if it is silent no longer than this
FAR = 0.020  # errors above this are counted for the share of closures
EXACT = 1e-6  # what counts as at a limit: 0.155 - 0.145 is not quite 0.01

OwnSilence = Mapping[str, Sequence[tuple[float, float]]]


@dataclass
class Errors:
    """Signed errors of boundaries of one kind, in seconds; above 0 is late."""

    values: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float | int]:
        """Figures in milliseconds and shares; only the count if there are none."""
        if not self.values:
            return {"count": 0}
        signed = 1000.0 * np.array(self.values)
        size = np.abs(signed)
        result: dict[str, float | int] = {
            "count": len(size),
            "median": float(np.median(size)),
            "mean": float(size.mean()),
            "p90": float(np.percentile(size, 90)),
            "p99": float(np.percentile(size, 99)),
            "median_signed": float(np.median(signed)),
        }
        for limit in WITHIN:
            result[f"within_{1000 * limit:.0f}"] = float((size <= 1000 * (limit + EXACT)).mean())
        return result


@dataclass
class Tally:
    """What is added up over utterances.

    Args:
        language: of the phones.
        counts: how often each thing was met.
        errors: of boundaries of each kind; ``all`` has those of every boundary.
    """

    language: Language
    counts: dict[str, int]
    errors: dict[str, Errors] = field(default_factory=lambda: {"all": Errors()})

    def add(self, name: str, value: float) -> None:
        """Note a boundary's error."""
        self.errors["all"].values.append(value)
        self.again(name, value)

    def again(self, name: str, value: float) -> None:
        """Note it in a row of its own, without counting the boundary a second time in ``all``."""
        self.errors.setdefault(name, Errors()).values.append(value)

    def count(self, name: str, times: int = 1) -> None:
        """Count what was met."""
        self.counts[name] += int(times)


PAUSE_COUNTS = ("true", "missed", "invented")
WORD_COUNTS = ("boundaries", "respected", "swallowed", "pauses_inside", "pauses_displaced")
"""Swallowed: no pause where there is one; pauses inside: of over 30 ms between two syllables of a word;
displaced: those of them that are heard where a joint is, so that the syllables are in the wrong place."""


def score(
    reference: Reference,
    hypothesis: Durations,
    settings: AudioSettings,
    language: Language,
    own_silence: OwnSilence | None = None,
) -> dict:
    """Score alignments against true boundaries.

    Of phones, a boundary is the start of each phone, and its end where a pause or the end of the utterance
    follows. A stop's closure belongs to the stop; after a pause nobody can hear where it starts, so stops and
    affricates after a pause have a row of their own (they do count in ``all``).

    Of words, a boundary is respected if the aligner's boundary, or some part of its pause, lies between the
    end of one word and the start of the next, give or take 20 ms. With ``own_silence`` edges of words are
    scored two more times: where the recording that was joined starts or ends with speech (``..., clean``),
    and all of them against the speech (``..., speech``).

    Args:
        reference: the truth.
        hypothesis: aligned phones and frames.
        settings: whose frames are counted.
        language: of the phones.
        own_silence: of words, see :func:`ctap.align.edges.own_silence`.

    Returns:
        ``kind``, ``utterances``, ``skipped`` (utterance to reason), ``boundaries`` (name to figures in
        milliseconds), ``closures`` (shares of starts of stops and affricates: in the boundaries, in the sum
        of their errors, in the errors over 20 ms), and counts, ``pauses`` (:data:`PAUSE_COUNTS`) or ``words``
        (:data:`WORD_COUNTS`); of words with ``own_silence`` also how long it is.
    """
    skipped = dict(reference.unusable)
    tally = Tally(language, dict.fromkeys(PAUSE_COUNTS if reference.phones else WORD_COUNTS, 0))
    used = 0
    for utterance in sorted(hypothesis.keys() - skipped.keys()):
        labels, frames = hypothesis[utterance]
        if problem := _misfit(reference, utterance, labels, language):
            skipped[utterance] = problem
            continue
        ends = durations_to_boundaries(frames, settings)
        found = [Segment(p, s, e) for p, s, e in zip(labels, [0.0, *ends[:-1]], ends, strict=True)]
        used += 1
        if reference.phones:
            _score_phones(tally, reference.phones[utterance], found)
        else:
            words, silent = reference.words[utterance], (own_silence or {}).get(utterance)
            _score_words(tally, words, found, silent)
    result = {
        "kind": "phones" if reference.phones else "words",
        "utterances": used,
        "not_aligned": sorted((reference.phones or reference.words).keys() - hypothesis.keys()),
        "skipped": skipped,
        "boundaries": {name: kind.summary() for name, kind in tally.errors.items() if kind.values},
        "closures": _closure_shares(tally.errors),
    }
    if own_silence and not reference.phones:
        result["own_silence"] = _silence_summary(own_silence)
    result["pauses" if reference.phones else "words"] = tally.counts
    return result


def _misfit(reference: Reference, utterance: str, labels: Sequence[str], language: Language) -> str:
    """Why ``labels`` can't be scored by the reference, or ``""``."""
    if utterance not in (reference.phones or reference.words):
        return "not in the reference"
    if reference.phones:
        expected = strip_pauses([x.label for x in reference.phones[utterance]])
        return "" if expected == strip_pauses(labels) else "the reference has other phones"
    syllables = sum(word.syllables for word in reference.words[utterance])
    same = syllables == sum(language.starts(strip_pauses(labels)))
    return "" if same else "the reference has another number of syllables"


def _gaps(intervals: Sequence[Segment]) -> tuple[list[Segment], dict[int, float]]:
    """The phones, and the pause (seconds) before phone i; before phone n, after the last."""
    spoken, pauses = [], {}
    for interval in intervals:
        if interval.label in PAUSES:
            pauses[len(spoken)] = pauses.get(len(spoken), 0.0) + interval.end - interval.start
        else:
            spoken.append(interval)
    return spoken, pauses


def _score_phones(tally: Tally, expected: Sequence[Segment], found: Sequence[Segment]) -> None:
    true, true_pauses = _gaps(expected)
    ours, our_pauses = _gaps(found)
    for i, (a, b) in enumerate(zip(true, ours, strict=True)):
        name = tally.language.phone_class(a.label)
        if tally.language.has_closure(a.label) and (i in true_pauses or i == 0):
            name = "closure after pause"
        tally.add(name, b.start - a.start)
        before = tally.language.phone_class(true[i - 1].label) if i and i not in true_pauses else ""
        if name == before == "vowel":
            tally.again("vowel after a vowel", b.start - a.start)
        if i + 1 == len(true) or i + 1 in true_pauses:
            tally.add("end before pause", b.end - a.end)
        if i:
            tally.count("true", i in true_pauses)
            tally.count("missed", i in true_pauses and i not in our_pauses)
            tally.count("invented", i in our_pauses and i not in true_pauses)


def _score_words(
    tally: Tally,
    words: Sequence[Word],
    found: Sequence[Segment],
    own_silence: Sequence[tuple[float, float]] | None,
) -> None:
    language = tally.language
    phones, pauses = _gaps(found)
    labels = [x.label for x in phones]
    syllables = [i for i, first in enumerate(language.starts(labels)) if first]
    firsts, at = [], 0
    for word in words:
        firsts.append(syllables[at])
        at += word.syllables
    joints = [(a.end, b.start) for a, b in itertools.pairwise(words)]
    for i, length in pauses.items():
        if 0 < i < len(phones) and i not in firsts and length > INNER_PAUSE + EXACT:
            start, end = phones[i - 1].end, phones[i].start
            tally.count("pauses_inside")
            tally.count("pauses_displaced", any(start < b - EXACT and end > a + EXACT for a, b in joints))
    for k, first in enumerate(firsts[1:]):
        word, following = words[k], words[k + 1]
        end, start = phones[first - 1].end, phones[first].start
        tally.count("boundaries")
        tally.count(
            "respected",
            end <= following.start + WORD_TOLERANCE + EXACT and start >= word.end - WORD_TOLERANCE - EXACT,
        )
        tally.count("swallowed", first not in pauses)
        closes = language.has_closure(labels[first])
        left = f"end of word{' before closure' if closes else ''}"
        right = f"start of word{' with closure' if closes else ''}"
        tally.add(left, end - word.end)
        tally.add(right, start - following.start)
        tally.again(f"start of word: {language.phone_class(labels[first])}", start - following.start)
        if own_silence is not None:
            after, before = own_silence[k][1], own_silence[k + 1][0]
            tally.again(f"{left}, speech", end - (word.end - after))
            tally.again(f"{right}, speech", start - (following.start + before))
            if after <= CLEAN_EDGE + EXACT:
                tally.again(f"{left}, clean", end - word.end)
            if before <= CLEAN_EDGE + EXACT:
                tally.again(f"{right}, clean", start - following.start)


def _closure_shares(errors: Mapping[str, Errors]) -> dict[str, float]:
    """How much of the error is due to where the closures of stops and affricates are thought to start."""
    names = ("stop", "affricate", "closure after pause", "start of word with closure")
    sizes = np.abs(errors["all"].values)
    theirs = np.abs([value for name in names if name in errors for value in errors[name].values])
    parts = {
        "boundaries": (len(theirs), len(sizes)),
        "error": (theirs.sum(), sizes.sum()),
        "far": ((theirs > FAR + EXACT).sum(), (sizes > FAR + EXACT).sum()),
    }
    return {name: float(part / whole) if whole else 0.0 for name, (part, whole) in parts.items()}


def _silence_summary(own_silence: OwnSilence) -> dict[str, dict[str, float]]:
    edges = np.array([edge for words in own_silence.values() for edge in words]).reshape(-1, 2)
    return {
        name: {
            "count": len(values),
            "median": 1000 * float(np.median(values)),
            "p90": 1000 * float(np.percentile(values, 90)),
            "clean": float((values <= CLEAN_EDGE + EXACT).mean()),
        }
        for name, values in zip(("start", "end"), edges.T, strict=True)
        if len(values)
    }


def format_table(result: dict) -> str:
    """The figures of :func:`score` as a table for people."""
    columns = ["count", "median", "mean", "p90", "p99", "median_signed"]
    shares = [f"within_{1000 * limit:.0f}" for limit in WITHIN]
    head = ["n", "median", "mean", "p90", "p99", "signed", *(f"<={1000 * x:.0f} ms" for x in WITHIN)]
    lines = [f"{'boundary (ms)':<34}" + "".join(f"{name:>10}" for name in head)]
    names = sorted(result["boundaries"], key=lambda name: (name != "all", name))
    for name in names:
        row = result["boundaries"][name]
        cells = [f"{row[c]:>10.1f}" if c != "count" else f"{row[c]:>10d}" for c in columns]
        cells += [f"{100 * row[c]:>9.1f}%" for c in shares]
        lines.append(f"{name:<34}" + "".join(cells))
    lines.append(f"{result['utterances']} utterances scored, {len(result['skipped'])} skipped, "
                 f"{len(result['not_aligned'])} of the reference not in the hypothesis")  # fmt: skip
    closures = result["closures"]
    lines.append(
        f"starts of stops and affricates: {closures['boundaries']:.1%} of the boundaries, "
        f"{closures['error']:.1%} of the error, {closures['far']:.1%} of the errors over {1000 * FAR:.0f} ms"
    )
    for name, row in result.get("own_silence", {}).items():
        lines.append(
            f"silence of the recordings at a word's {name}: median {row['median']:.0f} ms, "
            f"p90 {row['p90']:.0f} ms; {row['clean']:.1%} are clean (at most {1000 * CLEAN_EDGE:.0f} ms)"
        )
    if "words" in result:
        words = result["words"]
        count = max(1, words["boundaries"])
        lines.append(
            f"word boundaries respected: {words['respected'] / count:.2%} of {words['boundaries']}; "
            f"without a pause: {words['swallowed'] / count:.1%}; "
            f"pauses of over {1000 * INNER_PAUSE:.0f} ms inside words: {words['pauses_inside']} "
            f"({words['pauses_displaced']} of them where a joint is: the syllables are displaced)"
        )
    if "pauses" in result:
        pauses = result["pauses"]
        lines.append(f"pauses: {pauses['true']}, missed {pauses['missed']}, invented {pauses['invented']}")
    return "\n".join(lines)
