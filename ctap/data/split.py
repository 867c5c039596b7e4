"""Training, development and test sets, with the target speakers set apart.

The paper (section 3) fine-tunes on speakers that pretraining never heard, each with much speech without text
and some minutes with text. For a target speaker there are therefore ``target_<spk>_speech`` (all but the test
part, without any text), ``target_<spk>_labeled`` (some minutes of that, with text) and ``target_<spk>_test``;
``train``, ``dev`` and ``test`` hold the other speakers.

Every choice is drawn from a generator seeded with the seed, the purpose and the speaker, so one speaker more
or less in a corpus does not reshuffle the others.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ctap.data.utterances import DEV, LEAST_SPEAKERS, LEAST_UTTERANCES, TEST, SplitOptions, Utterances
from ctap.errors import UserError

NOTHING_LEFT = (
    "no utterance is left to train on: give fewer --target_speakers, or --targets_in_train true; if the "
    "corpus has a training part (utt2part), see in skipped.tsv why all of it was left out"
)


@dataclass
class Split:
    """Sets by name (``train``, ``target_SSB0005_test``, ...): places of utterances; remarks for the user."""

    targets: list[str]
    sets: dict[str, np.ndarray]
    remarks: list[str] = field(default_factory=list)


def split(
    corpus: Utterances, gender: Mapping[str, str] | None = None, options: SplitOptions | None = None
) -> Split:
    """Choose target speakers and divide the utterances.

    Args:
        corpus: the utterances. Where its own parts have no ``test`` of speakers that are trained on, a share
            of each is held out. Utterances for which ``dev`` has no room are in no set.
        gender: speaker to ``m`` or ``f``.
        options: see :class:`SplitOptions`.

    Returns:
        The sets, each sorted and none of them empty. ``*_speech`` must be written without text.

    Raises:
        UserError: an unknown or too small target speaker, or nobody to train on.
    """
    options = options or SplitOptions()
    if not 0 < options.test_share < 1:
        raise UserError(f"--test_share {options.test_share}: expected a share between 0 and 1, such as 0.1")
    speakers = corpus.speakers
    tests = _tests(corpus, options)
    result = Split([], {})
    in_train = options.targets_in_train
    if in_train is None:
        in_train = len(speakers) < LEAST_SPEAKERS
    # A target needs a test, so it gets one even where its speaker has no test part, or nothing else.
    held_out = {
        spk: tests[spk] if 0 < len(tests[spk]) < len(utts) - 1 else _share(spk, utts, options)
        for spk, utts in speakers.items()
    }
    if options.target_speakers is None:
        speech_seconds = {spk: corpus.total(_without(utts, held_out[spk])) for spk, utts in speakers.items()}
        result.targets = _choose(speakers, tests, speech_seconds, gender or {}, options, result.remarks)
    else:
        result.targets = _check(options.target_speakers, speakers)
    tests |= {spk: held_out[spk] for spk in result.targets}
    targets = set(result.targets)
    trained = [spk for spk in speakers if in_train or spk not in targets]
    if in_train and result.targets:
        result.remarks.append(
            "the target speakers are in train, dev and test too: they are not new to pretraining"
        )
    own_dev = corpus.are(DEV)
    tests |= _missing_tests(trained, speakers, tests, own_dev, options, result.remarks)
    _fill(result, trained, corpus, tests, own_dev, options)
    _remark(result, {spk: speakers[spk] for spk in trained}, tests, options)
    if not len(result.sets["train"]):
        raise UserError(NOTHING_LEFT)
    result.sets = {name: utts for name, utts in result.sets.items() if len(utts)}
    return result


def _fill(
    result: Split,
    trained: list[str],
    corpus: Utterances,
    tests: Mapping[str, np.ndarray],
    own_dev: np.ndarray,
    options: SplitOptions,
) -> None:
    """Divide the utterances: train, dev and test of the speakers ``trained`` on, three of each target."""
    speakers, size = corpus.speakers, len(corpus.seconds)
    pool = {spk: _without(speakers[spk], tests[spk]) for spk in trained}
    offered = {spk: utts[own_dev[utts]] for spk, utts in pool.items()}
    given = _marked(size, offered.values())
    dev = _dev(offered if given.any() else pool, bool(given.any()), options)
    in_dev = _marked(size, [dev])
    if spare := int((given & ~in_dev).sum()):
        result.remarks.append(
            f"dev has {len(dev)} of the {given.sum()} utterances of the corpus's own dev part (--dev_utts); "
            f"{spare} are in no set"
        )
    result.sets["train"] = np.flatnonzero(_marked(size, pool.values()) & ~in_dev & ~given)
    result.sets["dev"] = np.flatnonzero(in_dev)
    result.sets["test"] = np.flatnonzero(_marked(size, (tests[spk] for spk in trained)))
    for spk in result.targets:
        speech = _without(speakers[spk], tests[spk])
        speech = speech[~in_dev[speech]]
        result.sets[f"target_{spk}_speech"] = speech
        result.sets[f"target_{spk}_labeled"] = _labeled(spk, speech, corpus, options, result.remarks)
        result.sets[f"target_{spk}_test"] = np.sort(tests[spk])


def _without(utts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """``utts`` that are not among ``others``, in their order."""
    return np.setdiff1d(utts, others, assume_unique=True)


def _marked(size: int, groups: Iterable[np.ndarray]) -> np.ndarray:
    """Which of ``size`` utterances are in one of the ``groups`` ``[N]``."""
    marks = np.zeros(size, bool)
    for utts in groups:
        marks[utts] = True
    return marks


def _random(options: SplitOptions, purpose: str, speaker: str = "") -> random.Random:
    return random.Random(f"{options.seed} {purpose} {speaker}")


def _sample(rng: random.Random, utts: np.ndarray, count: int) -> np.ndarray:
    return utts[np.array(rng.sample(range(len(utts)), count), np.int64)]


def _share(spk: str, utts: np.ndarray, options: SplitOptions) -> np.ndarray:
    """Utterances of a speaker to hold out; none if nothing would be left to train on."""
    if len(utts) < LEAST_UTTERANCES:
        return utts[:0]
    count = min(max(1, round(len(utts) * options.test_share)), len(utts) - 2)
    return _sample(_random(options, "test", spk), utts, count)


def _tests(corpus: Utterances, options: SplitOptions) -> dict[str, np.ndarray]:
    """Of each speaker, the corpus's own test part, or a share where it does not come divided."""
    if corpus.part is None:
        return {spk: _share(spk, utts, options) for spk, utts in corpus.speakers.items()}
    own = corpus.are(TEST)
    return {spk: utts[own[utts]] for spk, utts in corpus.speakers.items()}


