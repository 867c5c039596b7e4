"""Train the k-means centroids that stand for a layer of HuBERT, on frames sampled from a data directory."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError, load_wave
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.kaldi.datadir import DataDir
from ctap.upstream.base import Upstream
from ctap.upstream.kmeans import train_kmeans
from ctap.upstream.registry import make_upstream


def sample_frames(
    upstream: Upstream,
    waves: dict[str, str],
    most: int,
    per_utterance: int,
    seed: int,
    max_seconds: float | None = None,
) -> tuple[np.ndarray, int, int]:
    """Frames at random from utterances in random order, until there are enough.

    Args:
        upstream: What makes the frames.
        waves: Utterance to audio file.
        most: Frames to take in all.
        per_utterance: Frames to take from one utterance at most: many utterances say more than many frames.
        seed: Decides both orders; each utterance's frames depend on its name and the seed alone.
        max_seconds: Leave longer recordings out.

    Returns:
        Frames ``[n, D]``, utterances read, utterances that could not be read (each is named in the log).

    Raises:
        UserError: No frame was found.
    """
    order = sorted(waves)
    random.Random(seed).shuffle(order)
    taken: list[np.ndarray] = []
    count = read = failed = 0
    for utt in tqdm(order, desc="frames", unit="utt", mininterval=2.0):
        if count >= most:
            break
        try:
            wave = load_wave(waves[utt], upstream.settings.sample_rate, max_seconds=max_seconds)
        except AudioError as error:
            logging.warning("%s: left out: %s", utt, error)
            failed += 1
            continue
        frames = upstream.frames(wave).numpy()
        chosen = pick(range(len(frames)), min(per_utterance, most - count), f"{seed} {utt}")
        taken.append(frames[chosen])
        count, read = count + len(chosen), read + 1
    if not taken:
        raise UserError(f"none of {len(order)} recordings could be read")
    return np.concatenate(taken), read, failed


def pick(items: Iterable[int], most: int, seed: str) -> list[int]:
    """At most so many of the items, at random, in their order."""
    items = list(items)
    return sorted(random.Random(seed).sample(items, min(most, len(items))))


def run(
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
    for name, value in {
        "clusters": clusters,
        "max_frames": max_frames,
        "frames_per_utt": frames_per_utt,
    }.items():
        if value < 1:
            raise UserError(f"--{name} {value}: expected at least 1")
    set_up_logging()
    audio = AudioSettings.load(settings)
    upstream = make_upstream("hubert_frames", model, audio, revision=revision, device=device, layer=layer)
    frames, read, failed = sample_frames(
        upstream, DataDir(data_dir).wav_scp, max_frames, frames_per_utt, seed, max_seconds
    )
    found, loss = train_kmeans(frames, clusters, seed=seed)
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


main = command(run)

if __name__ == "__main__":
    main()
