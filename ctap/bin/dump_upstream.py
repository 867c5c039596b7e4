"""Compute a published model's representation of one job's share of a data directory (stage 7).

Job J of N writes feats.J.ark, feats.J.scp, failed.J.tsv, audio.J.json, upstream.J.json and count.J into
--parts_dir; ``ctap.bin.combine_features`` joins the parts, as it does those of ``ctap.bin.dump_features``.
Exit status 3: a package or the model is not there (``ctap.bin.check_upstream`` asks that first).
"""

from __future__ import annotations

from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.bin.dump_features import PartOptions, write_part
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.upstream.registry import make_upstream


def dump_upstream(
    kind: str,
    model: str,
    data_dir: Path,
    parts_dir: Path,
    revision: str = "",
    bandwidth: float | None = None,
    layer: int | None = None,
    kmeans: Path | None = None,
    settings: Path | None = None,
    device: str = "auto",
    job: int = 1,
    num_jobs: int = 1,
    max_seconds: float = 60.0,
    max_failures: float = 0.05,
    compression: int = 3,
) -> None:
    """Compute a published model's representation of one job's share of a data directory.

    It is brought to the toolkit's frame rate; combine_features joins the parts. Exit status 3: a package or
    the model is not there (check_upstream asks that first).

    Args:
        kind: codec, wav2vec2, hubert, hubert_frames or whisper.
        model: Directory, or name on the Hugging Face hub.
        data_dir: Data directory with wav.scp.
        parts_dir: Where the parts of all jobs go.
        revision: Branch, tag or commit of a model name.
        bandwidth: Of codec: kbit/s.
        layer: Of hubert_frames: which layer.
        kmeans: Of hubert: centroids from ctap.bin.train_kmeans.
        settings: JSON or YAML of audio settings, for the frame rate.
        device: cpu, cuda or auto.
        job: This job's number, from 1.
        num_jobs: Jobs that share the recordings.
        max_seconds: Refuse longer recordings.
        max_failures: Fail if more than this share fails.
        compression: Kaldi compression method: 3 (two bytes a value), 5 (one byte), 0 for none.
    """
    if compression not in (0, 3, 5):
        raise UserError(f"--compression {compression}: expected 3, 5 or 0")
    audio = AudioSettings.load(settings)
    upstream = make_upstream(
        kind, model, audio, revision=revision, device=device, bandwidth=bandwidth, layer=layer, kmeans=kmeans
    )
    print(upstream.representation)
    part = PartOptions(data_dir, parts_dir, job, num_jobs, max_seconds, max_failures, compression or None)
    (parts_dir / f"feats.{job}.scp").unlink(missing_ok=True)  # of an earlier run: made by something else
    upstream.representation.save(parts_dir / f"upstream.{job}.json")
    write_part(part, audio, upstream.encode)


main = command(dump_upstream)

if __name__ == "__main__":
    main()
