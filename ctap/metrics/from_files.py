"""Speaker encoders, predictors of quality and their like over lists of files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np

from ctap.audio.wave import load_wave
from ctap.errors import UserError

T_co = TypeVar("T_co", covariant=True)


class WaveNetwork(Protocol[T_co]):
    """What is computed from a wave ``[N]`` of ``sample_rate``."""

    sample_rate: int

    def __call__(self, wave: np.ndarray) -> T_co: ...


def from_files(
    waves: Mapping[str, str],
    network: WaveNetwork[T_co],
    lacking: str,
    passed_over: type[UserError] = UserError,
) -> dict[str, T_co]:
    """What ``network`` makes of files; those it can't use are named and left out.

    Args:
        waves: utterance -> file.
        network: of waves.
        lacking: what is said of an utterance that is left out, such as "sources: no speaker embedding".
        passed_over: the errors that leave out an utterance; others end the work.
    """
    found = {}
    for utt, path in waves.items():
        try:
            found[utt] = network(load_wave(path, network.sample_rate))
        except passed_over as error:
            print(f"warning: {lacking}: {utt}: {error}", file=sys.stderr)
    return found
