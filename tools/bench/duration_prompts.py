#!/usr/bin/env python3
"""Durations predicted with a prompt of the very utterance, and with one of another utterance of its speaker.

    cd egs/mini/ctap1 && . ./path.sh
    python ../../../tools/bench/duration_prompts.py --model exp/duration/model \\
        --dump dump/dev dump/target_SSB7009_test dump/target_SSB7010_test

In use the prompt is another recording than the one whose durations are wanted. A model that was trained on
the prompt of the very utterance may lean on what that tells of its rate. Printed for each model and prompt,
over all utterances of the dump directories: mean absolute error of a phone in frames, correlation of
log(1 + frames) over phones, standard deviation of the log ratio of predicted to true length of an utterance,
and its mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ctap.data.batching import BatchRequest
from ctap.data.dataset import CTAPDataset, FeatureSet
from ctap.errors import cli
from ctap.models.model_dir import Parts


@torch.inference_mode()
def predicted(
    parts: Parts, folder: Path, prompt: str, source: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """True and predicted frames [L] of every utterance of a dump directory."""
    features = FeatureSet(folder, parts.tokens)
    frames = parts.ctap.config.prompt_encoder.frames
    data = CTAPDataset(features, max_frames=None, prompt_frames=frames, prompt=prompt, seed=0)
    model = parts.require("duration")
    for index in range(len(features)):
        batch = data[BatchRequest((index,), None)]
        mask = batch.phone_mask
        condition = parts.ctap.duration_condition(batch.tokens, mask, batch.prompt)
        if source == "diffusion":
            z = model.sample(condition, mask, torch.Generator().manual_seed(index))
        else:
            z = model.predictor(condition, mask)
        yield batch.durations[0].numpy(), model.to_frames(z, mask)[0].numpy()


@cli
def main() -> None:
    """Print a row for each model, prompt and duration model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="model directories")
    parser.add_argument("--dump", type=Path, nargs="+", required=True, help="dump directories with durations")
    options = parser.parse_args()
    print("| model | prompt | durations | n | error, frames | correlation | spread of length | bias |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in options.model:
        parts = Parts.load(path)
        for prompt in ("utterance", "speaker"):
            for source in ("deterministic", "diffusion"):
                pairs = [p for folder in options.dump for p in predicted(parts, folder, prompt, source)]
                true, found = (np.concatenate(side) for side in zip(*pairs, strict=True))
                ratio = np.array([np.log(f.sum() / t.sum()) for t, f in pairs])
                correlation = np.corrcoef(np.log1p(true), np.log1p(found))[0, 1]
                error = np.abs(true - found).mean()
                print(
                    f"| {path.parent.name} | {prompt} | {source} | {len(pairs)} | {error:.2f} "
                    f"| {correlation:.3f} | {ratio.std():.3f} | {ratio.mean():+.3f} |"
                )


if __name__ == "__main__":
    main()
