"""What commands share: logs, labels of directories, what scores are noted with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ctap.errors import UserError

if TYPE_CHECKING:
    from ctap.metrics.results import Metric

T = TypeVar("T")


@dataclass(frozen=True)
class Heard:
    """What a recogniser heard, beside what was said.

    Args:
        ref_dir: Directory with phones, text, and for frame accuracy aligned_phones and durations.
        hyp_dir: Directory that the recogniser's command wrote: recognize, transcribe.
        against: The same recogniser on other versions of the utterances, each "label=hyp_dir".
    """

    ref_dir: Path
    hyp_dir: Path
    against: list[str] | None = None

    def rates(self, measure: Callable[[Path, Path], T]) -> tuple[T, dict[str, T]]:
        """What ``measure(ref_dir, hyp_dir)`` gives, and what it gives of each other version, by its label."""
        others = labelled(self.against, "--against")
        found = {label: measure(self.ref_dir, folder) for label, folder in others.items()}
        return measure(self.ref_dir, self.hyp_dir), found


@dataclass(frozen=True)
class Scored:
    """The experiment that is scored, and where its scores go.

    Args:
        out: JSON file of scores.
        name: Name of the experiment.
        seed: Seed of the experiment, for the record.
        config: Configuration of the experiment, for the record.
    """

    out: Path
    name: str
    seed: int = 777
    config: str = "-"

    def write(self, metrics: Mapping[str, Metric], task: str, **more: Any) -> None:
        """Write the scores, with ``more`` that is to be noted of how they came about."""
        from ctap.metrics.provenance import collect_meta
        from ctap.metrics.results import write_scores

        meta = collect_meta(seed=self.seed, config=self.config, **more)
        write_scores(self.out, self.name, metrics, meta, task=task)


def set_up_logging(level: int = logging.INFO) -> None:
    """Time and message on stderr, which a launcher keeps in the job's log."""
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")


def labelled(
    items: Sequence[str] | None,
    option: str,
    form: str = "label=directory",
    kind: Callable[[str], T] = Path,
) -> dict[str, T]:
    """What the words "label=value" of an option say, by label; ``kind`` makes something of each value.

    Raises:
        UserError: A word is not of that ``form``, or a label comes twice.
    """
    found: dict[str, T] = {}
    for item in items or []:
        label, value = label_and_value(item, option, form)
        if label in found:
            raise UserError(f"{option} {item}: {label} is {found[label]} already; name one otherwise")
        found[label] = kind(value)
    return found


def label_and_value(item: str, option: str, form: str) -> tuple[str, str]:
    """The two parts of one such word.

    Raises:
        UserError: It has no "=" in it, or nothing before or after that.
    """
    label, _, value = item.partition("=")
    if not label or not value:
        raise UserError(f"{option} {item}: expected {form}")
    return label, value
