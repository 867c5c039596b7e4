"""What a result must be accompanied by: seed, commit, configuration, versions, command."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import ctap

_PACKAGES = (
    *("torch", "torchaudio", "lightning", "numpy", "soundfile"),
    *("pyworld", "pyworld-prebuilt", "jiwer", "Resemblyzer", "speechmos"),
)


def _git(*arguments: str, where: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(where), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _commit() -> tuple[str, bool | None]:
    """Commit of the checkout that ctap is imported from, and whether tracked files differ from it."""
    package = Path(ctap.__file__).resolve().parent
    top = _git("rev-parse", "--show-toplevel", where=package)
    # an installed copy may lie inside some other project's checkout
    if top is None or Path(top).resolve() != package.parent:
        return f"ctap {ctap.__version__}, no git checkout", None
    commit = _git("rev-parse", "HEAD", where=package)
    changes = _git("status", "--porcelain", "--untracked-files=no", where=package)
    return commit or "no commit yet", None if changes is None else bool(changes)


def running_command() -> str:
    """The command that this process runs, as a shell takes it."""
    program, *arguments = sys.argv
    path = Path(program)
    if path.suffix == ".py" and path.parent.name == "bin" and path.parent.parent.name == "ctap":
        return shlex.join(["python", "-m", f"ctap.bin.{path.stem}", *arguments])
    return shlex.join([path.name, *arguments])


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "ctap": ctap.__version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def collect_meta(
    *, seed: int, config: str | Path | Mapping[str, Any], command: str | None = None, **more: Any
) -> dict[str, Any]:
    """What a result must be accompanied by.

    Args:
        seed: of the experiment.
        config: the configuration, or the path to it.
        command: how to get the result; the running command by default.
        more: anything else worth keeping (JSON values).
    """
    commit, dirty = _commit()
    return {
        "seed": seed,
        "commit": commit,
        "dirty": dirty,
        "config": config if isinstance(config, Mapping) else str(config),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": _versions(),
        "command": command or running_command(),
        **more,
    }
