"""A small corpus in AISHELL-3's layout, ways to spoil it, and the stages 0 to 2 of a recipe on it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ctap.bin import combine_features, dump_features, import_durations, prepare_text, split_targets
from ctap.files.tables import read_table
from ctap.text.pinyin import syllable_to_phones

LOCAL = Path(__file__).resolve().parents[1] / "egs" / "aishell3" / "ctap1" / "local"
SPEAKERS = ("SSB0005", "SSB0009")
TEXTS = (
    "今 jin1 天 tian1 很 hen3 好 hao3",
    "我 wo3 去 qu4 北 bei3 京 jing1",
    "二 er4 月 yue4 花 hua1 儿 er5",
)
SECONDS = 0.6


def make_corpus(root: Path) -> None:
    """Two speakers, six utterances each in ``train`` and two in ``test``, with a TextGrid of every one."""
    rng = np.random.default_rng(0)
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for speaker in SPEAKERS:
        for number in range(8):
            utterance, part = f"{speaker}{number:04d}", "test" if number > 5 else "train"
            text = TEXTS[number % len(TEXTS)]
            lines[part].append(f"{utterance}.wav\t{text}\n")
            wave = root / part / "wav" / speaker / f"{utterance}.wav"
            wave.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(wave, 0.1 * rng.standard_normal(int(SECONDS * 16000)), 16000, subtype="PCM_16")
            phones = [p for syllable in text.split()[1::2] for p in syllable_to_phones(syllable)]
            grid = root / "grids" / speaker / f"{utterance}.TextGrid"
            grid.parent.mkdir(parents=True, exist_ok=True)
            grid.write_text(_grid(phones), encoding="utf-8")
    for part, rows in lines.items():
        (root / part / "content.txt").write_text("".join(rows), encoding="utf-8")
    genders = "".join(f"{speaker}\tB\tfemale\tnorth\n" for speaker in SPEAKERS)
    (root / "spk-info.txt").write_text(f"# speaker\tage\tgender\taccent\n{genders}", encoding="utf-8")


def _grid(phones: list[str]) -> str:
    step = SECONDS / len(phones)
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {SECONDS}\n'
    head += 'tiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n        class = "IntervalTier"\n'
    head += f'        name = "phones"\n        xmin = 0\n        xmax = {SECONDS}\n'
    rows = [
        f"        intervals [{i + 1}]:\n            xmin = {i * step:.4f}\n"
        f'            xmax = {(i + 1) * step:.4f}\n            text = "{phone}"\n'
        for i, phone in enumerate(phones)
    ]
    return head + f"        intervals: size = {len(rows)}\n" + "".join(rows)


@dataclass(frozen=True)
class Corruption:
    """One thing done to one file.

    Attributes:
        kind: what; see :func:`spoil`.
        file: which, as a share of the list of files.
        place: where in it, as a share of its length.
        data: bytes to put there, or the name to give it.
    """

    kind: str
    file: float
    place: float
    data: bytes


KINDS = (
    "replace",
    "insert",
    "cut",
    "shorten",
    "empty",
    "line",
    "twice",
    "encode",
    "bom",
    "remove",
    "rename",
    "copy",
)


def spoil(root: Path, what: Corruption) -> Path:
    """Do ``what`` to a corpus; returns the file that it was done to."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    tables = [path for path in files if path.suffix == ".txt"]
    files += tables * (len(files) // (2 * len(tables)))  # few, and all hangs on them
    path = files[min(int(what.file * len(files)), len(files) - 1)]
    content = path.read_bytes()
    at = int(what.place * len(content))
    lines = content.splitlines(keepends=True)
    row = min(int(what.place * len(lines)), len(lines) - 1)
    text = path.suffix != ".wav"
    if what.kind == "remove":
        path.unlink()
    elif what.kind in ("rename", "copy"):
        name = what.data.decode("utf-8", "replace").replace("/", "_").replace("\0", "_")
        names = (
            f"{name}{path.suffix}",
            f"{path.stem}{name}{path.suffix}",
            f"{path.stem}{path.suffix.upper()}",
        )
        other = path.with_name(names[len(what.data) % 3][-80:])
        if what.kind == "copy" or other == path:
            (other.parent / "again").mkdir(exist_ok=True)
            (other.parent / "again" / other.name).write_bytes(content)
        else:
            path.rename(other)
    else:
        path.write_bytes(
            {
                "replace": content[:at] + what.data + content[at + len(what.data) :],
                "insert": content[:at] + what.data + content[at:],
                "cut": content[:at] + content[at + 1 + len(what.data) ** 2 :],
                "shorten": content[:at],
                "empty": b"",
                "line": b"".join(lines[:row] + lines[row + 1 :]),
                "twice": b"".join([*lines[: row + 1], *lines[row:]]),
                "encode": content.decode("utf-8").encode(("gb18030", "utf-16", "utf-8-sig")[at % 3])
                if text
                else content[::-1],
                "bom": b"\xef\xbb\xbf" + (content.replace(b"\n", b"\r\n") if at % 2 else content),
            }[what.kind]
        )
    return path


def whole(before: Path, after: Path) -> tuple[set[str], set[str]]:
    """Utterances that nothing was done to: in what stage 0 reads, and in their TextGrids as well."""
    prepared, aligned = set(), set()
    rows = {part: (after / part / "content.txt") for part in ("train", "test")}
    for wave in before.rglob("*.wav"):
        utterance, part, speaker = wave.stem, wave.relative_to(before).parts[0], wave.parent.name
        info = after / "spk-info.txt"
        if not (_same(wave, before, after) and info.is_file() and rows[part].is_file()):
            continue
        line = next(
            r for r in (before / part / "content.txt").read_bytes().splitlines() if utterance.encode() in r
        )
        gender = next(r for r in (before / "spk-info.txt").read_bytes().splitlines() if speaker.encode() in r)
        if line in rows[part].read_bytes().splitlines() and gender in info.read_bytes().splitlines():
            prepared.add(utterance)
            grids = list((after / "grids").rglob(f"{utterance}.[Tt]*"))
            if len(grids) == 1 and _same(before / "grids" / speaker / f"{utterance}.TextGrid", before, after):
                aligned.add(utterance)
    return prepared, aligned


def _same(path: Path, before: Path, after: Path) -> bool:
    other = after / path.relative_to(before)
    return other.is_file() and other.read_bytes() == path.read_bytes()


class Refused(Exception):  # noqa: N818 - what a command did
    """A command ended with an error for the user; the message is what it printed."""


def run(main, *words: object) -> None:
    """A command in this process.

    Raises:
        Refused: it ended with ``error: ...``. Anything else that it raises is a fault of the command.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main([str(word) for word in words])
    except SystemExit as end:
        if end.code != 1 or "error: " not in said.getvalue():
            raise AssertionError(f"status {end.code}: {said.getvalue()}") from end
        raise Refused(said.getvalue()) from None


def prepare_aishell3():
    """The recipe's own program of stage 0."""
    spec = importlib.util.spec_from_file_location("prepare_aishell3", LOCAL / "prepare_aishell3.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def stage_0(main, corpus: Path, data: Path) -> None:
    """From the corpus to ``data/{local/all,train,dev,test}``."""
    run(main, "--corpus", corpus, "--out_dir", data / "local/corpus")
    run(prepare_text.main, "--in_dir", data / "local/corpus", "--out_dir", data / "local/all",
        "--num_threads", 1)  # fmt: skip
    run(split_targets.main, "--data_dir", data / "local/all", "--out_dir", data,
        "--target_speakers", "none")  # fmt: skip


def stage_1(data: Path, grids: Path) -> None:
    """Durations of one set."""
    run(import_durations.main, "--data_dir", data, "--durations", grids)


def stage_2(data: Path, dump: Path) -> None:
    """Features of one set, in one job; in so small a set one recording may be many per cent."""
    parts = dump.parent / ".parts"
    run(dump_features.main, "--data_dir", data, "--parts_dir", parts, "--max_failures", 0.5)
    run(combine_features.main, "--data_dir", data, "--parts_dir", parts, "--num_jobs", 1, "--out_dir", dump,
        "--max_failures", 0.5)  # fmt: skip


def keys(path: Path) -> set[str]:
    """Keys of a table, none if there is no such table."""
    return set(read_table(path)) if path.is_file() else set()
