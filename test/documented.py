"""The commands that stand in the pages, as a shell reads them: every call with its words, none carried out.

A block runs under bash in a copy of the repository's layout, where programs and recipes are stand-ins that
only note how they were called; loops, variables and `cd` are the shell's own.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from ctap.bin.main import COMMANDS, find

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted(path.parts[-3] for path in ROOT.glob("egs/*/ctap1/run.sh"))
PAGES = ["README.md", "egs/README.md", "egs/own_corpus.md", "tools/README.md", "tools/campaigns/README.md"]
PAGES += sorted(
    str(page.relative_to(ROOT)) for glob in ("docs/*.md", "egs/*/ctap1/README.md") for page in ROOT.glob(glob)
)
HEADERS = ["egs/TEMPLATE/ctap1/ctap.sh", "egs/TEMPLATE/ctap1/skeleton/run.sh"]
HEADERS += sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("egs/*/ctap1/run.sh"))
HELPS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tools/[bc]*/*.py"))
PROGRAMS = (
    "python",
    "ctap",
    "make",
    "pip",
    "tensorboard",
    "mfa",
    "uv",
    "pytest",
    "tools/bench/gpu.sh",
    "tools/loopback_slurm.sh",
    "utils/validate_data_dir",
    "utils/fix_data_dir",
)
INLINE = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\./run\.sh|{}) ".format("|".join(map(re.escape, PROGRAMS))))
PRELUDE = """
set -eu
record() { printf '%s\\0' "$#" "${PWD}" "$@" >>"${RECORD}"; }
""" + "".join(f'function {name} {{ record {name} "$@"; }}\n' for name in PROGRAMS)
PRELUDE += "cp() { :; } # of what a stage would have made\n"
RECIPE = '#!/usr/bin/env bash\nprintf \'%s\\0\' "$(($# + 1))" "${PWD}" ctap.sh "$@" >>"${RECORD}"\n'


@dataclass(frozen=True)
class Block:
    """A block of a page, a command within its text, a line of a script's header, a block of its help."""

    page: str
    kind: str  # "" or the language behind the fence; "indented", "inline", "header", "help"
    text: str

    @property
    def first(self) -> str:
        """The first line."""
        return self.text.splitlines()[0]


@dataclass(frozen=True)
class Call:
    """One command as it would have been called."""

    page: str
    folder: Path
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """What is called: ``ctap.sh``, ``make demo``, ``ctap.bin.embed``, ``tools/bench/align.py``."""
        words = self.words
        if words[0] == "ctap":
            return f"ctap.bin.{COMMANDS[name].split()[0]}" if (name := self.command) else "ctap"
        if words[0] == "python":
            return words[2] if words[1] == "-m" else re.sub(r"^(\.\./)+", "", words[1])
        return " ".join(words[:2]) if words[0] == "make" else words[0]

    @property
    def command(self) -> str:
        """Of ``ctap``: the command that it is asked for; nothing where it explains itself."""
        return "" if self.words[1].startswith("--") else find(list(self.words[1:]))

    @property
    def options(self) -> list[str]:
        """The words behind the program, and before them a subcommand of its module."""
        if self.words[0] == "ctap" and (name := self.command):
            return [*COMMANDS[name].split()[1:], *self.words[1 + len(name.split()) :]]
        return list(self.words[{"python": 3 if self.words[1] == "-m" else 2}.get(self.words[0], 1) :])


def blocks() -> list[Block]:
    """All blocks of all pages, in order."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        fence = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
        found += [Block(page, match[1], textwrap.dedent(match[2])) for match in fence.finditer(text)]
        rest = fence.sub("", text)
        found += [Block(page, "indented", text) for text in _indented(rest)]
        for span in re.findall(r"`([^`]+)`", rest):
            line = " ".join(span.split())
            if INLINE.match(line):
                found.append(Block(page, "inline", re.sub(r" \.\.\.$|\.\.\.$", "", line)))
    for page in HEADERS:
        header = re.match(r"(#.*\n)+", (ROOT / page).read_text(encoding="utf-8"))
        lines = re.findall(r"^#   (\./run\.sh.*)$", header[0] if header else "", re.MULTILINE)
        found += [Block(page, "header", line) for line in lines]
    for page in HELPS:
        docstring = ast.get_docstring(ast.parse((ROOT / page).read_text(encoding="utf-8"))) or ""
        found += [Block(page, "help", text) for text in _indented(f"{docstring}\n")]
    return found


def _indented(text: str) -> list[str]:
    """Blocks of four spaces and more, each behind an empty line."""
    return [textwrap.dedent(block) for block in re.findall(r"(?<=\n\n)(?: {4}.*\n)+", text)]


def spans(pages: list[str]) -> list[tuple[str, str]]:
    """Page and text of every option in running text, such as ``--train_args "--key value"``."""
    found = []
    for page in pages:
        text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
        found += [(page, " ".join(span.split())) for span in re.findall(r"`(--[a-z][^`]* [^`]+)`", text)]
    return found


class Layout:
    """A copy of the repository's layout in which recipes only note how they are called."""

    def __init__(self, root: Path) -> None:
        """Lay it out in ``root``."""
        self.root, self.record = root, root / "record"
        for name in ("ctap", "docs", "utils", "tools", "setup.py"):
            (root / name).symlink_to(ROOT / name)
        (root / ".venv/bin").mkdir(parents=True)
        (root / ".venv/bin/activate").touch()
        template = root / "egs/TEMPLATE/ctap1"
        shutil.copytree(ROOT / "egs/TEMPLATE/ctap1", template)
        (template / "ctap.sh").write_text(RECIPE)
        for name in RECIPES:
            folder = root / "egs" / name / "ctap1"
            folder.mkdir(parents=True)
            for item in ("run.sh", "local"):
                (folder / item).symlink_to(ROOT / "egs" / name / "ctap1" / item)
            for item in ("path.sh", "cmd.sh", "conf", "ctap.sh"):
                (folder / item).symlink_to(template / item)
            (folder / "data/train").mkdir(parents=True)
            (folder / "data/train/durations").write_text("x 1\n")

    def home(self, block: Block) -> Path:
        """Where a block is meant to be run: the root if it says how to go on from there, else a recipe."""
        text = re.sub(r"\s#.*", "", block.text)
        if re.search(r"(^|\s)(egs|tools)/", text) or block.page.startswith("tools/"):
            return self.root
        if match := re.match(rf"egs/({'|'.join(RECIPES)})/", block.page):
            return self.root / "egs" / match[1] / "ctap1"
        return self.root / "egs/mini/ctap1"

    def calls(self, block: Block) -> list[Call]:
        """What a block calls; fails if the shell does."""
        self.record.write_bytes(b"")
        environment = {**os.environ, "RECORD": str(self.record), "corpus": "/corpus", "VIRTUAL_ENV": "/env"}
        done = subprocess.run(
            ["bash", "-c", f"{PRELUDE}\n{block.text}"],
            cwd=self.home(block),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{block.page}:\n{block.text}\n{done.stderr}"
        fields = self.record.read_bytes().decode().split("\0")[:-1]
        found = []
        while fields:
            count, folder, *fields = fields
            found.append(Call(block.page, Path(folder), tuple(fields[: int(count)])))
            fields = fields[int(count) :]
        return found
