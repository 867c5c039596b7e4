#!/usr/bin/env python3
"""Fetch a corpus archive, going on where an earlier attempt stopped, check it, and unpack it.

Defaults are those of AISHELL-3. The size of its archive is known and always checked; a checksum (MD5 or
SHA-256) is not known to us, so the content is verified only against one that you give.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from tqdm import tqdm

from ctap.errors import UserError, cli, explain, refusal
from ctap.files.atomic import atomic_dir

URL = "https://www.openslr.org/resources/93/data_aishell3.tgz"
SIZE = 19_057_141_777
BLOCK = 1 << 20


@cli
def main(argv: list[str] | None = None) -> None:
    """Download, check, unpack."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out_dir", type=Path, required=True, help="the archive's content is put into OUT_DIR/NAME")
    add("--name", default="data_aishell3", help="default: data_aishell3")
    add("--url", default=URL, help=f"default: {URL}")
    add("--size", type=int, default=SIZE, help=f"bytes of the archive (default: {SIZE})")
    add(
        "--checksum",
        default="",
        help="MD5 or SHA-256 of the archive in hexadecimal; empty: only the size is checked",
    )
    add("--keep_archive", choices=("true", "false"), default="true", help="default: true")
    options = parser.parse_args(argv)
    target = options.out_dir / options.name
    if target.is_dir():
        print(f"{target}: is there already, nothing to download")
        return
    archive = options.out_dir / Path(options.url).name
    fetch(options.url, archive, options.size)
    check(archive, options.checksum)
    unpack(archive, target)
    if options.keep_archive == "false":
        archive.unlink()


def fetch(url: str, archive: Path, size: int) -> None:
    """Download ``url`` to ``archive``; its bytes are in ``archive.part`` until all are there.

    Raises:
        UserError: the connection fails or breaks, the disk is too full, or the size isn't ``size``.
    """
    if archive.is_file() and archive.stat().st_size == size:
        print(f"{archive}: is there already")
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(archive.name + ".part")
    start = partial.stat().st_size if partial.exists() else 0
    free = shutil.disk_usage(archive.parent).free
    if free < size - start:
        raise UserError(f"{archive.parent}: {free} bytes are free, the archive needs {size - start} more")
    if start < size:
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                # A server that knows no ranges sends everything from the beginning.
                start = start if answer.status == 206 else 0
                with (
                    partial.open("ab" if start else "wb") as file,
                    tqdm(total=size, initial=start, unit="B", unit_scale=True, desc=archive.name) as bar,
                ):
                    while block := answer.read(BLOCK):
                        file.write(block)
                        bar.update(len(block))
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            if found := refusal(error):
                raise UserError(f"{explain(found, partial)}; it goes on from byte {_size(partial)}") from None
            raise UserError(f"{url}: {error}; run again to go on from byte {_size(partial)}") from None
    if _size(partial) != size:
        more = "run again to go on" if _size(partial) < size else f"remove {partial} and run again"
        raise UserError(f"{partial}: {_size(partial)} bytes, expected {size}; {more} (or give --size)")
    partial.rename(archive)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def check(archive: Path, checksum: str) -> None:
    """Compare the archive with a checksum, of which the length tells the kind.

    Raises:
        UserError: they differ, or it is no checksum.
    """
    if not checksum:
        print(f"{archive}: size is right; no --checksum was given, so the content is not verified")
        return
    kind = {32: "md5", 64: "sha256"}.get(len(checksum))
    if kind is None:
        raise UserError(f"--checksum {checksum}: expected 32 (MD5) or 64 (SHA-256) hexadecimal digits")
    digest = hashlib.new(kind)
    with archive.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != checksum.lower():
        raise UserError(
            f"{archive}: {kind} is {digest.hexdigest()}, expected {checksum}; remove it and run again"
        )
    print(f"{archive}: {kind} is right")


def unpack(archive: Path, target: Path) -> None:
    """Unpack into ``target``, which appears when all of it is there.

    Raises:
        UserError: the archive is damaged, or holds names that lead out of ``target``.
    """
    if not hasattr(tarfile, "data_filter"):
        raise UserError(
            "this Python can't unpack archives safely: update it to 3.10.12, 3.11.4, 3.12 or later"
        )
    print(f"unpacking {archive} to {target}")
    try:
        with atomic_dir(target) as directory, tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
            # The archive may or may not have its own top directory: the result has not.
            inner = directory / target.name
            if inner.is_dir() and len(list(directory.iterdir())) == 1:
                for item in list(inner.iterdir()):
                    item.rename(directory / item.name)
                inner.rmdir()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise UserError(f"{archive}: can't be unpacked: {error}; remove it and run again") from None


if __name__ == "__main__":
    main()
