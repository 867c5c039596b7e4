"""A model as ONNX files that need neither torch nor this toolkit (docs/export.md)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctap.audio.logmel import mel_filters
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir
from ctap.models.inference import Model
from ctap.models.onnx_graphs import Graph, graphs
from ctap.models.onnx_vocoder import onnx_session
from ctap.models.vocoder import NeuralVocoder
from ctap.text.languages import language_of

PARTS = ("speech_encoder", "prompt_encoder", "phoneme_encoder", "decoder")
PARTS += ("durations", "recognizer", "pitch", "vocoder")
OWN = (*(f"{name}.onnx" for name in PARTS), "audio.npz", "manifest.json")
OPSET = 17
TRACED = 23  # frames or phones of the utterance that a graph is traced with
LENGTHS = (1, 7, 333)
TOLERANCE = 1e-4


def export(model: Model, out: str | Path) -> list[str]:
    """Write ``<part>.onnx`` for every part, ``audio.npz`` and ``manifest.json``, whole or not at all.

    Returns:
        The names of the parts.

    Raises:
        UserError: The model is on a GPU, a part can't be expressed in ONNX, or ``out`` holds something else.
    """
    if model.device.type != "cpu":
        raise UserError("a model is exported from the processor: load it with device cpu")
    found = graphs(model)
    with atomic_dir(out, own=OWN) as folder:
        for name, graph in found.items():
            export_graph(graph, folder / f"{name}.onnx", name)
        np.savez(folder / "audio.npz", filters=mel_filters(model.parts.audio).numpy())
        text = json.dumps(_manifest(model, found), ensure_ascii=False, indent=1)
        (folder / "manifest.json").write_text(text, encoding="utf-8")
    return list(found)


def export_graph(graph: Graph, path: Path, name: str) -> None:
    """Write one part.

    Raises:
        UserError: It can't be expressed in ONNX, as a module of the user's own may not.
    """
    torch.manual_seed(0)
    given = tuple(graph.draw(TRACED).values())
    axes = {k: {1: axis} for k, axis in {**graph.inputs, **graph.outputs}.items() if axis}
    module = graph.module.eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lengths taken for constants: checked at other lengths below
        module(*given)  # what is made once and kept is not to be part of the graph
        try:
            torch.onnx.export(
                module,
                given,
                str(path),
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_axes=axes,
                opset_version=OPSET,
                dynamo=False,  # the other exporter takes minutes for what this does in seconds
            )
        except Exception as error:  # torch raises many kinds
            reason = str(error).strip().splitlines()[0]
            raise UserError(f"{name}: can't be expressed in ONNX: {reason}") from error


def check(model: Model, out: str | Path, lengths: tuple[int, ...] = LENGTHS) -> dict[str, float]:
    """The largest difference of each part's outputs from PyTorch's, on random utterances of ``lengths``.

    Differences are absolute, and relative of values above 1. Whole frames may differ by one: the end of a
    phone that falls between two frames is rounded either way.

    Raises:
        UserError: onnxruntime is not installed, or a part differs by more than :data:`TOLERANCE`.
    """
    worst = {}
    for name, graph in graphs(model).items():
        session = onnx_session(Path(out) / f"{name}.onnx", torch.device("cpu"))
        worst[name] = 0.0
        for size in lengths:
            torch.manual_seed(size)
            given = graph.draw(size)
            with torch.no_grad():
                expected = graph.module.eval()(*given.values())
            expected = (expected,) if isinstance(expected, Tensor) else expected
            found = session.run(None, {k: v.numpy() for k, v in given.items()})
            apart = max(map(_apart, found, expected))
            if not apart <= TOLERANCE:
                raise UserError(f"{name}: differs from PyTorch by {apart:.2g} at length {size}")
            worst[name] = max(worst[name], apart)
    return worst


def _apart(found: np.ndarray, expected: Tensor) -> float:
    wanted = expected.numpy()
    if found.shape != wanted.shape:
        return float("inf")
    apart = np.abs(found - wanted)
    apart = np.maximum(apart - 1, 0) if wanted.dtype.kind == "i" else apart / np.maximum(1, np.abs(wanted))
    return float(np.max(apart, initial=0.0))


def _manifest(model: Model, found: dict[str, Graph]) -> dict[str, object]:
    parts = model.parts
    described: dict[str, object] = {
        "audio": parts.audio.as_dict(),
        "prompt_frames": parts.ctap.config.prompt_encoder.frames,
        "trained": vars(parts.trained),
        "tokens": list(parts.tokens.tokens),
        "pinyin": language_of(parts.text).spellings(),
        "graphs": {
            name: {"inputs": list(graph.inputs), "outputs": list(graph.outputs), "says": graph.says}
            for name, graph in found.items()
        },
    }
    if isinstance(model.vocoder, NeuralVocoder):
        described["vocoder_margin"] = model.vocoder.margin
    return described
