#!/usr/bin/env python3
"""Done-marks for run_step.sh: is a step done with these options and inputs, and if not, what has changed?

``check`` prints a state (``done``, ``run``, ``changed``) with the fingerprint, then lines for the log; unless
done, it leaves ``.MARK.running`` beside the mark, which ``finish`` turns into the mark. ``ask`` has status 0
if the step is done, and leaves everything as it is. Standard library only, and little of it: a recipe starts
this dozens of times.
"""

# pathlib would take longer to import than most checks take.
# ruff: noqa: PTH105, PTH107, PTH110, PTH112, PTH114, PTH115, PTH116
# ruff: noqa: PTH118, PTH119, PTH120, PTH123, PTH207, PTH208

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import signal
import sys
import time

LARGE = 64 * 2**20  # bytes; larger files are told apart by size and time of change
SETTLED = 2 * 10**9  # ns; a file younger than this may change again within its time stamp
MOST = 12  # changes that are printed
SKIPPED_DIRECTORY = re.compile(r"split\d+$|__pycache__$")


class StepError(Exception):
    """The step can't run; the message says why and what to do."""


def main(argv: list[str]) -> int:
    """Run ``check``, ``finish`` or ``ask`` with run_step's options; status 1 and a message if it can't."""
    options = parse(argv[1:])
    try:
        if argv[:1] == ["check"]:
            check(options)
        elif argv[:1] == ["finish"]:
            finish(options)
        elif argv[:1] == ["ask"]:
            return 0 if is_done(options) else 1
        else:
            raise StepError("usage: done.py check|finish|ask --mark FILE [option ...]")
    except StepError as error:
        print(f"error: {options['name'] or options['mark']}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        # An error of a write itself names no file; what is written here are the marks.
        place = error.filename2 or error.filename or options["mark"]
        print(f"error: {options['name'] or options['mark']}: {place}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def parse(argv: list[str]) -> dict:
    """Read the options by hand: argparse would take longer to import than the work takes."""
    options: dict = {"mark": "", "name": "", "owner": "0", "lock_fd": "", "force": False}
    options |= {"in": [], "opt": [], "out": [], "fresh": []}
    items = iter(argv)
    for item in items:
        key = item.removeprefix("--")
        if key not in options:
            raise SystemExit(f"done.py: unknown option {item}")
        if key == "force":
            options[key] = True
        elif isinstance(options[key], list):
            options[key].append(next(items))
        else:
            options[key] = next(items)
    return options


def check(options: dict) -> None:
    """Decide whether the step runs; see the module's docstring for what is printed and written."""
    mark, running = options["mark"], beside(options["mark"], "running")
    lines: list[str] = []
    if os.path.isdir(mark):
        raise StepError(f"the mark {mark} would take the place of a directory")
    if options["lock_fd"]:
        lines += lock(int(options["lock_fd"]), beside(mark, "lock"), int(options["owner"]))
    finished, pending, record, missing = look(options)
    if os.path.exists(mark) and finished is None:
        lines.append(f"the mark {mark} cannot be read, the step runs again")
    before = finished or pending
    same = before is not None and before["fingerprint"] == record["fingerprint"]
    if finished and not pending and same and not missing and not options["force"]:
        report("done", record, [*lines, "already done, skipped"])
        return
    changed = (
        options["force"] or (before is not None and not same) or bool(pending and pending.get("changed"))
    )
    if options["force"]:
        lines.append("runs again: forced")
    elif before and not same:
        lines += differences(
            before, record, "runs again" if finished else "did not finish last time, and starts again"
        )
    elif pending:
        lines.append("did not finish last time, " + ("starts again" if changed else "goes on"))
    elif finished:
        lines.append(f"runs again: {', '.join(missing)} is missing")
    save(running, {**record, "changed": changed})
    remove(mark)
    if changed:
        for path in options["fresh"]:
            for found in matches(path):
                lines.append(f"removes {found}")
                remove(found)
        if options["fresh"]:
            # Nothing old is left, so after a kill the step may go on from what it did since.
            save(running, {**record, "changed": False})
    report("changed" if changed else "run", record, lines)


def is_done(options: dict) -> bool:
    """Whether the step would be skipped."""
    finished, pending, record, missing = look(options)
    same = finished is not None and finished["fingerprint"] == record["fingerprint"]
    return same and not pending and not missing


def look(options: dict) -> tuple[dict | None, dict | None, dict, list[str]]:
    """The records of the finished step, of an attempt at it, and of now; outputs that are missing."""
    finished, pending = load(options["mark"]), load(beside(options["mark"], "running"))
    record = describe(options, finished or pending)
    return finished, pending, record, [path for path in options["out"] if not matches(path)]


def finish(options: dict) -> None:
    """Turn ``.MARK.running`` into the mark, if all outputs are there."""
    missing = [path for path in options["out"] if not matches(path)]
    if missing:
        raise StepError(f"the command ended well but {', '.join(missing)} is not there")
    os.replace(beside(options["mark"], "running"), options["mark"])
    sync(os.path.dirname(options["mark"]) or ".")


def describe(options: dict, before: dict | None) -> dict:
    """Options and inputs with their digests, and the fingerprint of it all."""
    values: dict[str, str] = {}
    for item in options["opt"]:
        key, equals, value = item.partition("=")
        if not equals:
            raise StepError(f"--opt {item!r}: expected KEY=VALUE")
        if values.setdefault(key, value) != value:
            raise StepError(f"--opt {key} is given twice, as {values[key]!r} and {value!r}")
    known = before["inputs"] if before else {}
    inputs: dict[str, dict] = {}
    for pattern in options["in"]:
        found = matches(pattern)
        if not found:
            raise StepError(f"input {pattern} does not exist; run the stage that makes it first")
        for path in found:
            # An empty directory counts too: it may get files later.
            if os.path.isdir(path):
                inputs[path.rstrip("/") + "/"] = {"digest": "directory"}
            for file in files(path):
                inputs[file] = digest(file, known.get(file))
    plain = json.dumps([sorted(values.items()), sorted((k, v["digest"]) for k, v in inputs.items())])
    fingerprint = hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()
    return {"version": 1, "fingerprint": fingerprint, "options": values, "inputs": inputs}


def matches(pattern: str) -> list[str]:
    """The paths that a path or a glob stands for."""
    return [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))


def files(path: str) -> list[str]:
    """All files below ``path`` but hidden ones and the splits that jobs make; links are followed."""
    if not os.path.isdir(path):
        return [path]
    result, seen = [], set()
    for folder, folders, names in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not SKIPPED_DIRECTORY.match(f))
        result += [os.path.join(folder, name) for name in sorted(names) if not name.startswith(".")]
    return result


