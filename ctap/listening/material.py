"""What a listening test compares: lists of waves as recipes write them, joined by speaker and utterance."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ctap.audio.wave import AudioError, wave_info
from ctap.errors import UserError
from ctap.files.tables import read_table

__all__ = ["Item", "Material", "gather", "list_waves", "parse_systems", "speakers_of", "target_wave"]

SPEAKER = "{speaker}"
_AUDIO = (".wav", ".flac", ".ogg", ".mp3")
_TARGET_SECONDS = 4.0
_TARGETS_TRIED = 50  # recordings whose length is looked at

Key = tuple[str, str]  # speaker, utterance


@dataclass(frozen=True)
class Item:
    """One utterance by all systems.

    Attributes:
        speaker: whose voice was wanted.
        utt: utterance.
        waves: system -> file.
        reference: recording of the same sentence, or None.
        target: another recording of the wanted speaker, or None.
        text: what is said.
    """

    speaker: str
    utt: str
    waves: dict[str, str]
    reference: str | None = None
    target: str | None = None
    text: str = ""


@dataclass
class Material:
    """What a listening test is made of.

    Attributes:
        items: sorted by speaker and utterance.
        notes: what whoever asked for them should know.
        texts: the data directory that texts come from, or None.
    """

    items: list[Item]
    notes: list[str] = field(default_factory=list)
    texts: Path | None = None


def parse_systems(specs: Iterable[str]) -> dict[str, list[str]]:
    """``NAME=PATH`` arguments to name -> paths; a name may occur several times.

    Raises:
        UserError: one is not of that form, or there is none.
    """
    found: dict[str, list[str]] = {}
    for spec in specs:
        name, _, path = spec.partition("=")
        if not name or not path:
            raise UserError(f"--system {spec}: expected NAME=PATH, a name and a directory or wav.scp")
        found.setdefault(name, []).append(path)
    if not found:
        raise UserError("nothing to listen to: give --system NAME=PATH")
    return found


def list_waves(path: Path) -> dict[str, str]:
    """Utterances and files of a wav.scp, of a directory that holds one, or of a directory of audio files.

    Raises:
        UserError: there is none of these, or two files have one name.
    """
    if path.is_file():
        return read_table(path)
    if (path / "wav.scp").is_file():
        return read_table(path / "wav.scp")
    if not path.is_dir():
        raise UserError(f"{path}: no such directory or wav.scp")
    found: dict[str, str] = {}
    for file in sorted(file for file in path.iterdir() if file.suffix.lower() in _AUDIO):
        if file.stem in found:
            raise UserError(
                f"{found[file.stem]} and {file} have the same name; list one of them in a wav.scp"
            )
        found[file.stem] = str(file)
    if not found:
        raise UserError(f"{path}: expected a wav.scp or audio files ({', '.join(_AUDIO)}) there")
    return found


def speakers_of(pattern: str) -> set[str]:
    """Speakers for whom ``pattern``, a path with ``{speaker}`` in it, names something that is there."""
    parts = pattern.split(SPEAKER)
    first, *rest = (re.escape(part) for part in parts)
    regex = re.compile(first + "([^/]+)" + "(?:\\1)".join(rest))
    candidates = glob.glob("*".join(map(glob.escape, parts)))  # noqa: PTH207  (Path.glob wants relative patterns)
    return {match[1] for path in candidates if (match := regex.fullmatch(path))}


def _choose_speakers(patterns: dict[str, str], wanted: Sequence[str] | None, notes: list[str]) -> list[str]:
    """Speakers to fill ``{speaker}`` with: those wanted, or those whom every pattern finds."""
    found = {what: speakers_of(pattern) for what, pattern in patterns.items()}
    if wanted:
        for what, names in found.items():
            if missing := [name for name in wanted if name not in names]:
                raise UserError(
                    f"{what}: {patterns[what]} has no speaker {missing[0]!r}; found: {_names(sorted(names))}"
                )
        return list(dict.fromkeys(wanted))
    common = sorted(set.intersection(*found.values()))
    if not common:
        lists = "; ".join(
            f"{what} {patterns[what]}: {_names(sorted(names))}" for what, names in found.items()
        )
        raise UserError(f"no speaker is found by all paths with {SPEAKER}: {lists}")
    notes.append(f"speakers: {_names(common)}")
    return common


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown or "none"


def _folder(path: Path) -> Path:
    """The directory of a list of sounds: ``path`` itself, or where its wav.scp stands."""
    return path if path.is_dir() else path.parent


def _beside(path: Path, table: str) -> dict[str, str]:
    """A data directory's table that may be there, for a directory or its wav.scp."""
    file = _folder(path) / table
    return read_table(file) if file.is_file() else {}


def target_wave(path: Path, speaker: str) -> list[str]:
    """Recordings of ``speaker`` that ``--target`` names.

    Args:
        path: an audio file; a file with the path of one (``exp/prompts/<speaker>``); a wav.scp or a directory
            of recordings, of which the speaker's are taken if there is a ``spk2utt``.
        speaker: name, or ``""`` to take all.
    """
    if path.is_file() and path.suffix.lower() in _AUDIO:
        return [str(path)]
    if path.is_file() and path.suffix != ".scp":
        try:
            return [line for line in path.read_text(encoding="utf-8").splitlines() if line][:1]
        except UnicodeDecodeError:
            raise UserError(
                f"--target {path}: expected a recording ({' '.join(_AUDIO)}), a list, or a file with a path"
            ) from None
    waves = list_waves(path)
    groups = _beside(path, "spk2utt")
    if groups and speaker:
        if speaker not in groups:
            raise UserError(f"--target {path}: no speaker {speaker!r}; there are {_names(sorted(groups))}")
        return [waves[utt] for utt in groups[speaker].split() if utt in waves]
    return list(waves.values())


