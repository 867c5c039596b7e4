"""What ``import ctap`` offers: all of it by name, none of it imported before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ctap
from ctap.errors import UserError
from ctap.models.inference import load
from ctap.tasks.build import TRAININGS
from ctap.tasks.sources import Sources
from ctap.training import train


def test_names_are_those_of_their_modules() -> None:
    assert (ctap.load, ctap.train, ctap.Sources, ctap.UserError) == (load, train, Sources, UserError)
    assert set(ctap.__all__) <= set(dir(ctap))
    with pytest.raises(AttributeError, match="module 'ctap' has no attribute 'nonsense'"):
        _ = ctap.nonsense


def test_importing_it_is_quick() -> None:
    seen = "import ctap, sys; dir(ctap); ctap.UserError; assert not {'torch', 'lightning'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", seen], check=True)


def test_every_training_is_named_where_one_is_chosen() -> None:
    assert all(name in (train.__doc__ or "") for name in TRAININGS)
