"""Compute a published model's representation of one job's share of a data directory (stage 7).

Job J of N writes feats.J.ark, feats.J.scp, failed.J.tsv, audio.J.json, upstream.J.json and count.J into
--parts_dir; ``ctap.bin.combine_features`` joins the parts, as it does those of ``ctap.bin.dump_features``.
Exit status 3: a package or the model is not there (``ctap.bin.check_upstream`` asks that first).
"""

from __future__ import annotations

from ctap.audio.settings import AudioSettings
from ctap.bin.dump_features import Dump, write_part
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.jobs import ALONE, Share
from ctap.upstream.registry import Published


def dump_upstream(
    published: Published,
    dump: Dump,
    share: Share = ALONE,
    device: str = "auto",
    compression: int = 3,
) -> None:
    """Compute a published model's representation of one job's share of a data directory.

    It is brought to the toolkit's frame rate; combine_features joins the parts. Exit status 3: a package or
    the model is not there (check_upstream asks that first).

    Args:
        published: The model.
        dump: Which recordings, and where to.
        share: This job's share of the recordings.
        device: cpu, cuda or auto.
        compression: Kaldi compression method: 3 (two bytes a value), 5 (one byte), 0 for none.
    """
    if compression not in (0, 3, 5):
        raise UserError(f"--compression {compression}: expected 3, 5 or 0")
    audio = AudioSettings.load(dump.settings)
    upstream = published.load(audio, device)
    print(upstream.representation)
    stale = dump.parts_dir / f"feats.{share.job}.scp"  # of an earlier run: made by something else
    stale.unlink(missing_ok=True)
    upstream.representation.save(dump.parts_dir / f"upstream.{share.job}.json")
    write_part(dump, share, compression, audio, upstream.encode)


main = command(dump_upstream)

if __name__ == "__main__":
    main()
