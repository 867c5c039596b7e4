"""A vocoder from elsewhere: a generator such as HiFi-GAN's (Kong, Kim and Bae 2020), exported to ONNX.

Its directory holds ``generator.onnx``, ``audio.json`` (the mel settings that it was trained with) and
``model.yaml`` (how it is called). An ONNX file is a graph of known operators: unlike a pickled checkpoint or
TorchScript it can't bring code of its own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ctap.audio.logmel import check_mel
from ctap.audio.settings import AudioSettings
from ctap.config import save_yaml, to_dict
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir
from ctap.files.sums import SUMS, write_sums
from ctap.models.model_dir import FORMAT

GRAPH = "generator.onnx"
TRIED = 16  # frames of the mel that a generator is tried with


@dataclass
class OnnxConfig:
    """How a generator is called.

    Args:
        layout: Its input is ``channels_first``, log-mel ``[1, M, T]``, or ``frames_first``, ``[1, T, M]``.
        delay: Samples from the first that it gives to the centre of the first frame; half a hop if left out,
            as for HiFi-GAN, whose frames begin with a hop and are not centred on its edge.
    """

    layout: Literal["channels_first", "frames_first"] = "channels_first"
    delay: int | None = None


class OnnxVocoder:
    """Natural-log mel ``[T, M]`` to samples by a graph, at the same times as the toolkit's own vocoders.

    Args:
        graph: ONNX file with one input, the log-mel, and the samples as its first output.
        config: How it is called.
        settings: Mel settings.
        device: ``cuda`` computes there if onnxruntime can, and otherwise on the processor.

    Raises:
        UserError: onnxruntime is not installed, or the graph can't be read, or makes no waveform of a mel.
    """

    def __init__(
        self, graph: Path, config: OnnxConfig, settings: AudioSettings, device: str | torch.device = "cpu"
    ) -> None:
        self.graph, self.config, self.settings = graph, config, settings
        self.delay = settings.hop_length // 2 if config.delay is None else config.delay
        if self.delay < 0:
            raise UserError(f"{graph}: delay {self.delay}: expected 0 or more samples")
        self.session = onnx_session(graph, torch.device(device))
        inputs = self.session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(i.name for i in inputs)
            raise UserError(f"{graph}: expected one input, the log-mel, found {len(inputs)}: {names}")
        self.input = inputs[0].name
        self(torch.full((TRIED, settings.n_mels), float(np.log(settings.log_floor))))

    def __call__(self, mel: Tensor) -> np.ndarray:
        """Samples ``[(T - 1) * hop_length]``, float32, in -1..1; ``hop_length - 1`` of one frame.

        Raises:
            ValueError: The mel is not ``[T, n_mels]`` with at least one frame, or not finite.
            UserError: The graph does not give a waveform of that length.
        """
        check_mel(mel, self.settings)
        if len(mel) == 1:
            return self(mel.expand(2, -1))[: self.settings.hop_length - 1]
        given = mel.detach().cpu().float().numpy()[None]
        if self.config.layout == "channels_first":
            given = np.ascontiguousarray(given.transpose(0, 2, 1))
        try:
            said = self.session.run(None, {self.input: given})[0]
        except Exception as error:  # onnxruntime's own classes derive from Exception alone
            reason = str(error).splitlines()[0]
            raise UserError(
                f"{self.graph}: can't be run on a mel {list(given.shape)} ({self.config.layout}): {reason}"
            ) from None
        wave = np.asarray(said, dtype=np.float32).reshape(-1)
        hop = self.settings.hop_length
        wanted = (len(mel) - 1) * hop
        least, most = self.delay + wanted, self.delay + wanted + 2 * hop
        if not least <= len(wave) <= most:
            raise UserError(
                f"{self.graph}: {len(wave)} samples of {len(mel)} frames, expected {least} to {most} "
                f"(hop_length {hop}, delay {self.delay})"
            )
        return np.clip(wave[self.delay : self.delay + wanted], -1, 1)

    def save(self, path: str | Path) -> None:
        """Write a vocoder's directory, whole or not at all.

        Raises:
            UserError: Something else is there, or the graph has its weights in another file.
        """
        path = Path(path)
        if (path / "model.yaml").exists() and not (path / GRAPH).exists():
            raise UserError(f"{path}: holds another model, which would be removed: name another directory")
        with atomic_dir(path, own=("model.yaml", "audio.json", GRAPH, SUMS)) as folder:
            save_yaml({"format": FORMAT, "parts": {"onnx": to_dict(self.config)}}, folder / "model.yaml")
            self.settings.save(folder / "audio.json")
            shutil.copyfile(self.graph, folder / GRAPH)
            try:
                onnx_session(folder / GRAPH, torch.device("cpu"))
            except UserError as error:
                raise UserError(
                    f"{self.graph}: can't be read where it lies alone, its weights being in a file of their "
                    f"own? Export it in one file, with dynamo=False or external_data=False ({error})"
                ) from None
            write_sums(folder)


def onnx_session(graph: Path, device: torch.device) -> Any:
    """What runs the ONNX file ``graph``.

    Raises:
        UserError: onnxruntime is not installed, or the file can't be read.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError(f"{graph}: onnxruntime is needed to run it: pip install 'ctap[onnx]'") from None
    if not graph.is_file():
        raise UserError(f"{graph}: no such file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    wanted: dict[str, dict[str, Any]] = {"CPUExecutionProvider": {}}
    if device.type == "cuda":
        # by default, every convolution is tuned anew for each length of an utterance
        options_there = {"device_id": device.index or 0, "cudnn_conv_algo_search": "HEURISTIC"}
        wanted = {"CUDAExecutionProvider": options_there} | wanted
    there = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(
            str(graph), options, providers=[p for p in wanted.items() if p[0] in there]
        )
    except Exception as error:  # onnxruntime's own classes derive from Exception alone
        raise UserError(f"{graph}: can't be read as ONNX: {str(error).splitlines()[0]}") from None
