"""What a training reads of the tables of a dump directory, as arrays.

Ten million lines of text take minutes to read. Stage 2 therefore writes the arrays beside the tables, in the
directory :data:`FOLDER`, with the digests of the tables that they were made of; trainings map them into
memory, where all processes of a machine share them. The tables remain authoritative: arrays of other
tables, or damaged ones, are not used, and without arrays the tables are read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, write_json
from ctap.files.columns import Names, Ragged, numbered
from ctap.files.joins import sorted_names, values_of
from ctap.files.sums import SUMS, check_sums, digest_of, write_sums
from ctap.kaldi.durations import whole_numbers
from ctap.kaldi.scp import Places

Arrays = dict[str, np.ndarray]
"""By name; see :func:`make_arrays`."""

FOLDER = "columns"
FORMAT = 1
"""Of the arrays: to be raised when they change, so that those of another version are not used."""
TABLES = ("utt2num_frames", "utt2spk", "feats.scp")
LABELS = ("durations", "aligned_phones")
_TEXTS = ("utts", "speakers", "arks")
_NAMES = (*(name + end for name in _TEXTS for end in ("", ".bounds")), "lengths", "speaker", "ark", "offset")
_LABEL_NAMES = ("inventory", "inventory.bounds", "durations", "phones", "labels.bounds")


def read_arrays(dump: Path, *, labeled: bool) -> Arrays:
    """The arrays of a dump directory: those beside its tables if they are up to date, or newly made ones.

    Args:
        dump: The directory.
        labeled: With phones and durations.

    Raises:
        UserError: As :func:`make_arrays`.
    """
    found = stored_arrays(dump, labeled=labeled)
    if found is None:
        found = {name: array for some in make_arrays(dump, labeled=labeled) for name, array in some.items()}
    return found


def stored_arrays(dump: Path, *, labeled: bool) -> Arrays | None:
    """The arrays beside the tables, mapped into memory; None if there are none that can be used.

    A warning on standard error says why they can't be used.
    """
    folder = dump / FOLDER
    if not folder.is_dir():
        return None
    try:
        _check_stored(dump, folder, labeled)
        names = (*_NAMES, *(_LABEL_NAMES if labeled else ()))
        paths = {name: folder / f"{name}.npy" for name in names}
        # plain arrays: numpy's class for mapped ones is slow to cut
        return {
            name: np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)) for name, path in paths.items()
        }
    except (UserError, OSError, ValueError) as error:
        print(
            f"warning: {error}; reading the tables of {dump} instead, which takes half a minute a million "
            f"utterances. Remove {folder}, or let stage 2 write it again.",
            file=sys.stderr,
        )
        return None


def write_arrays(dump: Path) -> None:
    """Write the arrays of a dump directory beside its tables, whole or not at all, in place of what is there.

    Raises:
        UserError: As :func:`make_arrays`, or they can't be written.
    """
    labeled = all((dump / name).is_file() for name in LABELS)
    # first the digests: if a table changes while it is read, its arrays are not used
    digests = {name: digest_of(dump / name) for name in (*TABLES, *(LABELS if labeled else ()))}
    with atomic_dir(dump / FOLDER) as folder:
        for some in make_arrays(dump, labeled=labeled):
            for name, array in some.items():
                np.save(folder / f"{name}.npy", array, allow_pickle=False)
            del some, array  # or they stay while the next are made
        write_json(folder / "tables.json", {"format": FORMAT, "sha256": digests})
        write_sums(folder)


def make_arrays(dump: Path, *, labeled: bool) -> Iterator[Arrays]:
    """Read the arrays from the tables, some at a time, in the smallest type of integers that holds each.

    Utterances rise. ``lengths`` [N] are their frames; ``speaker`` [N] counts in ``speakers``, ``ark`` [N] in
    ``arks``, and ``offset`` [N] is a matrix's place in its ark. Of labeled dumps, the rows of utterance i are
    ``labels.bounds[i : i + 2]`` of ``durations`` and of ``phones``, which count in ``inventory``. Names are
    UTF-8, one after another, and begin at ``.bounds``.

    Raises:
        UserError: A table is missing or faulty, lacks an utterance of utt2num_frames, or phones, durations
            and frames do not fit each other.
    """
    table = dump / "utt2num_frames"
    utts = sorted_names(table)
    if not len(utts):
        raise UserError(f"{table}: no utterance in it")
    yield _texts("utts", utts)
    lengths = np.fromiter((n for n, *_ in _numbers(utts, table)), np.int64, len(utts))
    yield {"lengths": _small(lengths)}
    speakers, speaker = numbered(name for _, name in column(utts, dump / "utt2spk"))
    yield {**_texts("speakers", Names(speakers, dump / "utt2spk")), "speaker": _small(speaker)}
    del speaker
    scp = dump / "feats.scp"
    places = Places.of(column(utts, scp), scp)
    arks = Names(places.arks, scp)
    yield {**_texts("arks", arks), "ark": _small(places.ark), "offset": _small(places.offset)}
    del places
    if labeled:
        yield from _make_labels(dump, utts, lengths)


def _make_labels(dump: Path, utts: Names, lengths: np.ndarray) -> Iterator[Arrays]:
    spans = Ragged.of(_numbers(utts, dump / "durations"))
    counts, frames = spans.sizes, spans.sums()
    yield {"durations": _small(spans.values)}
    del spans
    inventory: dict[str, int] = {}
    phones = Ragged.of(
        [inventory.setdefault(phone, len(inventory)) for phone in value.split()]
        for _, value in column(utts, dump / "aligned_phones")
    )
    wrong = np.flatnonzero((phones.sizes != counts) | (frames != lengths))
    if len(wrong):
        at = int(wrong[0])
        raise UserError(
            f"{dump}/durations: {utts[at]}: {counts[at]} durations summing to {frames[at]} frames for "
            f"{phones.sizes[at]} phones and {lengths[at]} frames; run stages 1-2 again"
        )
    yield {"phones": _small(phones.values), "labels.bounds": _small(phones.bounds)}
    yield _texts("inventory", Names(inventory, dump / "aligned_phones"))


def column(utts: Names, table: Path) -> Iterator[tuple[str, str]]:
    """Utterances in order with what a table says of each.

    Raises:
        UserError: It says nothing of one.
    """
    for utt, value in values_of(utts, table):
        if value is None:
            raise UserError(f"{table}: {utt} of utt2num_frames is missing; run stages 1-2")
        yield utt, value


def _numbers(utts: Names, table: Path) -> Iterator[list[int]]:
    """Of each utterance, the whole numbers that a table says."""
    for utt, value in column(utts, table):
        try:
            yield whole_numbers(value)
        except UserError as error:
            raise UserError(f"{table}: {utt}: {error}") from None


def _texts(name: str, names: Names) -> Arrays:
    return {name: names.text, f"{name}.bounds": _small(names.bounds)}


def _small(values: object) -> np.ndarray:
    """Whole numbers in the smallest type that holds them."""
    found = np.asarray(values)
    if not found.size or found.min() < 0:
        return found
    return found.astype(np.min_scalar_type(int(found.max())), copy=False)


def _check_stored(dump: Path, folder: Path, labeled: bool) -> None:
    """Refuse arrays that are damaged, or of other tables than those of ``dump``."""
    if not (folder / SUMS).is_file():
        raise UserError(f"{folder}: holds no {SUMS}")
    check_sums(folder)
    told = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise UserError(f"{folder}: is of another version")
    for name in (*TABLES, *(LABELS if labeled else ())):
        if told["sha256"].get(name) != digest_of(dump / name):
            raise UserError(f"{folder}: was not made of {name} as it is now")