def digest(path: str, known: dict | None) -> dict:
    """SHA-256 of a file's content; not read again if its size and time are those of ``known``."""
    try:
        state = os.stat(path)
    except FileNotFoundError:
        raise StepError(f"input {path} is a link to nothing") from None
    size, stamp = state.st_size, state.st_mtime_ns
    if size > LARGE:
        return {"digest": f"{size} bytes of {stamp}"}
    if known and known.get("size") == size and known.get("mtime_ns") == stamp:
        return known
    with open(path, "rb") as file:
        content = hashlib.sha256(file.read()).hexdigest()
    result = {"digest": content}
    if time.time_ns() - stamp > SETTLED:
        result |= {"size": size, "mtime_ns": stamp}
    return result


def differences(before: dict, after: dict, why: str) -> list[str]:
    """Lines that name each changed option and file."""
    result = []
    old, new = before["options"], after["options"]
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            was, now = (repr(d[key]) if key in d else "(not given)" for d in (old, new))
            what = key if key == "options" else f"option {key}"
            result.append(f"{why}: {what}: {was} -> {now}")
    old, new = before["inputs"], after["inputs"]
    for path in sorted(old.keys() | new.keys()):
        if path not in old or path not in new:
            gone = "is no input any more" if os.path.exists(path) else "was removed"
            result.append(f"{why}: {path} {'was added' if path in new else gone}")
        elif old[path]["digest"] != new[path]["digest"]:
            result.append(f"{why}: {path} has changed")
    if len(result) > MOST:
        result[MOST:] = [f"{why}: ... and {len(result) - MOST} more changes"]
    return result


