"""Train the k-means centroids that stand for a layer of HuBERT, on frames sampled from a data directory."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.kaldi.datadir import DataDir
from ctap.ranges import POSITIVE, require
from ctap.upstream import kmeans
from ctap.upstream.registry import make_upstream
from ctap.upstream.sampling import sample_frames


def train_kmeans(
    model: str,
    data_dir: Path,
    out: Path,
    layer: int = 9,
    clusters: int = 500,
    max_frames: int = 200_000,
    frames_per_utt: int = 100,
    seed: int = 777,
    revision: str = "",
    settings: Path | None = None,
    max_seconds: float = 60.0,
    device: str = "auto",
) -> None:
    """Train the k-means centroids that stand for a layer of HuBERT.

    Args:
        model: Directory, or name on the Hugging Face hub.
        data_dir: Data directory with wav.scp, of training speech.
        out: File to write (.npz).
        layer: Which layer's output, from 1.
        clusters: Centroids.
        max_frames: Frames to sample in all; as float32 they have to fit into memory.
        frames_per_utt: Frames to sample from an utterance at most.
        seed: Of the sample and of the clustering.
        revision: Branch, tag or commit of a model name.
        settings: JSON or YAML of audio settings.
        max_seconds: Leave longer recordings out.
        device: cpu, cuda or auto.
    """
    require("--clusters", clusters, POSITIVE)
    require("--max_frames", max_frames, POSITIVE)
    require("--frames_per_utt", frames_per_utt, POSITIVE)
    set_up_logging()
    audio = AudioSettings.load(settings)
    upstream = make_upstream("hubert_frames", model, audio, revision=revision, device=device, layer=layer)
    frames, read, failed = sample_frames(
        upstream, DataDir(data_dir).wav_scp, max_frames, frames_per_utt, seed, max_seconds
    )
    found, loss = kmeans.train_kmeans(frames, clusters, seed=seed)
    found.made = {
        **upstream.space,
        "model": model,
        "frames": len(frames),
        "utterances": read,
        "seed": seed,
        "unexplained": loss,
    }
    found.save(out)
    print(
        f"{out}: {clusters} centroids of layer {layer}, from {len(frames)} frames of {read} utterances "
        f"({failed} could not be read); {loss:.1%} of the variance is lost"
    )


main = command(train_kmeans)

if __name__ == "__main__":
    main()
