#!/usr/bin/env python3
"""What disks, people and clocks do to a recipe, at every stage of a tiny corpus.

    python tools/campaigns/faults.py WORK_DIR

The recipe gets a file system of its own (a tmpfs in a namespace of this script; no rights are needed), and
each stage meets each of these:

- full: the disk has room for a part of what the stage writes, three times, by chance;
- read-only: the disk refuses to be written to;
- vanished: `data`, `dump` or `exp` is moved away in the middle of the stage;
- twice: a second run of the same stage starts in the same directory;
- clock: the clock jumps back by a year in the middle of the stage, which is then killed, and ahead by two
  before it is run again. Seen from the stage, that is the age of its files, which is what is changed here.

A stage that fails must say in one line what was refused, and where; no traceback. Then it is run to its end,
and what was made is compared with what an undisturbed run made.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness import STAGES, STATE, Workshop, family, kill, read_options, report, verdict

from ctap.errors import cli

INSIDE = "CTAP_CAMPAIGN_NAMESPACE"
TIMES_FULL = 3
#: What a run says of a disk that takes nothing, of files that are gone, and of another run.
REFUSED = re.compile(r"error: .*(/.*(No space left on device|Read-only file system)|can't (be )?writ)")
GONE = re.compile(
    r"(error: |no log: ).*(No such file|missing|does not exist|vanished|removed|can't|expected)"
)
TAKEN = re.compile(r"another run is at this step")


class Disk:
    """A file system of its own at ``place``, whose room can be set."""

    def __init__(self, place: Path) -> None:
        """Move what lies in ``place`` to a new tmpfs that is mounted there."""
        self.place, aside = place, place.with_name("aside")
        shutil.copytree(place, aside, symlinks=True)
        _mount("-t", "tmpfs", "campaign", place)
        shutil.copytree(aside, place, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(aside)

    def leave(self, free: int) -> None:
        """Leave ``free`` bytes."""
        _mount("-o", f"remount,rw,size={self._used() + free}", self.place)

    def open(self) -> None:
        """Writable, with room for everything."""
        _mount("-o", "remount,rw,size=8G", self.place)

    def close(self) -> None:
        """Read-only."""
        _mount("-o", "remount,ro", self.place)

    def _used(self) -> int:
        state = os.statvfs(self.place)
        return (state.f_blocks - state.f_bfree) * state.f_frsize


class Campaign:
    """The faults, one method each: faults in a list of words, empty if all was as it should be."""

    def __init__(self, shop: Workshop, rng: random.Random) -> None:
        self.shop, self.rng, self.disk = shop, rng, Disk(shop.recipe.path)
        self.disk.open()

    def full(self, stage: int) -> list[str]:
        """Too little room, three times over."""
        growth, faults = _growth(self.shop, stage), []
        for _ in range(TIMES_FULL):
            room = int(2 ** self.rng.uniform(13, math.log2(growth)))  # bytes
            self.disk.leave(room)
            status, said = self.shop.run(stage)
            self.disk.open()
            faults += [] if status == 0 else _judge(f"{room >> 10} KiB", said, REFUSED)
        return faults

    def read_only(self, stage: int) -> list[str]:
        """Nothing can be written."""
        self.disk.close()
        status, said = self.shop.run(stage)
        self.disk.open()
        return ["ended well"] if status == 0 else _judge("read-only", said, REFUSED)

    def vanished(self, stage: int) -> list[str]:
        """A directory is moved away, and comes back afterwards."""
        process = self.shop.start(stage)
        moment = self._moment(stage)
        time.sleep(moment)
        name = self.rng.choice([name for name in STATE if (self.shop.recipe.path / name).exists()])
        place, away = self.shop.recipe.path / name, self.shop.recipe.path / "away"
        place.rename(away)
        said = process.communicate()[0]
        shutil.rmtree(place, ignore_errors=True)
        away.rename(place)
        what = f"{name} after {moment:.1f} s"
        return [] if process.returncode == 0 else _judge(what, said, GONE)

    def twice(self, stage: int) -> list[str]:
        """A second run in the same directory is refused, or finds nothing left to do."""
        first = self.shop.start(stage)
        time.sleep(self._moment(stage))
        second = self.shop.start(stage)
        refused, said = second.communicate()[0], first.communicate()[0]
        faults = [] if first.returncode == 0 else [f"the first failed: {_last(said)}"]
        return faults + ([] if second.returncode == 0 else _judge("the second", refused, TAKEN))

    def clock(self, stage: int) -> list[str]:
        """Files come from a year ahead, a kill follows, and they are a year old."""
        process = self.shop.start(stage)
        moment = self._moment(stage)
        time.sleep(moment / 2)
        self._date(365)
        time.sleep(moment / 2)
        kill(family(process.pid))
        process.communicate()
        self._date(-2 * 365)
        status, said = self.shop.run(stage)
        return [] if status == 0 else [f"the second run failed: {_last(said)}"]

    def _date(self, days: int) -> None:
        """Shift the times of all files."""
        for path in self.shop.recipe.path.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # it has been renamed or removed meanwhile
                state = path.lstat()
                times = (state.st_atime_ns, state.st_mtime_ns + days * 86_400 * 10**9)
                os.utime(path, ns=times, follow_symlinks=False)

    def _moment(self, stage: int) -> float:
        return self.rng.uniform(0.2, 0.7) * self.shop.seconds[stage]


@cli
def main() -> int:
    """Run the campaign; 0 if every stage failed as it should, and ended as undisturbed."""
    options = read_options(__doc__)
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        space = ("unshare", "--user", "--map-root-user", "--mount")
        os.execvp(space[0], (*space, sys.executable, *sys.argv))
    shop = Workshop(options.work, options.stages)
    campaign = Campaign(shop, random.Random(options.seed))
    faults: dict[str, Callable[[int], list[str]]] = {
        "full": campaign.full,
        "read-only": campaign.read_only,
        "vanished": campaign.vanished,
        "twice": campaign.twice,
        "clock": campaign.clock,
    }
    lines, bad = [], 0
    for stage in options.stages:
        for name, fault in faults.items():
            shop.restore(stage)
            wrong = fault(stage)
            shop.finish(stage)
            same, result = verdict(shop, stage)
            bad += bool(wrong) or not same
            lines.append(f"stage {stage}, {name}: {'; '.join(wrong) or 'as it should be'}; then {result}")
            print(lines[-1], flush=True)
    total = len(options.stages) * len(faults)
    lines.append(f"{total - bad} of {total} as they should be, seed {options.seed}")
    report("faults", lines, options.results)
    return 1 if bad else 0


def _judge(what: str, said: str, expected: re.Pattern[str]) -> list[str]:
    """What is wrong with the words of a run that failed."""
    if "Traceback" in said:
        return [f"{what}: TRACEBACK, {_last(said)}"]
    return [] if expected.search(said) else [f"{what}: UNCLEAR, {_last(said)}"]


def _growth(shop: Workshop, stage: int) -> int:
    """Bytes on disk that a stage adds, at least 64 KiB; 1 MiB after the last."""
    if stage == STAGES[-1]:
        return 1 << 20
    following = STAGES[STAGES.index(stage) + 1]
    before, after = (_pages(shop.root / "before" / str(s)) for s in (stage, following))
    return max(after - before, 1 << 16)


def _pages(folder: Path) -> int:
    """Bytes that the files below ``folder`` take on a disk of 4 KiB pages."""
    return sum(-(-path.lstat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file())


def _last(said: str) -> str:
    return " | ".join(said.strip().splitlines()[-3:])


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


if __name__ == "__main__":
    sys.exit(main())
