"""Say whether a published model can be had, and what it gives; exit status 3 if it is not there.

A recipe asks this before it dumps a system's features, and leaves the system out on status 3. A model given
by name is in the hub's cache afterwards, so that jobs running side by side do not all fetch it.
"""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.upstream.registry import make_upstream


def check_upstream(
    kind: str,
    model: str,
    revision: str = "",
    bandwidth: float | None = None,
    layer: int | None = None,
    kmeans: Path | None = None,
) -> None:
    """Check that a published model is there, and print its dimension, frame rate and bits per second.

    Exit status 3 if it is not there: a recipe then leaves the system out.

    Args:
        kind: codec, wav2vec2, hubert, hubert_frames or whisper.
        model: Directory, or name on the Hugging Face hub.
        revision: Branch, tag or commit of a model name.
        bandwidth: Of codec: kbit/s.
        layer: Of hubert_frames: which layer.
        kmeans: Of hubert: centroids from ctap.bin.train_kmeans.
    """
    upstream = make_upstream(kind, model, revision=revision, bandwidth=bandwidth, layer=layer, kmeans=kmeans)
    print(upstream.representation)


main = command(check_upstream)

if __name__ == "__main__":
    main()