def _choose_target(files: Sequence[str], avoid: set[str], where: str) -> str:
    """The recording nearest to 4 s that is not among the sounds to be rated, if there is such a one."""
    lengths: dict[str, float] = {}
    problem = "it lists none"
    for file in [f for f in files if f not in avoid][:_TARGETS_TRIED] or files[:_TARGETS_TRIED]:
        try:
            lengths[file] = wave_info(file).seconds
        except AudioError as error:
            problem = str(error)
    if not lengths:
        raise UserError(f"--target {where}: no recording that can be read: {problem}")
    return min(sorted(lengths), key=lambda file: abs(lengths[file] - _TARGET_SECONDS))


def gather(
    systems: dict[str, list[str]],
    *,
    reference: str | None = None,
    target: str | None = None,
    speakers: Sequence[str] | None = None,
) -> Material:
    """Join the lists of all systems.

    Paths may hold ``{speaker}``; a path without it holds for all speakers.

    Args:
        systems: name -> paths (:func:`parse_systems`).
        reference: recordings of the same sentences.
        target: recordings of the speakers (:func:`target_wave`).
        speakers: fill ``{speaker}`` with these instead of those found.

    Returns:
        The utterances that all systems and the reference have.

    Raises:
        UserError: a list is missing or holds an utterance twice, or nothing is common to all.
    """
    notes: list[str] = []
    paths = {f"--system {name}": many for name, many in systems.items()}
    paths |= {"--reference": [reference] if reference else []}
    patterns = {what: path for what, many in paths.items() for path in many if SPEAKER in path}
    if speakers and not patterns:
        raise UserError(f"--speakers: no path has {SPEAKER} in it")
    chosen: list[str | None] = [None]
    if patterns:
        chosen = list(_choose_speakers(patterns, speakers, notes))

    voices: dict[str, str] = {}  # utterance -> speaker, where no path says it
    waves = {name: _listed(f"--system {name}", many, chosen, voices) for name, many in systems.items()}
    references = _listed("--reference", paths["--reference"], chosen, voices)
    common = set.intersection(*map(set, waves.values()), *([set(references)] if reference else []))
    if not common:
        counts = ", ".join(f"{name} {len(rows)}" for name, rows in {**waves, "reference": references}.items())
        raise UserError(f"the lists have no utterance in common ({counts}); are the names the same?")
    for name, rows in waves.items():
        if len(rows) > len(common):
            notes.append(f"{name}: {len(rows) - len(common)} of {len(rows)} utterances are not in all lists")
    texts, folder = _texts([*paths["--reference"], *chain.from_iterable(systems.values())], chosen)
    targets = _Targets(target, {wave for rows in waves.values() for wave in rows.values()})
    items = []
    for speaker, utt in sorted(common):
        voice = speaker or voices.get(utt, "")
        items.append(
            Item(
                speaker=voice,
                utt=utt,
                waves={name: rows[speaker, utt] for name, rows in waves.items()},
                reference=references.get((speaker, utt)),
                target=targets.of(voice, utt),
                text=texts.get((speaker, utt), ""),
            )
        )
    notes.append(f"common utterances: {_counted(items)}")
    return Material(items, notes, folder)


def _counted(items: Sequence[Item]) -> str:
    by_speaker = Counter(item.speaker for item in items)
    return ", ".join(f"{speaker or '-'} {n}" for speaker, n in sorted(by_speaker.items()))


def _listed(
    what: str, paths: Sequence[str], speakers: Sequence[str | None], voices: dict[str, str]
) -> dict[Key, str]:
    """The sounds that ``paths`` list; who speaks goes into ``voices`` where the paths do not say it."""
    found: dict[Key, str] = {}
    for name in speakers:
        for path in (Path(p.replace(SPEAKER, name or "")) for p in paths):
            if name is None:
                voices.update(_beside(path, "utt2spk"))
            for utt, wave in list_waves(path).items():
                if (name or "", utt) in found:
                    raise UserError(f"{what}: utterance {utt} occurs a second time in {path}")
                found[name or "", utt] = wave
    return found


def _texts(paths: Sequence[str], speakers: Sequence[str | None]) -> tuple[dict[Key, str], Path | None]:
    """The texts beside the sounds, of the first path that has them, and where the first of them stands."""
    texts: dict[Key, str] = {}
    folder = None
    for name in speakers:
        for path in (Path(p.replace(SPEAKER, name or "")) for p in paths):
            found = _beside(path, "text")
            if found and folder is None:
                folder = _folder(path)
            for utt, text in found.items():
                texts.setdefault((name or "", utt), text)
    return texts, folder


class _Targets:
    """The recording to compare a speaker's sounds with, chosen once for each speaker."""

    def __init__(self, target: str | None, rated: set[str]) -> None:
        self.target, self.rated = target, rated
        self.chosen: dict[str, str] = {}

    def of(self, voice: str, utt: str) -> str | None:
        if not self.target:
            return None
        if voice not in self.chosen:
            if SPEAKER in self.target and not voice:
                raise UserError(
                    f"--target {self.target}: nothing says who speaks {utt}: no {SPEAKER} in the other paths,"
                    " no utt2spk beside them"
                )
            where = Path(self.target.replace(SPEAKER, voice))
            self.chosen[voice] = _choose_target(target_wave(where, voice), self.rated, str(where))
        return self.chosen[voice]
