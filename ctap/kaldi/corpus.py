"""What readers of published corpora share: files that may be broken, and the tables that are made of them.

A reader (``egs/<corpus>/ctap1/local/prepare_*.py``) knows a corpus's layout and fills a :class:`Corpus`. What
is wrong with a file or a line is noted there and the rest goes on. That recordings and texts match, and that
recordings can be read, is asked later, of every corpus (:mod:`ctap.bin.prepare_text`).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctap.errors import UserError
from ctap.files.names import name_fault
from ctap.files.skips import SkipList
from ctap.files.tables import BOM
from ctap.kaldi.prepare import Tables, write_tables

GENDERS = {"f": "f", "m": "m", "female": "f", "male": "m", "女": "f", "男": "m"}
"""How corpora write a speaker's gender, in lower case."""

ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".sph", ".w64", ".caf")
"""Of audio files, in lower case."""


def without_ending(name: str) -> str:
    """A file's name without the ending of an audio file, however that is written."""
    stem, dot, ending = name.rpartition(".")
    return stem if f"{dot}{ending}".lower() in ENDINGS else name


def _audio_files(folder: Path) -> Iterator[Path]:
    """Audio files at any depth, links followed; hidden ones are what other systems leave beside a file."""
    seen: set[str] = set()
    for directory, below, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(directory)
        below[:] = [name for name in below if not name.startswith((".", "__MACOSX"))]
        if real in seen:  # a link that leads back
            below.clear()
            continue
        seen.add(real)
        for name in names:
            if not name.startswith(".") and name.lower().endswith(ENDINGS):
                yield Path(directory, name)


def reader_parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every reader has: ``--corpus`` and ``--out_dir``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="its root, or the directory it lies in")
    parser.add_argument("--out_dir", type=Path, required=True, help="data directory to write")
    return parser


def find_root(corpus: Path, name: str | Sequence[str], expected: Sequence[str]) -> Path:
    """The corpus's root: ``corpus`` itself or ``name`` in it, whichever first holds one of the ``expected``.

    A corpus that is given out under several names has them in ``name``, those to prefer first.

    Raises:
        UserError: none does.
    """
    names = [name] if isinstance(name, str) else name
    for root in (corpus, *(corpus / name for name in names)):
        if any((root / path).exists() for path in expected):
            return root.absolute()
    there = (
        ", ".join(sorted(p.name for p in corpus.iterdir())[:8]) if corpus.is_dir() else "no such directory"
    )
    raise UserError(
        f"{corpus}: expected {' or '.join(expected)} here or under {'/ or '.join(names)}/, found "
        f"{there or 'nothing'}; give the directory that the corpus was unpacked in (--corpus), or fetch it: "
        "run.sh --stage -1 --download true"
    )


