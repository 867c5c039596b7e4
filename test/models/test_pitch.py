"""The source's melody at the target's height, and who can have it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.models.pitch import shift_f0, taking_f0
from ctap.models.vocoder import load_vocoder

HERTZ = st.one_of(st.just(0.0), st.floats(50, 600))
CONTOURS = hnp.arrays("float32", st.integers(1, 30), elements=HERTZ.map(lambda x: round(x, 1)))


@given(source=CONTOURS, voice=CONTOURS)
def test_the_mean_is_the_voices_and_the_contour_the_sources(source, voice):
    source, voice = torch.from_numpy(source), torch.from_numpy(voice)
    found = shift_f0(source, voice)
    assert torch.equal(found > 0, source > 0)
    if not (source > 0).any() or not (voice > 0).any():
        assert torch.equal(found, source)
        return
    sung, heard, had = (x[x > 0].log() for x in (found, voice, source))
    assert sung.mean() == pytest.approx(float(heard.mean()), abs=1e-3)
    assert torch.allclose(sung - sung.mean(), had - had.mean(), atol=1e-3)


def test_a_vocoder_that_takes_no_f0_is_named():
    settings = AudioSettings()
    assert taking_f0(load_vocoder("pretrained", settings)).settings == settings
    with pytest.raises(UserError, match="this one, GriffinLim, takes the mel alone"):
        taking_f0(load_vocoder("griffin_lim", settings))
