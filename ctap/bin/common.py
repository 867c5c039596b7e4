"""What commands share: logs, labels of directories."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ctap.errors import UserError


def set_up_logging(level: int = logging.INFO) -> None:
    """Time and message on stderr, which a launcher keeps in the job's log."""
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")


def labelled(items: Sequence[str] | None, option: str) -> dict[str, Path]:
    """Directories by label, from words "label=directory".

    Raises:
        UserError: A word is not of that form.
    """
    found = {}
    for item in items or []:
        label, _, folder = item.partition("=")
        if not folder:
            raise UserError(f"{option} {item}: expected label=directory")
        found[label] = Path(folder)
    return found