def lock(descriptor: int, path: str, owner: int) -> list[str]:
    """Take the step's lock, which every process of the step holds through an inherited descriptor.

    If processes of a run hold it whose script has died, they are stopped first.
    """
    lines: list[str] = []
    if not wait_lock(descriptor, 2):
        host, pid, begun = (*read_text(path).split(), "", "", "")[:3]
        if host != os.uname().nodename:
            raise StepError(f"another run is at this step on {host or 'an unknown machine'}; stop it first")
        if pid.isdigit() and start_time(int(pid)) == begun:
            raise StepError(f"another run is at this step (process {pid}); wait for it or stop it")
        for sent in (signal.SIGTERM, signal.SIGKILL):
            left = holders(path)
            lines.append(
                f"stops what a killed run left: {' '.join(map(str, left)) or 'nothing to see'} ({sent.name})"
            )
            for process in left:
                try:
                    os.kill(process, sent)
                except ProcessLookupError:
                    continue
            if wait_lock(descriptor, 10):
                break
        else:
            raise StepError(f"another process holds {path}; stop it first")
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.uname().nodename} {owner} {start_time(owner)}\n".encode())
    return lines


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free; a file system without locks counts as free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def wait_lock(descriptor: int, seconds: float) -> bool:
    """Take the lock as soon as it is free; a helper of the step that ended just now may need a moment."""
    limit = time.monotonic() + seconds
    while not try_lock(descriptor):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def holders(path: str) -> list[int]:
    """Processes that have ``path`` open, but for this one and those it descends from."""
    ours, process = set(), os.getpid()
    while process > 0:
        ours.add(process)
        process = int(stat_field(process, 4) or 0)
    real, found = os.path.realpath(path), []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit() and int(name) not in ours:
            try:
                opened = [os.readlink(f"/proc/{name}/fd/{fd}") for fd in os.listdir(f"/proc/{name}/fd")]
            except OSError:
                continue
            if real in opened:
                found.append(int(name))
    return found


def start_time(process: int) -> str:
    """When a process began, in clock ticks since boot; "" if there is none (numbers are used again)."""
    return "" if stat_field(process, 3) in ("", "Z") else stat_field(process, 22)


def stat_field(process: int, number: int) -> str:
    """Field ``number`` (from 3) of /proc/PID/stat, see proc(5); "" if there is no such process."""
    text = read_text(f"/proc/{process}/stat")
    return text.rpartition(")")[2].split()[number - 3] if text else ""


def read_text(path: str) -> str:
    """A file's content, or "" if it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def beside(mark: str, what: str) -> str:
    """A hidden file beside the mark."""
    return os.path.join(os.path.dirname(mark), f".{os.path.basename(mark)}.{what}")


def load(path: str) -> dict | None:
    """The record in ``path``, or None if there is none that can be read."""
    try:
        record = json.loads(read_text(path))
        return record if record["version"] == 1 and record["inputs"] is not None else None
    except (ValueError, KeyError, TypeError):
        return None


def save(path: str, record: dict) -> None:
    """Write the record whole or not at all."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(record, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def remove(path: str) -> None:
    """Remove a file, link or directory, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil

        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def sync(folder: str) -> None:
    """Make a rename in ``folder`` survive a power cut, where the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    except OSError:
        pass


def report(state: str, record: dict, lines: list[str]) -> None:
    """Print the state and the lines for the log."""
    print(state, record["fingerprint"])
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
