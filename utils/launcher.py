"""What run_local and run_slurm share: command line, logs, and a guard that ends jobs with their launcher."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TAIL = 25  # lines of a failing log that are printed
SHOWN = 3  # failing logs that are printed
GRACE = 4.0  # seconds between asking a job to end and killing it: all of a recipe ends within five
ENDED = "# exit status "


class LaunchError(Exception):
    """The command line or the machine does not allow the launch."""


@dataclass(frozen=True)
class Array:
    """Jobs to launch.

    Attributes:
        variable: the word that stands for the job's number, or "" for a single job without one.
        first: number of the first job.
        last: number of the last job.
        log: path of the log, with ``variable`` in it.
        command: program and arguments, with ``variable`` in them.
    """

    variable: str
    first: int
    last: int
    log: str
    command: tuple[str, ...]

    def numbers(self) -> range:
        """The jobs' numbers."""
        return range(self.first, self.last + 1)

    def fill(self, text: str, number: int) -> str:
        """Put a job's number in the place of the variable."""
        return text.replace(self.variable, str(number)) if self.variable else text

    def log_of(self, number: int) -> Path:
        """The log of a job."""
        return Path(self.fill(self.log, number))


def get_parser(name: str, description: str) -> argparse.ArgumentParser:
    """The options that every launcher understands."""
    parser = argparse.ArgumentParser(
        prog=name,
        description=description,
        usage=f"{name} [options] [JOB=FIRST:LAST] LOG COMMAND [ARGUMENT ...]",
        epilog="JOB (any name) stands for the job's number in LOG, COMMAND and its arguments. The command is "
        "run as it is given, not through a shell.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--max-jobs-run", "--max-jobs", type=int, metavar="N", help="run at most N jobs at a time"
    )
    parser.add_argument(
        "--retries", type=int, default=0, metavar="N", help="run jobs that fail again, N times at most"
    )
    parser.add_argument("--num-threads", type=int, metavar="N", help="cores of a job (sets OMP_NUM_THREADS)")
    parser.add_argument("--gpu", type=int, default=0, metavar="N", help="GPUs of a job (default: 0)")
    parser.add_argument("--time", metavar="T", help="time limit, as sbatch takes it")
    parser.add_argument("--mem", metavar="SIZE", help="memory of a job, as sbatch takes it")
    parser.add_argument(
        "--num-nodes", type=int, default=1, metavar="N", help="machines of a job (default: 1)"
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def get_array(words: list[str]) -> Array:
    """Read ``[JOB=1:N] LOG COMMAND...``.

    Raises:
        LaunchError: it is not of that form, or all jobs would write the same log.
    """
    variable, first, last = "", 1, 1
    if words and (match := re.fullmatch(r"([A-Za-z_]\w*)=(\d+)(?::(\d+))?", words[0])):
        variable, first = match[1], int(match[2])
        last = int(match[3] or first)
        words = words[1:]
        if last < first:
            raise LaunchError(f"{match[0]}: the last job comes before the first")
    if len(words) < 2:
        raise LaunchError("expected [JOB=FIRST:LAST] LOG COMMAND [ARGUMENT ...]; see --help")
    if first != last and variable not in words[0]:
        raise LaunchError(f"the log {words[0]!r} must hold {variable}, or all jobs would write to one file")
    return Array(variable, first, last, words[0], tuple(words[1:]))


def refused(error: OSError, path: Path | None = None) -> str:
    """``path: what the file system refused``; errors of a write itself name no file."""
    return f"{path or error.filename2 or error.filename or 'a file'}: {error.strerror or error}"


def report_failures(name: str, array: Array, failed: list[int]) -> None:
    """Print the end of the failing jobs' logs, and where they are, to stderr."""
    say = sys.stderr.write
    for number in failed[:SHOWN]:
        log = array.log_of(number)
        try:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            lines = [f"(no log: {error.strerror})"]
        say(f"---- the end of {log} ----\n")
        say("".join(f"{line}\n" for line in lines[-TAIL:]))
        say("----\n")
        # What several processes were started with says much after the error of one.
        errors = [index for index, line in enumerate(lines) if line.startswith("error: ")]
        if errors and errors[-1] < len(lines) - TAIL:
            say(f"{lines[errors[-1]]}\n")
    total = len(array.numbers())
    where = f"job {failed[0]}" if len(failed) == 1 else f"jobs {' '.join(map(str, failed[:20]))}"
    if len(failed) > 20:
        where += " ..."
    say(f"{name}: {len(failed)} of {total} jobs failed ({where}); log: {array.log_of(failed[0])}\n")
    sys.stderr.flush()


def set_aside(name: str, array: Array, failed: list[int], attempt: int) -> None:
    """Keep the logs of jobs that are to run again as ``LOG.failed<attempt>``, and say so on stderr."""
    for number in failed:
        log = array.log_of(number)
        kept = log.with_name(f"{log.name}.failed{attempt}")
        with contextlib.suppress(FileNotFoundError):
            log.replace(kept)
        if number in failed[:SHOWN]:
            sys.stderr.write(f"{name}: job {number} failed and runs again; its log: {kept}\n")
    if len(failed) > SHOWN:
        sys.stderr.write(f"{name}: so do {len(failed) - SHOWN} other jobs\n")
    sys.stderr.flush()


class Guard:
    """A process that outlives its launcher, however that dies, just long enough to end what it launched.

    The launcher tells it each item (a process group, a Slurm job) through a pipe; when the pipe closes, the
    guard calls ``end`` with the items that are still there.
    """

    def __init__(self, end: Callable[[set[int]], None]) -> None:
        reader, self._writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork() == 0:
            os.close(self._writer)
            self._watch(reader, end)
        os.close(reader)

    def add(self, item: int) -> None:
        """An item to end with the launcher."""
        os.write(self._writer, f"+{item}\n".encode())

    def drop(self, item: int) -> None:
        """The item has ended by itself."""
        os.write(self._writer, f"-{item}\n".encode())

    @staticmethod
    def _watch(reader: int, end: Callable[[set[int]], None]) -> None:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # Whoever reads the launcher's output must not wait for this process.
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        items: set[int] = set()
        with os.fdopen(reader, encoding="ascii") as lines:
            for line in lines:
                (items.add if line[0] == "+" else items.discard)(int(line[1:]))
        end(items)
        os._exit(0)


def end_groups(groups: set[int], reap: Callable[[], object] = lambda: None) -> None:
    """Ask process groups to end, and kill what is left of them after a while.

    Args:
        groups: their ids.
        reap: called while waiting; a parent must collect its children here, or they count as alive.
    """
    for sent, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 1.0)):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, sent)
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            reap()
            groups = {group for group in groups if group_alive(group)}
            if not groups:
                return
            time.sleep(0.05)


def group_alive(group: int) -> bool:
    """Whether a process group has members."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def die_with_parent(sent: signal.Signals = signal.SIGTERM) -> None:
    """Have this process signalled when its parent dies (Linux, prctl(2)); elsewhere nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(1, int(sent), 0, 0, 0)


def raise_on_signals() -> None:
    """Turn the signals that ask to end into SystemExit(128 + number), so that ``finally`` blocks run."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: the terminal may be closed
        signal.signal(signal.SIGHUP, stop)
