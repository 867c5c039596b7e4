"""Where the aligner puts a boundary once it knows which frame sounds like what."""

import numpy as np
import pytest

from ctap.align import hmm
from ctap.align.features import NUM_CEPSTRA, Features, Statistics
from ctap.align.gmm import Mixtures
from ctap.align.hmm import RINGING, TRANSITION, HmmAligner
from ctap.align.topology import CLOSURE, SILENCE, Units
from ctap.audio.frames import boundaries_to_durations
from ctap.audio.settings import AudioSettings
from ctap.text.languages import older

UNITS = Units(["sh", "t", "a", "i"], older())
DIM = 2 * NUM_CEPSTRA


def aligner():
    """Every state is one Gaussian, far from all others; the first cepstrum is the level."""
    mean = 10 * np.eye(UNITS.num_states, DIM - 1, dtype=np.float32)
    level = np.where(np.isin(np.arange(UNITS.num_states), [SILENCE, CLOSURE]), -10, 10).astype(np.float32)
    mean = np.concatenate([level[:, None], mean], axis=1)[:, None]
    nobody = Statistics(np.zeros(DIM, np.float32), np.ones(DIM, np.float32), 1)
    weight = np.zeros((UNITS.num_states, 1), np.float32)
    return HmmAligner(UNITS, Mixtures(mean, np.ones_like(mean), weight), nobody, AudioSettings())


def sounds(model, *spans):
    """Features of (phone or state, analysis frames): a phone's frames are shared by its states."""
    states = []
    for what, frames in spans:
        of_phone = [what] if isinstance(what, int) else UNITS.states(what)
        states += [of_phone[k * len(of_phone) // frames] for k in range(frames)]
    cepstra = model.mixtures.mean[states, 0]
    return Features(cepstra, 2 * (cepstra[:, 0] + 10))


@pytest.mark.parametrize(
    ("spans", "phones", "shifts"),
    [
        # A pause, then a fricative as heard, then a vowel's transition; the end rings. Boundaries are at odd
        # analysis frames: of two frames a duration, one more or less than there should be is then seen.
        ([(SILENCE, 8), ("sh", 11), ("a1", 12), (SILENCE, 8)], "sh a1", [0, TRANSITION, RINGING, 0]),
        ([(SILENCE, 8), ("a1", 11), ("i4", 12), (SILENCE, 8)], "a1 i4", [0, TRANSITION, RINGING, 0]),
        # Into a closure the vowel before rings.
        ([(SILENCE, 8), ("a1", 13), ("t", 12), ("i4", 12), (SILENCE, 8)], "a1 t i4",
         [0, RINGING, TRANSITION, RINGING, 0]),
    ],
)  # fmt: skip
def test_boundaries_follow_the_conventions(spans, phones, shifts):
    model = aligner()
    features = sounds(model, *spans)
    total = 1 + (len(features) - 1) // 2
    result = model.align(features, phones.split(), total)
    ends = np.cumsum([frames for _, frames in spans]) - np.array(shifts) - 0.5
    assert result.phones == ["sil", *phones.split(), "sil"]
    assert result.durations == boundaries_to_durations(list(0.005 * ends), total, AudioSettings())


def test_no_phone_is_shifted_away():
    model = aligner()
    features = sounds(model, (SILENCE, 8), ("sh", 10), ("a1", 3), ("i4", 12), (SILENCE, 8))
    result = model.align(features, ["sh", "a1", "i4"], 1 + (len(features) - 1) // 2)
    assert min(result.durations) >= 1
    assert sum(result.durations) == 1 + (len(features) - 1) // 2


@pytest.mark.parametrize("silence", [0.48, 0.52])
@pytest.mark.parametrize(("level", "end"), [(0.0, 30), (30.0, 50)])
def test_level_decides_where_spectra_leave_it_open(level, end, silence):
    """20 frames about as much like silence as like the vowel before: quiet, a pause; loud, the vowel."""
    model = aligner()
    quiet, vowel = model.mixtures.mean[SILENCE, 0], model.mixtures.mean[UNITS.states("a1")[2], 0]
    before, after = sounds(model, (SILENCE, 8), ("sh", 10), ("a1", 12)), sounds(model, (SILENCE, 12))
    features = Features(
        np.concatenate(
            [before.cepstra, np.tile((1 - silence) * vowel + silence * quiet, (20, 1)), after.cepstra]
        ),
        np.concatenate([before.level, np.full(20, level, np.float32), after.level]),
    )
    result = model.align(features, ["sh", "a1"], 1 + (len(features) - 1) // 2)
    assert sum(result.durations[:3]) == pytest.approx((end - RINGING) / 2, abs=1)


def test_confidence_is_what_the_best_of_all_sounds_has_more_and_the_score_that_of_speech():
    """Before the pause stands a phone that the text does not hold."""
    model = aligner()
    features = sounds(model, (UNITS.states("t")[2], 4), (SILENCE, 8), ("sh", 10), ("a1", 12), (SILENCE, 8))
    result = model.align(features, ["sh", "a1"], 1 + (len(features) - 1) // 2)
    apart = 0.5 * (20**2 + 2 * 10**2)  # nats of a frame, from that sound to silence
    assert result.confidence == pytest.approx([-4 / 12 * apart, 0, 0, 0], abs=1e-3)
    assert result.score == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("frames", "pause"), [(20, False), (40, True)])
def test_what_sounds_like_a_closure_is_a_pause_only_where_it_is_long(frames, pause):
    """80 nats to enter a pause and 3 a frame that sounds like a closure, beside 6 a frame of closure."""
    model = aligner()
    features = sounds(model, (SILENCE, 8), ("a1", 12), (CLOSURE, frames), ("t", 12), ("i4", 12), (SILENCE, 8))
    result = model.align(features, ["a1", "t", "i4"], 1 + (len(features) - 1) // 2)
    assert ("sp" in result.phones) == pause


def test_training_starts_with_silence_where_it_is_quiet_and_closures_that_sound_like_it(monkeypatch):
    monkeypatch.setattr(hmm, "SCHEDULE", ())
    model = aligner()
    features = sounds(model, (SILENCE, 20), ("a1", 60), ("t", 60), ("i4", 60), (SILENCE, 20))
    data = {"A01": (features, ["a1", "t", "i4"], [True, True, False])}
    mean = hmm._estimate(data, UNITS, 1).mean[:, 0]
    quiet = features.level == 0
    np.testing.assert_allclose(mean[SILENCE], features.cepstra[quiet].mean(0), atol=1e-4)
    np.testing.assert_array_equal(mean[CLOSURE], mean[SILENCE])
    loud = features.cepstra[~quiet]  # shared evenly by the phones' states, one of which is a closure
    owner = np.arange(len(loud)) * 9 // len(loud)
    for k, state in enumerate(state for phone in ("a1", "t", "i4") for state in UNITS.states(phone)):
        if state != CLOSURE:
            np.testing.assert_allclose(mean[state], loud[owner == k].mean(0), atol=1e-4)
