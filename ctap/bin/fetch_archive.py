"""Fetch the archive of a corpus, going on where an earlier attempt stopped, check it, and unpack it."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.files.archives import check, fetch, unpack


def fetch_archive(
    out_dir: Path,
    url: str,
    name: str,
    part: str = "",
    size: int = 0,
    checksum: str = "",
    nested: str = "",
    keep_archive: bool = True,
    mirror: str = "",
) -> None:
    """Make OUT_DIR/NAME of an archive, unless it is there already.

    Args:
        out_dir: Where the archive goes and its content is put.
        url: Of the archive: tar, compressed in any way, or zip. Without https://, its place at the mirror.
        name: Of the directory that takes its content.
        part: Directory in it that this archive brings, where a corpus comes in several.
        size: Bytes of the archive, which are then checked; 0: not known.
        checksum: MD5 or SHA-256 of the archive in hexadecimal; empty: only the size is checked.
        nested: Pattern of archives inside that are unpacked as well, such as "wav/*.tar.gz".
        keep_archive: Keep the archive when it is unpacked.
        mirror: Where the places of archives begin; another server may have the same files.
    """
    target = out_dir / name
    if (target / part).is_dir():
        print(f"{target / part}: is there already, nothing to download")
        return
    if mirror and "://" not in url:
        url = f"{mirror.rstrip('/')}/{url}"
    # Archives of several corpora may lie side by side, and call themselves alike.
    archive = out_dir / (f"{name}-{Path(url).name}" if part else Path(url).name)
    fetch(url, archive, size or None)
    check(archive, checksum)
    unpack(archive, target, part=part, nested=nested)
    if not keep_archive:
        archive.unlink()


main = command(fetch_archive)

if __name__ == "__main__":
    main()