def _missing_tests(
    trained: list[str],
    speakers: Mapping[str, np.ndarray],
    tests: Mapping[str, np.ndarray],
    own_dev: np.ndarray,
    options: SplitOptions,
    remarks: list[str],
) -> dict[str, np.ndarray]:
    """A share of each speaker that is trained on, if the corpus has no test part of any."""
    if any(len(tests[spk]) for spk in trained):
        return {}
    held_out = {spk: _share(spk, speakers[spk][~own_dev[speakers[spk]]], options) for spk in trained}
    if any(map(len, held_out.values())):
        remarks.append(
            "the corpus has no test part of those that are trained on: test has a share of "
            f"{options.test_share:g} of each speaker (--test_share)"
        )
    return held_out


def _choose(
    speakers: Mapping[str, np.ndarray],
    tests: Mapping[str, np.ndarray],
    speech_seconds: Mapping[str, float],
    gender: Mapping[str, str],
    options: SplitOptions,
    remarks: list[str],
) -> list[str]:
    able = [spk for spk, utts in speakers.items() if len(utts) >= LEAST_UTTERANCES]
    count = min(options.num_targets, max(1, len(speakers) // 4), len(able))
    enough = 2 * options.labeled_minutes * 60

    def rank(spk: str) -> tuple:
        # A target's speech is lost to pretraining: of the speakers with enough speech, take those with least.
        has_enough = speech_seconds[spk] >= enough
        has_test = 0 < len(tests[spk]) < len(speakers[spk])
        return not has_test, not has_enough, speech_seconds[spk] if has_enough else -speech_seconds[spk], spk

    ranked = sorted(able, key=rank)
    chosen: list[str] = []
    for spk in ranked:
        same = sum(gender.get(other) == gender.get(spk) for other in chosen)
        if len(chosen) < count and (spk not in gender or same < (count + 1) // 2):
            chosen.append(spk)
    chosen += [spk for spk in ranked if spk not in chosen][: count - len(chosen)]
    if not gender:
        remarks.append("no spk2gender: target speakers are chosen without regard to gender")
    if not chosen:
        remarks.append(f"no speaker has {LEAST_UTTERANCES} utterances: no target speaker is set apart")
    return sorted(chosen)


def _check(names: Iterable[str], speakers: Mapping[str, np.ndarray]) -> list[str]:
    names = sorted(set(names))
    for name in names:
        if name not in speakers:
            known = ", ".join(sorted(speakers)[:8])
            raise UserError(
                f"--target_speakers: no speaker {name!r}; there are {len(speakers)}: {known}, ..."
            )
        if len(speakers[name]) < LEAST_UTTERANCES:
            raise UserError(
                f"--target_speakers: {name!r} has {len(speakers[name])} utterances, a target speaker needs "
                f"at least {LEAST_UTTERANCES} (speech, labeled speech, test)"
            )
    return names


def _dev(pool: Mapping[str, np.ndarray], apart: bool, options: SplitOptions) -> np.ndarray:
    """Utterances of as many speakers as can be; never the only one of a speaker, unless ``apart``."""
    order = sorted(pool)
    _random(options, "dev").shuffle(order)
    drawn = [_sample(_random(options, "dev", spk), pool[spk], len(pool[spk])) for spk in order]
    if not apart:
        drawn = [utts[1:] for utts in drawn]
    total, able = sum(map(len, pool.values())), sum(map(len, drawn))
    count = options.dev_utts
    if count is None:
        count = min(400, able) if apart else min(max(8, total // 50), 400, total // 10, able)
    if count > able:
        whose = "of the corpus's own dev part" if apart else f"of {total} training utterances"
        raise UserError(f"--dev_utts {count}: only {able} can be spared {whose}")
    # in turns: the first of each speaker, then the second of each that has one
    none = np.zeros(0, np.int32)
    turns = np.concatenate([none, *(np.arange(len(utts), dtype=np.int32) for utts in drawn)])
    return np.concatenate([none, *drawn])[np.argsort(turns, kind="stable")[:count]]


def _labeled(
    spk: str, speech: np.ndarray, corpus: Utterances, options: SplitOptions, remarks: list[str]
) -> np.ndarray:
    total = corpus.total(speech)
    limit = options.labeled_minutes * 60
    if total < limit:
        limit = total / 2
        remarks.append(
            f"target {spk} has {total / 60:.1f} minutes of speech, less than --labeled_minutes "
            f"{options.labeled_minutes:g}: half of it, {limit / 60:.1f} minutes, keeps its text"
        )
    drawn = _sample(_random(options, "labeled", spk), speech, len(speech))
    used = itertools.accumulate(memoryview(corpus.seconds[drawn]), initial=0.0)
    next(used)
    count = max(1, sum(1 for _ in itertools.takewhile(lambda seconds: seconds <= limit, used)))
    return np.sort(drawn[:count])


def _remark(
    result: Split,
    speakers: Mapping[str, np.ndarray],
    tests: Mapping[str, np.ndarray],
    options: SplitOptions,
) -> None:
    for what, found in (
        (
            "1 utterance, train only",
            [s for s, utts in speakers.items() if len(utts) == 1 and not len(tests[s])],
        ),
        (
            "test utterances only, not in train",
            [s for s, utts in speakers.items() if len(utts) == len(tests[s])],
        ),
    ):
        if found:
            names = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
            result.remarks.append(f"{len(found)} speaker(s) with {what}: {names}")
    if not len(result.sets["dev"]):
        why = "--dev_utts 0" if options.dev_utts == 0 else "too few utterances"
        result.remarks.append(f"dev is empty: {why}")
    if not len(result.sets["test"]):
        result.remarks.append(f"test is empty: no speaker has {LEAST_UTTERANCES} utterances to train on")
