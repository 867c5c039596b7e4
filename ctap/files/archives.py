"""Archives of published corpora: fetched, going on where an earlier attempt stopped; checked; unpacked."""

from __future__ import annotations

import http.client
import lzma
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

from tqdm import tqdm

from ctap.errors import UserError, explain, refusal
from ctap.files.atomic import atomic_dir
from ctap.files.sums import digest_of

DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
"""What unpacking raises; a RuntimeError of what is encrypted."""
BLOCK = 1 << 20
KINDS = {32: "md5", 64: "sha256"}
"""Digits of a checksum, and what it is."""


def fetch(url: str, archive: Path, size: int | None = None) -> None:
    """Download ``url`` to ``archive``; its bytes are in ``archive.part`` until all are there.

    Args:
        url: where it is.
        archive: file to write.
        size: its bytes, if they are known; else what the server says is believed.

    Raises:
        UserError: the connection fails or breaks, the disk is too full, or the size isn't ``size``.
    """
    if archive.is_file() and size in (None, archive.stat().st_size):
        print(f"{archive}: is there already")
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(archive.name + ".part")
    if size is None or _size(partial) < size:
        try:
            size = _download(url, partial, size)
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            if _is_whole(error, partial):
                partial.rename(archive)
                return
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                raise UserError(
                    f"{url}: {error}: {partial} is longer than what is there; remove it and run again"
                ) from None
            if isinstance(error, ValueError):  # of urllib, which knows no such address
                raise UserError(f"{url}: {error}; expected an address such as https://...") from None
            if found := refusal(error):
                raise UserError(f"{explain(found, partial)}; it goes on from byte {_size(partial)}") from None
            raise UserError(f"{url}: {error}; run again to go on from byte {_size(partial)}") from None
    if size is not None and _size(partial) != size:
        more = "run again to go on" if _size(partial) < size else f"remove {partial} and run again"
        raise UserError(f"{partial}: {_size(partial)} bytes, expected {size}; {more} (or give --size)")
    partial.rename(archive)


def _is_whole(error: Exception, partial: Path) -> bool:
    """Whether the server has nothing after what is there: the download was stopped after its last byte."""
    if not isinstance(error, urllib.error.HTTPError) or error.code != 416:
        return False
    return error.headers.get("Content-Range", "").strip() == f"bytes */{_size(partial)}"


def _download(url: str, partial: Path, size: int | None) -> int | None:
    """Append what is lacking; the size, if it was known or the server says it."""
    start = _size(partial)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        # A server that knows no ranges sends everything from the beginning.
        start = start if answer.status == 206 else 0
        if size is None and (length := answer.headers.get("Content-Length")):
            size = start + int(length)
        free = shutil.disk_usage(partial.parent).free
        if size is not None and free < size - start:
            raise UserError(f"{partial.parent}: {free} bytes are free, the archive needs {size - start} more")
        with (
            partial.open("ab" if start else "wb") as file,
            tqdm(total=size, initial=start, unit="B", unit_scale=True, desc=partial.stem) as bar,
        ):
            while block := answer.read(BLOCK):
                file.write(block)
                bar.update(len(block))
    return size


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def check(archive: Path, checksum: str) -> None:
    """Compare the archive with a checksum (MD5 or SHA-256), of which the length tells the kind.

    Raises:
        UserError: they differ, or it is no checksum.
    """
    if not checksum:
        print(f"{archive}: size is right; no --checksum was given, so the content is not verified")
        return
    kind = KINDS.get(len(checksum))
    if kind is None:
        raise UserError(f"--checksum {checksum}: expected 32 (MD5) or 64 (SHA-256) hexadecimal digits")
    digest = digest_of(archive, kind)
    if digest != checksum.lower():
        raise UserError(f"{archive}: {kind} is {digest}, expected {checksum}; remove it and run again")
    print(f"{archive}: {kind} is right")


def unpack(archive: Path, target: Path, *, part: str = "", nested: str = "") -> None:
    """Unpack a tar or zip archive into ``target``, which appears when all of it is there.

    An archive may have a single directory at its top, whose content is then taken in its place.

    Args:
        archive: the file.
        target: directory to make.
        part: what of ``target`` the archive brings, where several share it: it is added to what is there,
            this directory last.
        nested: pattern of archives inside, such as ``wav/*.tar.gz``, that are unpacked in their places.

    Raises:
        UserError: the archive is damaged, or holds names that lead out of ``target``; or the disk is full.
    """
    if not hasattr(tarfile, "data_filter"):
        raise UserError(
            "this Python can't unpack archives safely: update it to 3.10.12, 3.11.4, 3.12 or later"
        )
    print(f"unpacking {archive} to {target}")
    opened = archive
    try:
        with atomic_dir(target / f".{part}.new" if part else target) as directory:
            _extract(archive, directory)
            _drop_top(directory, part)
            for opened in sorted(directory.glob(nested)) if nested else []:
                _extract(opened, opened.parent)
                opened.unlink()
    except UserError:  # of the place that it is unpacked to, such as a full disk
        raise
    except DAMAGED as error:
        inside = "" if opened == archive else f" ({opened.name} in it)"
        raise UserError(f"{archive}{inside}: can't be unpacked: {error}; remove it and run again") from None
    if part:
        _add(target / f".{part}.new", target, part)


def _extract(archive: Path, directory: Path) -> None:
    # in this order, for of a zip only the end is looked at, and a tar may end with a zip that is in it
    if not tarfile.is_tarfile(archive) and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(directory)  # which keeps names inside
    else:
        with tarfile.open(archive) as opened:
            opened.extractall(directory, filter="data")
            while opened.fileobj.read(BLOCK):  # to the checksum at its end
                pass


def _drop_top(directory: Path, part: str) -> None:
    """Put the content of a single directory in its place."""
    found = list(directory.iterdir())
    if len(found) == 1 and found[0].is_dir() and found[0].name != part:
        # Out of the way first: what is in it may have its name.
        top = found[0].rename(directory / ".top")
        for item in list(top.iterdir()):
            item.rename(directory / item.name)
        top.rmdir()


def _add(new: Path, target: Path, part: str) -> None:
    """Move what ``target`` lacks there, ``part`` last."""
    if not (new / part).is_dir():
        there = ", ".join(sorted(item.name for item in new.iterdir())[:8])
        shutil.rmtree(new)
        raise UserError(f"{target}: the archive holds no {part}, but {there}")
    for item in sorted(new.iterdir(), key=lambda item: item.name == part):
        if not (target / item.name).exists():
            item.rename(target / item.name)
    shutil.rmtree(new)
