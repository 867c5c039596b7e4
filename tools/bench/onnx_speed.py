#!/usr/bin/env python3
"""Exported models: real-time factor of every part under onnxruntime beside PyTorch, in one run.

    python tools/bench/onnx_speed.py --config egs/TEMPLATE/ctap1/conf/ctap.yaml --threads 1

Weights are random, which does not change how long anything takes; the vocoder is the one that comes with the
toolkit. Both libraries get the same inputs and threads, turn by turn; medians. The real-time factor is the
seconds of work for a second of speech. Pitch and vocoder under PyTorch are the toolkit's streaming vocoder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from synthesis import build

from ctap.errors import cli
from ctap.models.inference import Model
from ctap.models.onnx_export import export
from ctap.models.onnx_graphs import graphs
from ctap.models.onnx_vocoder import onnx_session

SPEECH = ("durations", "phoneme_encoder", "decoder", "pitch", "vocoder")  # what a sentence goes through
PHONE_FRAMES = 10


def in_turn(runs: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median seconds of each of ``runs``, which take turns; the first of each is not counted."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats + 1):
        for run, own in zip(runs, times, strict=True):
            started = time.perf_counter()
            run()
            own.append(time.perf_counter() - started)
    return [statistics.median(own[1:]) for own in times]


def measure(model: Model, folder: Path, frames: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of every part, PyTorch's and onnxruntime's, for an utterance of ``frames``."""
    found = {}
    for name, graph in graphs(model).items():
        session = onnx_session(folder / f"{name}.onnx", torch.device("cpu"))
        given = graph.draw(frames // PHONE_FRAMES if name == "durations" else frames)
        arrays = {k: v.numpy() for k, v in given.items()}

        def by_torch(name: str = name, graph=graph, given: dict = given) -> None:
            with torch.inference_mode():
                model.vocoder(given["mel"][0]) if name == "vocoder" else graph.module(*given.values())

        found[name] = in_turn([by_torch, lambda s=session, a=arrays: s.run(None, a)], repeats)
    found["pitch"][0] = 0.0  # the vocoder's own
    return found


@cli
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path("egs/TEMPLATE/ctap1/conf/ctap.yaml"))
    parser.add_argument("--duration", type=Path, default=Path("egs/TEMPLATE/ctap1/conf/duration.yaml"))
    parser.add_argument("--frames", type=int, default=500, help="of the utterance, 10 ms each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = build(options.config, options.duration, "cpu")
    seconds = options.frames * model.parts.audio.frame_shift
    with tempfile.TemporaryDirectory() as folder:
        export(model, Path(folder) / "onnx")
        found = measure(model, Path(folder) / "onnx", options.frames, options.repeats)
    found["speech, all parts"] = [sum(found[part][i] for part in SPEECH) for i in (0, 1)]
    print(
        f"{seconds:g} s of speech, {options.threads} thread(s), real-time factor, median of {options.repeats}"
    )
    print(f"{'part':20} {'PyTorch':>9} {'onnxruntime':>12}")
    for name, (ours, theirs) in found.items():
        shown = f"{ours / seconds:9.4f}" if ours else f"{'(below)':>9}"
        print(f"{name:20} {shown} {theirs / seconds:12.4f}")


if __name__ == "__main__":
    main()
