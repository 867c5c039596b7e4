"""Follows the pages in a recipe that has run to its end: their commands, word for word, on tiny models."""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ctap.bin.main import COMMANDS
from ctap.files.tables import read_table
from test.documented import ROOT, Block, Layout, blocks

SPEAKER, OURS = "SSB7009", "SSB7010"  # of the pages, of the tiny corpus
CUT = {"ctap.bin.plot_alignments": ["--count", "2"], "ctap.bin.listening_test": ["--utts", "1"]}
"""What is added to a command so that it takes less time."""
PROGRAMS = ("ctap.bin.synthesize", "ctap.bin.convert", "ctap.bin.recognize", "ctap.bin.embed")
PAGES = {
    "README.md": PROGRAMS,
    "egs/README.md": ("ctap.bin.compare_scores",),
    "egs/mini/ctap1/README.md": ("ctap.bin.score_durations",),
    "docs/listening_tests.md": ("ctap.bin.listening_test",),
    "docs/durations.md": tuple(
        f"ctap.bin.{name}" for name in ("plot_alignments", "align", "import_durations")
    ),
    "docs/aligner.md": (
        *(f"ctap.bin.{name}" for name in ("align", "train_aligner", "score_durations", "disturb_durations")),
        "tools/bench/noisy_data_dir.py",
    ),
}
"""Page, and those of its programs that are run here."""


def lay_out(recipe: Path, corpus: Path) -> None:
    """Beside the recipe's own files, those that the pages take for granted."""
    waves = sorted(read_table(recipe / "data/test/wav.scp").values())
    for name in ("prompt", "source", "target", "speech", "a", "b"):
        (recipe / f"{name}.wav").symlink_to(Path(waves[0]).resolve())
    (recipe / "wav.scp").write_text(f"one {waves[0]}\n")
    german = "mini_de_minutes_1_target_minutes_0_test_minutes_0.5"
    for name in ("mini", german):  # here of the same corpus
        (recipe / "downloads" / name).mkdir(parents=True, exist_ok=True)
        (recipe / "downloads" / name / "phoneme_events.tsv").symlink_to(corpus / "phoneme_events.tsv")
    (recipe / "exp/one").symlink_to(f"tts_{OURS}")
    (recipe / "exp/other").symlink_to(f"tts_{OURS}")
    (recipe / "exp/ctap_mini").symlink_to("ctap")  # named as the demo's configuration names it
    (recipe / "grids").mkdir()
    (recipe / "grids/train").symlink_to(".")


@contextlib.contextmanager
def _as_program(words: Sequence[str], folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as here:
        here.chdir(folder)
        here.setattr(sys, "argv", list(words))
        yield


def run(program: str, options: Sequence[str], folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Run a Python program in this process (torch need not be imported anew), to a good end."""
    path = ROOT / (f"{program.replace('.', '/')}.py" if program.startswith("ctap.") else program)
    with _as_program([program, *options], folder, patch), patch.context() as here:
        if program.startswith("tools/"):
            here.syspath_prepend(str(path.parent))  # as for a script, where it finds its neighbours
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as stop:
            assert not stop.code, f"{program} {' '.join(options)}"


def spoken(program: str) -> list[str]:
    """How the pages may call a program: as a module, or under ``ctap``."""
    module = program.rpartition(".")[2]
    return [program, *(f"ctap {name} " for name, target in COMMANDS.items() if target == module)]


def follow(recipe: Path, corpus: Path, layout: Layout, patch: pytest.MonkeyPatch) -> list[str]:
    """Run what :data:`PAGES` names.

    Returns:
        The programs that were run.
    """
    lay_out(recipe, corpus)
    done = []
    for block in blocks():
        wanted = PAGES.get(block.page, ())
        if block.kind == "python" and block.page == "README.md":
            with _as_program(["python"], recipe, patch):
                exec(compile(block.text.replace(SPEAKER, OURS), block.page, "exec"), {})
        if block.kind not in ("", "inline") or not any(
            word in block.text for name in wanted for word in spoken(name)
        ):
            continue
        text = block.text.replace(SPEAKER, OURS)
        for call in layout.calls(Block(block.page, block.kind, text)):
            if call.program not in wanted or "serve" in call.options:
                continue
            options = call.options
            if "/corpus/word_boundaries.tsv" in options:  # of joined recordings; the tiny corpus has events
                options[options.index("/corpus/word_boundaries.tsv")] = str(corpus / "phoneme_events.tsv")
                options.remove("--own_silence")
            if call.program == "ctap.bin.align" and "exp/align/train" in options:
                jobs = len(list((recipe / "exp/align/train").glob("align.*.jsonl")))
                options += ["--num_jobs", str(jobs)]  # of the tiny recipe
            run(call.program, options + CUT.get(call.program, []), recipe, patch)
            done.append(call.program)
    return done


os.environ.setdefault("MPLBACKEND", "agg")
