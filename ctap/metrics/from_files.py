"""Speaker encoders, predictors of quality and their like over lists of files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from ctap.audio.wave import load_wave
from ctap.errors import UserError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class WaveNetwork(Protocol[T_co]):
    """What is computed from a wave ``[N]`` of ``sample_rate``."""

    sample_rate: int

    def __call__(self, wave: np.ndarray) -> T_co: ...


def load_optional(kinds: Mapping[str, type[T]], what: str, name: str, lost: str, **options: Any) -> T | None:
    """The one of ``kinds`` called ``name``; ``None`` and a line on stderr where its package isn't installed.

    Args:
        kinds: by name; each raises :class:`UserError` where its package is missing or broken.
        what: they are.
        name: of the wanted one.
        lost: what is said to be lost without it.
        options: it is made with.

    Raises:
        UserError: there is none called ``name``.
    """
    if name not in kinds:
        raise UserError(f"unknown {what} {name!r}; there are: {', '.join(kinds)}")
    try:
        return kinds[name](**options)
    except UserError as error:
        print(f"warning: {lost}: {error}", file=sys.stderr)
        return None


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