class Corpus:
    """The tables of a corpus as they come about.

    Attributes:
        tables: by name, their rows.
        skipped: what was left out.
        notices: what was kept, with a remark.
    """

    def __init__(self) -> None:
        self.tables: Tables = {"wav.scp": {}, "utt2spk": {}}
        self.skipped, self.notices = SkipList(), SkipList()

    def read_lines(self, path: Path, utt: str = "") -> Iterator[tuple[int, str]]:
        """Number and text of each line that isn't empty; BOM and CR are dropped and noted, bad UTF-8 skipped.

        Args:
            path: the file.
            utt: whose file it is; without, a line's first word says of which utterance it is.

        Raises:
            UserError: the file can't be read.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from None
        name = "/".join(path.parts[-2:])
        if data.startswith(BOM):
            self.notices.add(name, "byte-order mark (BOM) dropped", path)
            data = data[len(BOM) :]
        if b"\r" in data:
            count = data.count(b"\r")
            self.notices.add(name, "CR line ends read as LF", f"{count} in {path}")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for number, raw in enumerate(data.split(b"\n"), 1):
            try:
                line = raw.decode("utf-8").strip()
            except UnicodeDecodeError:
                first = raw.replace(b"|", b" ").split()[0].decode("ascii", "replace")
                self.skipped.add(utt or without_ending(first), "line is not UTF-8", f"{path}:{number}")
                continue
            if line:
                yield number, line

    def recordings(self, folder: Path) -> dict[str, Path]:
        """Stem to file of the audio files below ``folder``, at any depth.

        Of two files of one name the one that lies less deep is kept, then the first.

        Raises:
            UserError: there is no such folder.
        """
        if not folder.is_dir():
            raise UserError(f"{folder}: no such directory; expected recordings there")
        found: dict[str, Path] = {}
        for path in sorted(_audio_files(folder), key=lambda path: (len(path.parts), path)):
            if path.stem in found:
                self.skipped.add(
                    path.stem, "second recording of one name", f"{path}: {found[path.stem]} is kept"
                )
            else:
                found[path.stem] = path
        return found

    def put(self, table: str, utt: str, value: str, where: object) -> None:
        """Add a row of an utterance's text; of two with one name the first is kept; empty ones are left out.

        Args:
            table: such as ``text``.
            utt: the utterance.
            value: what is said of it.
            where: file and line, for the list of what was left out.
        """
        rows = self.tables.setdefault(table, {})
        if fault := name_fault(utt):
            self.skipped.add(utt, "name that can't be used", f"{where}: {fault}")
        elif not value.strip():
            self.skipped.add(utt, "line without text", where)
        elif utt in rows:
            self.skipped.add(utt, "duplicate utterance", f"{where}: the first is kept")
        else:
            rows[utt] = " ".join(value.split())

    def put_file(self, table: str, utt: str, path: Path) -> None:
        """Add the lines of an utterance's own file as a row, if there is such a file and it can be read."""
        if path.is_file():
            try:
                lines = [line for _, line in self.read_lines(path, utt)]
            except UserError as error:
                self.skipped.add(utt, "unreadable text", error)
                return
            self.put(table, utt, " ".join(lines), path)

    def add(self, utt: str, recording: Path, speaker: str, part: str = "") -> None:
        """Add a recording with its speaker and, of a corpus that comes divided, part (train, dev, test)."""
        if fault := name_fault(utt):
            self.skipped.add(utt, "name that can't be used", f"{recording}: {fault}")
        elif kept := self.tables["wav.scp"].get(utt):
            self.skipped.add(utt, "second recording of one name", f"{recording}: {kept} is kept")
        else:
            self.tables["wav.scp"][utt], self.tables["utt2spk"][utt] = str(recording), speaker
            if part:
                self.tables.setdefault("utt2part", {})[utt] = part

    def gender(self, speaker: str, word: str, where: object) -> None:
        """Note a speaker's gender; an unknown word is noted, and the speaker is kept without one."""
        if letter := GENDERS.get(word.lower()):
            self.tables.setdefault("spk2gender", {})[speaker] = letter
        else:
            self.notices.add(speaker, "gender unknown", f"{where}: {word!r}")

    def write(self, out_dir: Path) -> None:
        """Write the data directory, with ``skipped.tsv`` and ``notices.tsv``, and say what is in it.

        Raises:
            UserError: no recording has a text.
        """
        recordings = self.tables["wav.scp"].keys()
        texts = {utt for name in ("text", "pinyin", "phones") for utt in self.tables.get(name, {})}
        if not recordings & texts:
            self.skipped.report("left out", "no file, since nothing is left")
            found = [f"{len(keys)} (first: {min(keys, default='none')})" for keys in (recordings, texts)]
            raise UserError(
                f"no utterance has both a recording and a text: recordings {found[0]}, texts {found[1]}"
            )
        write_tables(out_dir, {name: rows for name, rows in self.tables.items() if rows})
        self.skipped.write(out_dir / "skipped.tsv")
        self.notices.write(out_dir / "notices.tsv")
        print(f"{out_dir}: {len(recordings & texts)} utterances with a recording and a text")
