"""The excitation: harmonics at F0, unit power, phases that go on, noise that a seed decides."""

import itertools

import numpy as np
import torch

from ctap.nn.excitation import NOISE_BLOCK, pulse_train, sample_f0, seeded_noise


def test_pulses_are_all_harmonics_below_half_the_rate():
    pulses, _ = pulse_train(torch.full((1, 24000), 200.0), 24000)
    spectrum = np.abs(np.fft.rfft(pulses[0].numpy())) / 12000
    assert np.allclose(spectrum[200:12000:200], spectrum[200], rtol=0.01)
    assert np.delete(spectrum, np.arange(0, 12001, 200)).max() < 1e-3 * spectrum[200]
    assert abs(float(pulses.square().mean()) - 1) < 0.02


def test_the_phase_goes_on_from_part_to_part():
    f0 = torch.linspace(90, 300, 5000)[None]
    whole, phases = pulse_train(f0, 24000)
    rest, _ = pulse_train(f0[:, 1234:], 24000, phases[:, 1234])
    assert torch.allclose(whole[:, 1234:], rest, atol=1e-4)


def test_unvoiced_frames_have_no_pulses():
    f0 = sample_f0(torch.tensor([[100.0, 110.0, 0.0, 0.0]]), 240)
    assert f0.shape == (1, 720)
    assert torch.allclose(f0[0, [0, 120, 240, 359]], torch.tensor([100.0, 105.0, 110.0, 110.0]))
    assert (f0[0, 360:] == 0).all()
    assert (pulse_train(f0, 24000)[0][0, 360:] == 0).all()


def test_noise_is_one_sequence():
    whole = seeded_noise(3, 0, 2 * NOISE_BLOCK)
    assert torch.equal(
        whole[NOISE_BLOCK - 5 : NOISE_BLOCK + 7], seeded_noise(3, NOISE_BLOCK - 5, NOISE_BLOCK + 7)
    )
    other = seeded_noise(4, 0, 2 * NOISE_BLOCK)
    blocks = [x[start : start + NOISE_BLOCK] for x in (whole, other) for start in (0, NOISE_BLOCK)]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(blocks, 2))
