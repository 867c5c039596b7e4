#!/usr/bin/env python3
"""Make torchaudio importable beside a CPU build of torch.

The torchaudio of the Python package index is linked with CUDA and says so only when it is imported
(``libc10_cuda.so: cannot open shared object file``); libraries that look for it then fail, too. It treats an
absent extension as normal, so in that case alone the extension files are moved to ``lib/aside``: all that is
written in Python (filter banks, transforms, resampling, pipelines) works, ``forced_align`` does not. Nothing
is touched if torchaudio imports, if torch is a CUDA build, or if the import fails for another reason.

Run it with the Python of the environment: ``.venv/bin/python tools/fix_torchaudio.py``; with ``--restore`` it
moves the files back.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

ASIDE = "aside"
MISSING_CUDA = re.compile(
    r"lib(c10_cuda|torch_cuda|cuda|cudart|cublas|cudnn|nvrtc)\w*[\w.-]*\.so", re.IGNORECASE
)


def main(argv: list[str]) -> int:
    """Check, fix, check again; 0 if torchaudio can be imported in the end, 1 if not."""
    if argv not in ([], ["--restore"]):
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    package = find_package()
    if package is None:
        print("torchaudio: not installed in this environment")
        return 1
    if argv:
        print(f"torchaudio: {restore(package / 'lib')} extension files moved back")
        return 0
    error = import_error()
    if not error:
        print("torchaudio: imports, nothing to fix")
        return 0
    if not MISSING_CUDA.search(error) or not torch_is_cpu():
        print(f"torchaudio: does not import, but not because CUDA libraries are missing:\n{tail(error)}")
        return 1
    moved = set_aside(package / "lib")
    error = import_error()
    if error:
        restore(package / "lib")
        print(f"torchaudio: still does not import without its extension; put back:\n{tail(error)}")
        return 1
    print(
        f"torchaudio: is linked with CUDA and torch is a CPU build; moved to {package / 'lib' / ASIDE}: "
        f"{', '.join(moved)}"
    )
    return 0


def find_package() -> Path | None:
    """The directory of torchaudio, which need not be importable."""
    spec = importlib.util.find_spec("torchaudio")
    return Path(spec.origin).parent if spec and spec.origin else None


def import_error() -> str:
    """What ``import torchaudio`` says in a process of its own, or nothing if it goes well."""
    done = subprocess.run([sys.executable, "-c", "import torchaudio"], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr or f"exit status {done.returncode}"


def torch_is_cpu() -> bool:
    """Whether torch is there and built without CUDA."""
    script = "import sys, torch; sys.exit(torch.version.cuda is not None)"
    return subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


def extensions(directory: Path) -> list[Path]:
    """Compiled files in ``directory``."""
    return sorted(path for pattern in ("*.so", "*.dylib", "*.pyd") for path in directory.glob(pattern))


def set_aside(lib: Path) -> list[str]:
    """Move the extension files of ``lib`` to ``lib/aside``; their names."""
    names = []
    for path in extensions(lib):
        (lib / ASIDE).mkdir(exist_ok=True)
        path.replace(lib / ASIDE / path.name)
        names.append(path.name)
    return names


def restore(lib: Path) -> int:
    """Move them back; how many there were. Files that pip has put there since are kept."""
    count = 0
    for path in extensions(lib / ASIDE):
        if not (lib / path.name).exists():
            path.replace(lib / path.name)
            count += 1
    return count


def tail(text: str, lines: int = 3) -> str:
    """The last lines of ``text``, indented."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
