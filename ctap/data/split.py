"""Training, development and test sets, with the target speakers set apart.

The paper (section 3) fine-tunes on speakers that pretraining never heard, with much speech without text and
minutes of speech with text of each. Of a target speaker there are therefore ``target_<spk>_speech`` (all but
the test part, without any text), ``target_<spk>_labeled`` (some minutes of that, with text) and
``target_<spk>_test``; ``train``, ``dev`` and ``test`` hold the other speakers.

Every choice is drawn from a generator seeded with the seed, the purpose and the speaker, so one speaker more
or less in a corpus does not reshuffle the others.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ctap.errors import UserError
from ctap.kaldi.datadir import speakers_to_utterances

NOTHING_LEFT = (
    "no utterance is left to train on: give fewer --target_speakers, or --targets_in_train true; if the "
    "corpus has a training part (utt2part), see in skipped.tsv why all of it was left out"
)
LEAST_UTTERANCES = 3
"""A target speaker has at least one utterance each to adapt to, to hear with text, and to test on."""


@dataclass(frozen=True)
class SplitOptions:
    """How to split.

    Attributes:
        target_speakers: the target speakers' names; ``None`` to choose them.
        num_targets: how many to choose at most, half of each gender. Never more than a quarter of the
            speakers, but at least one.
        labeled_minutes: minutes of a target's speech that keep their text.
        dev_utts: size of ``dev``; ``None`` for 2% of the training utterances within 8 and 400, or at most 400
            of a corpus's own dev part.
        test_share: share of utterances to hold out where a corpus has no test part.
        targets_in_train: pretrain on the target speakers too. ``None``: only if there are less than three
            speakers, since nobody would be left.
        seed: any integer.
    """

    target_speakers: tuple[str, ...] | None = None
    num_targets: int = 4
    labeled_minutes: float = 15.0
    dev_utts: int | None = None
    test_share: float = 0.1
    targets_in_train: bool | None = None
    seed: int = 0


@dataclass
class Split:
    """Sets of utterances by name (``train``, ``target_SSB0005_test``, ...), and remarks for the user."""

    targets: list[str]
    sets: dict[str, list[str]]
    remarks: list[str] = field(default_factory=list)


def split(
    utt2spk: Mapping[str, str],
    seconds: Mapping[str, float],
    *,
    part: Mapping[str, str] | None = None,
    gender: Mapping[str, str] | None = None,
    options: SplitOptions | None = None,
) -> Split:
    """Choose target speakers and divide the utterances.

    Args:
        utt2spk: utterance to speaker.
        seconds: utterance to its length.
        part: utterance to ``train``, ``dev`` or ``test``, the corpus's own parts; the default of those not in
            it is ``train``. Where it has no ``test`` of speakers that are trained on, a share of each is held
            out. What ``dev`` has no room for is in no set.
        gender: speaker to ``m`` or ``f``.
        options: see :class:`SplitOptions`.

    Returns:
        The sets, each sorted, none of them empty. ``*_speech`` has to be written without text.

    Raises:
        UserError: an unknown or too small target speaker, or nobody to train on.
    """
    options = options or SplitOptions()
    if not 0 < options.test_share < 1:
        raise UserError(f"--test_share {options.test_share}: expected a share between 0 and 1, such as 0.1")
    speakers = speakers_to_utterances(utt2spk)
    tests = {spk: _test(spk, utts, part, options) for spk, utts in speakers.items()}
    result = Split([], {})
    in_train = (
        len(speakers) < LEAST_UTTERANCES if options.targets_in_train is None else options.targets_in_train
    )
    # A target needs a test, so it gets one even where its speaker has no test part, or nothing else.
    held_out = {
        spk: tests[spk] if 0 < len(tests[spk]) < len(utts) - 1 else _share(spk, utts, options)
        for spk, utts in speakers.items()
    }
    speech_seconds = {
        spk: sum(seconds[utt] for utt in utts if utt not in held_out[spk]) for spk, utts in speakers.items()
    }
    if options.target_speakers is None:
        result.targets = _choose(speakers, tests, speech_seconds, gender or {}, options, result.remarks)
    else:
        result.targets = _check(options.target_speakers, speakers)
    tests |= {spk: held_out[spk] for spk in result.targets}
    trained = [spk for spk in speakers if in_train or spk not in result.targets]
    if in_train and result.targets:
        result.remarks.append(
            "the target speakers are in train, dev and test too: they are not new to pretraining"
        )
    own_dev = {utt for utt, name in (part or {}).items() if name == "dev"}
    tests |= _missing_tests(trained, speakers, tests, own_dev, options, result.remarks)
    _fill(result, trained, speakers, tests, own_dev, seconds, options)
    _remark(result, {spk: speakers[spk] for spk in trained}, tests, options)
    if not result.sets["train"]:
        raise UserError(NOTHING_LEFT)
    result.sets = {name: utts for name, utts in result.sets.items() if utts}
    return result


def _fill(
    result: Split,
    trained: list[str],
    speakers: Mapping[str, list[str]],
    tests: Mapping[str, set[str]],
    own_dev: set[str],
    seconds: Mapping[str, float],
    options: SplitOptions,
) -> None:
    """Divide the utterances: train, dev and test of the speakers ``trained`` on, three of each target."""
    pool = {spk: [utt for utt in speakers[spk] if utt not in tests[spk]] for spk in trained}
    offered = {spk: [utt for utt in utts if utt in own_dev] for spk, utts in pool.items()}
    given = {utt for utts in offered.values() for utt in utts}
    dev = _dev(offered if given else pool, bool(given), options)
    if spare := given - dev:
        result.remarks.append(
            f"dev has {len(dev)} of the {len(given)} utterances of the corpus's own dev part (--dev_utts); "
            f"{len(spare)} are in no set"
        )
    result.sets["train"] = sorted(
        utt for utts in pool.values() for utt in utts if utt not in dev and utt not in given
    )
    result.sets["dev"] = sorted(dev)
    result.sets["test"] = sorted(utt for spk in trained for utt in tests[spk])
    for spk in result.targets:
        speech = [utt for utt in speakers[spk] if utt not in tests[spk] and utt not in dev]
        result.sets[f"target_{spk}_speech"] = speech
        result.sets[f"target_{spk}_labeled"] = _labeled(spk, speech, seconds, options, result.remarks)
        result.sets[f"target_{spk}_test"] = sorted(tests[spk])


def _random(options: SplitOptions, purpose: str, speaker: str = "") -> random.Random:
    return random.Random(f"{options.seed} {purpose} {speaker}")


def _share(spk: str, utts: list[str], options: SplitOptions) -> set[str]:
    """Utterances of a speaker to hold out; none of so few that nothing would be left to learn from."""
    if len(utts) < LEAST_UTTERANCES:
        return set()
    count = min(max(1, round(len(utts) * options.test_share)), len(utts) - 2)
    return set(_random(options, "test", spk).sample(utts, count))


def _test(spk: str, utts: list[str], part: Mapping[str, str] | None, options: SplitOptions) -> set[str]:
    if part is None:
        return _share(spk, utts, options)
    return {utt for utt in utts if part.get(utt) == "test"}


def _missing_tests(
    trained: list[str],
    speakers: Mapping[str, list[str]],
    tests: Mapping[str, set[str]],
    own_dev: set[str],
    options: SplitOptions,
    remarks: list[str],
) -> dict[str, set[str]]:
    """A share of each speaker that is trained on, if the corpus has no test part of any."""
    if any(tests[spk] for spk in trained):
        return {}
    held_out = {
        spk: _share(spk, [utt for utt in speakers[spk] if utt not in own_dev], options) for spk in trained
    }
    if any(held_out.values()):
        remarks.append(
            "the corpus has no test part of those that are trained on: test has a share of "
            f"{options.test_share:g} of each speaker (--test_share)"
        )
    return held_out


def _choose(
    speakers: Mapping[str, list[str]],
    tests: Mapping[str, set[str]],
    speech_seconds: Mapping[str, float],
    gender: Mapping[str, str],
    options: SplitOptions,
    remarks: list[str],
) -> list[str]:
    able = [spk for spk, utts in speakers.items() if len(utts) >= LEAST_UTTERANCES]
    count = min(options.num_targets, max(1, len(speakers) // 4), len(able))
    enough = 2 * options.labeled_minutes * 60

    def rank(spk: str) -> tuple:
        # What goes to a target is lost to pretraining: of the speakers with enough speech, the least.
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


def _check(names: Iterable[str], speakers: Mapping[str, list[str]]) -> list[str]:
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


def _dev(pool: Mapping[str, list[str]], apart: bool, options: SplitOptions) -> set[str]:
    """Utterances of as many speakers as can be; never the only one of a speaker, unless ``apart``."""
    order = sorted(pool)
    _random(options, "dev").shuffle(order)
    rounds = []
    for place, spk in enumerate(order):
        utts = _random(options, "dev", spk).sample(pool[spk], len(pool[spk]))
        rounds += [(turn, place, utt) for turn, utt in enumerate(utts if apart else utts[1:])]
    total = sum(map(len, pool.values()))
    count = options.dev_utts
    if count is None:
        count = min(400, len(rounds)) if apart else min(max(8, total // 50), 400, total // 10, len(rounds))
    if count > len(rounds):
        whose = "of the corpus's own dev part" if apart else f"of {total} training utterances"
        raise UserError(f"--dev_utts {count}: only {len(rounds)} can be spared {whose}")
    return {utt for _, _, utt in sorted(rounds)[:count]}


def _labeled(
    spk: str, speech: list[str], seconds: Mapping[str, float], options: SplitOptions, remarks: list[str]
) -> list[str]:
    total = sum(seconds[utt] for utt in speech)
    limit = options.labeled_minutes * 60
    if total < limit:
        limit = total / 2
        remarks.append(
            f"target {spk} has {total / 60:.1f} minutes of speech, less than --labeled_minutes "
            f"{options.labeled_minutes:g}: half of it, {limit / 60:.1f} minutes, keeps its text"
        )
    chosen: list[str] = []
    used = 0.0
    for utt in _random(options, "labeled", spk).sample(speech, len(speech)):
        if chosen and used + seconds[utt] > limit:
            break
        chosen.append(utt)
        used += seconds[utt]
    return sorted(chosen)


def _remark(
    result: Split, speakers: Mapping[str, list[str]], tests: Mapping[str, set[str]], options: SplitOptions
) -> None:
    for what, found in (
        ("1 utterance, train only", [s for s, utts in speakers.items() if len(utts) == 1 and not tests[s]]),
        (
            "test utterances only, not in train",
            [s for s, utts in speakers.items() if len(utts) == len(tests[s])],
        ),
    ):
        if found:
            names = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
            result.remarks.append(f"{len(found)} speaker(s) with {what}: {names}")
    if not result.sets["dev"]:
        why = "--dev_utts 0" if options.dev_utts == 0 else "too few utterances"
        result.remarks.append(f"dev is empty: {why}")
    if not result.sets["test"]:
        result.remarks.append(f"test is empty: no speaker has {LEAST_UTTERANCES} utterances to train on")
