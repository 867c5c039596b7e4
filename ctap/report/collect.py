"""Find what an experiment directory has to show: scores, samples to listen to, pictures, training curves."""

from __future__ import annotations

import json
import os
from collections.abc import Collection as Collection_
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.metrics.results import SIMILARITIES, TASKS, Scores, guess_task, read_scores, superseded

__all__ = ["Collection", "Experiment", "Picture", "Sample", "collect"]

ROLES = ("prompt", "source", "recording", "vocoded", "tts", "vc", "from_phonemes")
_SUFFIXES = (".png", ".svg", ".jpg")


@dataclass(frozen=True)
class Sample:
    """Something to listen to; ``wav`` and ``mel`` are real paths, ``language`` is the text's, if known."""

    utt: str
    role: str
    wav: Path
    text: str = ""
    speaker: str = ""
    mel: Path | None = None
    language: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture and what it shows."""

    path: Path
    caption: str


@dataclass
class Experiment:
    """One experiment: all files of scores with one name, and what lies beside them."""

    name: str
    task: str
    scores: list[Scores] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    similarities: list[Path] = field(default_factory=list)


@dataclass
class Collection:
    """Experiments in the order of the tasks, and what could not be shown and why."""

    experiments: list[Experiment]
    problems: list[str]

    def by_task(self) -> dict[str, list[Experiment]]:
        """Experiments under their tasks, known tasks first."""
        groups: dict[str, list[Experiment]] = {task: [] for task in TASKS}
        for experiment in self.experiments:
            groups.setdefault(experiment.task, []).append(experiment)
        return {task: found for task, found in groups.items() if found}


def _json(path: Path, kind: type, problems: list[str]) -> Any:
    """The content of a JSON file, empty if it is not of ``kind`` (which is noted)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{path}: cannot be read as JSON: {error}")
        return kind()
    if not isinstance(content, kind):
        problems.append(f"{path}: expected a JSON {kind.__name__}, found a {type(content).__name__}")
        return kind()
    return content


def _of_listeners(path: Path) -> bool:
    """Whether a file holds the scores of a listening test, which have tables of their own."""
    from ctap.listening.table import FORMAT  # scipy comes with it

    return _json(path, dict, []).get("format") == FORMAT


def _samples(path: Path, problems: list[str]) -> list[Sample]:
    found = []
    for number, entry in enumerate(_json(path, list, problems)):
        where = f"{path}: sample {number}"
        named = [entry.get(key) for key in ("utt", "role", "wav")] if isinstance(entry, dict) else [None]
        if not all(isinstance(value, str) and value for value in named):
            problems.append(f"{where}: needs utt, role and wav, each some words")
            continue
        wav = path.parent / entry["wav"]
        if not wav.is_file():
            problems.append(f"{where} ({entry['utt']}, {entry['role']}): no such file: {wav}")
            continue
        mel = path.parent / str(entry["mel_png"]) if entry.get("mel_png") else None
        if mel is not None and not mel.is_file():
            problems.append(f"{where} ({entry['utt']}, {entry['role']}): no such picture: {mel}")
            mel = None
        text, speaker, language = (str(entry.get(key) or "") for key in ("text", "speaker", "language"))
        found.append(Sample(entry["utt"], entry["role"], wav, text, speaker, mel, language))
    return found


def _pictures(folder: Path, problems: list[str]) -> list[Picture]:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    captions = {}
    if (folder / "captions.json").is_file():
        captions = _json(folder / "captions.json", dict, problems)
        for name in sorted(set(captions) - {path.name for path in files} - {path.stem for path in files}):
            problems.append(f"{folder / 'captions.json'}: a caption for {name}, which is not there")
    return [
        Picture(path, str(captions.get(path.name) or captions.get(path.stem) or path.stem.replace("_", " ")))
        for path in files
    ]


def _walk(expdir: Path, skip: Collection_[str]) -> list[tuple[Path, list[str]]]:
    """Directories in sorted order, but hidden ones, superseded ones, and those of ``skip`` right below.

    Links are followed last: what is also reached without one is listed there alone.
    """
    seen: set[str] = set()
    found, tops = [], [expdir]
    for top in tops:  # which grows by the links in it
        for folder, children, files in os.walk(top):
            if (real := os.path.realpath(folder)) in seen:
                children.clear()
                continue
            seen.add(real)
            left_out = skip if Path(folder) == expdir else ()
            children[:] = [c for c in children if not (c.startswith(".") or c in left_out or superseded(c))]
            tops += [Path(folder, c) for c in sorted(children) if Path(folder, c).is_symlink()]
            found.append((Path(folder), sorted(files)))
    return sorted(found)


def _owner(
    folder: Path, homes: dict[Path, Experiment], expdir: Path, named: dict[str, Experiment]
) -> Experiment:
    """The experiment of the nearest directory with scores; else that of the directory's own name."""
    for place in (folder, *folder.parents):
        if place in homes:
            return homes[place]
        if place == expdir:
            break
    inside = folder.relative_to(expdir)
    home = expdir / inside.parts[0] if inside.parts else expdir
    name = home.name
    return homes.setdefault(home, named.get(name) or Experiment(name, guess_task(name)))


def collect(expdir: str | Path, skip: Collection_[str] = ()) -> Collection:
    """Read everything under ``expdir``.

    Scores are ``scores*.json``; those of the same name are one experiment. Samples (``samples.json``),
    pictures (``images/*.png`` with ``images/captions.json``), logs (``metrics.csv``) and similarities to
    speakers (``speaker_similarity.tsv``) belong to the nearest directory above them that has scores.

    Args:
        expdir: the directory.
        skip: names of directories in it that are left out.

    Raises:
        UserError: there is no such directory.
    """
    expdir = Path(expdir)
    if not expdir.is_dir():
        raise UserError(f"{expdir}: no such directory of experiments")
    problems: list[str] = []
    named: dict[str, Experiment] = {}
    homes: dict[Path, Experiment] = {}
    tree = _walk(expdir, skip)
    for folder, files in tree:
        for file in files:
            if not (file.startswith("scores") and file.endswith(".json")):
                continue
            try:
                scores = read_scores(folder / file)
            except UserError as error:
                if not _of_listeners(folder / file):
                    problems.append(str(error))
                continue
            experiment = named.setdefault(scores.name, Experiment(scores.name, scores.task))
            experiment.scores.append(scores)
            homes.setdefault(folder, experiment)
    for folder, files in tree:
        if "samples.json" in files:
            samples = _samples(folder / "samples.json", problems)
            if samples:
                _owner(folder, homes, expdir, named).samples += samples
        if folder.name == "images":
            pictures = _pictures(folder, problems)
            if pictures:
                _owner(folder.parent, homes, expdir, named).pictures += pictures
        if "metrics.csv" in files:
            _owner(folder, homes, expdir, named).logs.append(folder / "metrics.csv")
        if SIMILARITIES in files:
            _owner(folder, homes, expdir, named).similarities.append(folder / SIMILARITIES)
    unscored = [experiment for experiment in homes.values() if experiment.name not in named]
    return Collection([*named.values(), *unscored], problems)
