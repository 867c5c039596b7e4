"""``ctap``: all commands under one name, ``ctap synthesize`` for ``python -m ctap.bin.synthesize``.

A command's module is imported once it is asked for, so that ``ctap --help`` answers at once.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import ctap
from ctap.errors import UserError, cli

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from ctap.bin.entry import Entry

COMMANDS = {
    "train": "train",
    "synthesize": "synthesize",
    "convert": "convert",
    "recognize": "recognize",
    "embed": "embed",
    "transcribe": "transcribe",
    "pack": "pack",
    "serve": "serve",
    "export onnx": "export_onnx",
    "data fetch": "fetch_archive",
    "data prepare": "prepare_text",
    "data split": "split_targets",
    "data subset": "subset_data_dir",
    "data merge": "merge_data_dirs",
    "data validate": "validate_data_dir",
    "data fix": "fix_data_dir",
    "data prompt": "choose_prompt",
    "data units": "train_units",
    "durations train": "train_aligner",
    "durations align": "align",
    "durations import": "import_durations",
    "durations plot": "plot_alignments",
    "durations disturb": "disturb_durations",
    "features dump": "dump_features",
    "features combine": "combine_features",
    "features speakers": "embed_speakers",
    "features predict": "predict_mels",
    "upstream check": "check_upstream",
    "upstream kmeans": "train_kmeans",
    "upstream dump": "dump_upstream",
    "vocoder check": "check_vocoder",
    "vocoder import": "import_vocoder",
    "vocoder resynthesize": "resynthesize",
    "score durations": "score_durations",
    "score representation": "score_representation",
    "score speech": "score_speech",
    "score asr": "score_asr",
    "score transcripts": "score_transcripts",
    "score compare": "compare_scores",
    "listening build": "listening_test build",
    "listening serve": "listening_test serve",
    "listening score": "score_listening_test",
    "report results": "report",
    "report samples": "list_samples",
    "report compare": "report_compare",
    "report table1": "table1",
}
"""Command to its module in this folder, and the module's subcommand where it has several."""
GROUPS = {
    "export": "models for other programs",
    "data": "corpora and their data directories",
    "durations": "how long each phone lasts",
    "features": "what models are trained on",
    "upstream": "compared representations",
    "vocoder": "log-mels to waves",
    "score": "figures of a trained model, or of what it says",
    "listening": "listening tests",
    "report": "pages of results",
}
SHELLS = ("bash", "zsh", "tcsh")
COMPLETION = "--print_completion"
USAGE = f"""\
usage: ctap COMMAND [OPTION]...
       ctap COMMAND --help
       ctap --version
       ctap {COMPLETION} {{{",".join(SHELLS)}}}    a shell's completion of commands and options
"""


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command that the first words name."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] == "--version":
        print(f"ctap {ctap.__version__}")
    elif words and words[0] == COMPLETION:
        print(completion(words[1] if words[1:] else ""))
    elif not words or words[0] in ("-h", "--help", "help"):
        print(overview(COMMANDS))
    elif words[0] in GROUPS and (not words[1:] or words[1] in ("-h", "--help")):
        print(overview(name for name in COMMANDS if name.startswith(f"{words[0]} ")))
    else:
        name = find(words)
        module, *fixed = COMMANDS[name].split()
        program = f"ctap {name}".removesuffix(f" {' '.join(fixed)}") if fixed else f"ctap {name}"
        entry(module)([*fixed, *words[len(name.split()) :]], program)


def find(words: list[str]) -> str:
    """The command that ``words`` begin with.

    Raises:
        UserError: there is no such command; similar ones are named.
    """
    name = " ".join(words[:2] if words[0] in GROUPS else words[:1])
    if name in COMMANDS:
        return name
    spoken = {module.split()[0]: known for known, module in COMMANDS.items()} | {
        known: known for known in COMMANDS
    }
    near = difflib.get_close_matches(name, spoken, n=3, cutoff=0.5)
    hint = f"near: {', '.join(dict.fromkeys(spoken[word] for word in near))}; " if near else ""
    raise UserError(f"ctap {name}: no such command; {hint}`ctap --help` lists them")


def entry(module: str) -> Entry:
    """What a module of this folder runs."""
    return importlib.import_module(f"ctap.bin.{module}").main


def overview(names: Iterable[str]) -> str:
    """Commands, a line each, under the headings of their groups."""
    lines, heading = [USAGE.rstrip()], ""
    for name in names:
        group = name.split()[0] if " " in name else "commands"
        if group != heading:
            heading = group
            lines += ["", f"{group}: {GROUPS[group]}" if group in GROUPS else f"{group}:"]
        lines.append(f"  {name:22}{textwrap.shorten(summary(COMMANDS[name]), 96, placeholder=' ...')}")
    return "\n".join(lines)


def summary(target: str) -> str:
    """The first line of a command's docstring, read without importing it."""
    module, *words = target.split()
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    calls = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    ]
    named = words or [call.args[0].id for call in calls if getattr(call.func, "id", "") == "command"]
    text = ast.get_docstring(functions[named[0]] if named else tree)
    return (text or "").strip().splitlines()[0]


def completion(shell: str) -> str:
    """A script for ``shell`` that completes all commands and their options.

    Raises:
        UserError: no script can be made for that shell.
    """
    if shell not in SHELLS:
        raise UserError(f"{COMPLETION} {shell}: expected one of {', '.join(SHELLS)}")
    return whole_parser().get_completion_script(f"shtab-{shell}")


def whole_parser() -> ArgumentParser:
    """All commands as one parser, each module imported."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(prog="ctap")
    top, groups = parser.add_subcommands(), {}
    for group, text in GROUPS.items():
        inner = ArgumentParser()
        top.add_subcommand(group, inner, help=text)
        groups[group] = inner.add_subcommands()
    for name, target in COMMANDS.items():
        module, *words = target.split()
        made = entry(module).entries[words[0]] if words else entry(module)
        place, last = (groups[name.split()[0]], name.split()[1]) if " " in name else (top, name)
        inner = made.empty_parser(None)
        place.add_subcommand(last, inner, help=summary(target))
        made.add_arguments(inner)
    return parser


if __name__ == "__main__":
    main()
