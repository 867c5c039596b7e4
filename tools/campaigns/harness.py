"""What the campaigns share: a recipe on a tiny corpus, its state before each stage, what a stage makes."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from test.recipes.conftest import Recipe  # noqa: E402

STAGES = (0, 1, 2, 3, 4, 5, 6, 8)
STATE = ("data", "dump", "exp")
SIZES = ("--minutes", "0.6", "--target_minutes", "0.6", "--test_minutes", "0.1", "--speakers", "3")
#: What tells of a run and not of its result: logs, curves with times, marks, pages with times and dates.
PASSING = (".done", "log", "tensorboard", "config.yaml", "metrics.csv", ".parts", "best", "last.ckpt")


class Workshop:
    """A tiny corpus and a recipe on it, which any stage can be put before.

    A directory that another campaign left is used again, as far as that one came.

    Attributes:
        root: Where all of it lies.
        recipe: The recipe; its directory is the same for all stages, since paths count among what is read.
        seconds: How long each stage took undisturbed.
    """

    def __init__(self, root: Path, stages: Sequence[int] = STAGES) -> None:
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.corpus = self.root / "corpus"
        if not self.corpus.exists():
            make = [
                sys.executable,
                ROOT / "egs/mini/ctap1/local/make_corpus.py",
                self.corpus,
                *SIZES,
                "--jobs",
                "1",
            ]
            subprocess.run(
                make, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
            )
        place = self.root / "recipe"
        if place.exists():
            shutil.rmtree(place)
        self.recipe = Recipe(place)
        self.seconds: dict[int, float] = {}
        times = self.root / "seconds.json"
        if times.exists():
            self.seconds = {int(stage): took for stage, took in json.loads(times.read_text()).items()}
        for stage in STAGES[: STAGES.index(max(stages)) + 1]:  # those between are what a later one reads
            if stage not in self.seconds:
                self.seconds[stage] = self._run_undisturbed(stage)
                times.write_text(json.dumps(self.seconds))

    def command(self, stage: int, *options: str) -> list[str]:
        """The command line of one stage."""
        return self.recipe.command(
            "--corpus", str(self.corpus), "--stage", str(stage), "--stop_stage", str(stage), *options
        )

    def start(self, stage: int, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Start a stage, as the leader of a session."""
        return subprocess.Popen(
            self.command(stage, *options),
            cwd=self.recipe.path,
            env=self.environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def environment(self) -> dict[str, str]:
        """Of the recipe's processes."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**os.environ, "OMP_NUM_THREADS": "1", "python": sys.executable, "PATH": path}

    def run(self, stage: int, *options: str) -> tuple[int, str]:
        """Run a stage to its end, however that is: its exit status, and what it printed."""
        process = self.start(stage, *options)
        said = process.communicate()[0]
        return process.returncode, said

    def finish(self, stage: int, *options: str) -> str:
        """Run a stage to its end; what it printed.

        Raises:
            AssertionError: it failed.
        """
        status, said = self.run(stage, *options)
        assert status == 0, said[-3000:]
        return said

    def restore(self, stage: int) -> None:
        """Put the recipe before ``stage``."""
        self._clear()
        before = self.root / "before" / str(stage)
        for name in STATE:
            if (before / name).exists():
                shutil.copytree(before / name, self.recipe.path / name, symlinks=True)

    def products(self) -> dict[str, str]:
        """Digests of what lies in the recipe's directories and depends on corpus and options alone."""
        return dict(self._products())

    def expected(self, stage: int) -> dict[str, str]:
        """The same after an undisturbed run of ``stage``."""
        return json.loads((self.root / "after" / f"{stage}.json").read_text())

    def _products(self) -> Iterator[tuple[str, str]]:
        for path in sorted(p for name in STATE for p in (self.recipe.path / name).rglob("*") if p.is_file()):
            name = path.relative_to(self.recipe.path)
            if any(part in PASSING or part.startswith("RESULTS") for part in name.parts):
                continue
            if name.name in ("results.html", "scores.json") or name.name.startswith("scores_"):
                if name.suffix == ".json":  # the run's time, host and commit stand there as well
                    yield str(name), json.dumps(json.loads(path.read_text())["metrics"], sort_keys=True)
            elif name.suffix not in (".zip", ".png", ".svg"):  # which hold times
                yield str(name), hashlib.sha256(path.read_bytes()).hexdigest()

    def _run_undisturbed(self, stage: int) -> float:
        """Keep what lies before ``stage``, and digests of what lies behind it; the seconds that it takes."""
        before = self.root / "before"
        if not (before / str(stage)).exists():
            self._save(before / str(stage))
        self.restore(stage)
        began = time.monotonic()
        self.finish(stage)
        took = time.monotonic() - began
        (self.root / "after").mkdir(exist_ok=True)
        (self.root / "after" / f"{stage}.json").write_text(json.dumps(self.products()))
        if stage != STAGES[-1]:
            self._save(before / str(STAGES[STAGES.index(stage) + 1]))
        print(f"stage {stage}: {took:.0f} s undisturbed", flush=True)
        return took

    def _save(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in STATE:
            if (self.recipe.path / name).exists():
                shutil.copytree(self.recipe.path / name, place / name, symlinks=True)

    def _clear(self) -> None:
        for name in STATE:
            shutil.rmtree(self.recipe.path / name, ignore_errors=True)


def read_options(description: str, **numbers: int) -> argparse.Namespace:
    """The command line of a campaign: where it works, the stages, a seed, and numbers with their defaults."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, metavar="WORK_DIR", help="made if need be, and used again")
    parser.add_argument("--stages", type=int, nargs="+", choices=STAGES, default=STAGES, metavar="N")
    for name, default in {"seed": 0, **numbers}.items():
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N")
    add_results(parser)
    return parser.parse_args()


def add_results(parser: argparse.ArgumentParser) -> None:
    """The option of where the result goes; a trial with little in it should not stand for the campaign."""
    default = Path(__file__).parent / "results"
    parser.add_argument("--results", type=Path, default=default, metavar="DIR", help="(default: beside this)")


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Names of files that are missing, left over or differ."""
    names = found.keys() | expected.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name))


def family(leader: int) -> list[int]:
    """The processes that descend from ``leader``, and itself, and those that hold its session."""
    parents, sessions = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    found = {leader} & parents.keys() | {pid for pid, session in sessions.items() if session == leader}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(found)


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that still run."""
    return [pid for pid in pids if (state := _state(pid)) and state != "Z"]


def kill(pids: list[int], sent: signal.Signals = signal.SIGKILL) -> None:
    """Signal processes that may be gone already."""
    for pid in pids:
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            continue


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def report(name: str, lines: list[str], results: Path) -> None:
    """Write a campaign's result to the directory ``results``, and print it."""
    text = "\n".join(lines) + "\n"
    print(text, end="")
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.txt").write_text(text, encoding="utf-8")


def verdict(shop: Workshop, stage: int) -> tuple[bool, str]:
    """Whether a stage's products are those of an undisturbed run, and that in words."""
    wrong = differences(shop.products(), shop.expected(stage))
    return not wrong, "DIFFERS: " + ", ".join(wrong[:20]) if wrong else "as undisturbed"
