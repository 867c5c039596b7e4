"""Pictures of a training while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from matplotlib.figure import Figure
from matplotlib.image import imread

from ctap.audio.wave import save_wave
from ctap.report.plots import plot_alignment, plot_mels, plot_similarity, save_figure


class Pictures(Callback):
    """Draws what ``validation_step`` gives: ``similarity``, ``phones``, ``durations``, ``mels``.

    Pictures go to ``images`` of the experiment, and to the logger if it takes any; ``sounds`` to ``samples``.
    """

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, *_: Any, **__: Any
    ) -> None:
        if not isinstance(outputs, dict):
            return
        if "sounds" in outputs:
            _show(trainer, "mels", plot_mels(outputs["mels"], hop=outputs["hop"]))
            for name, wave in outputs["sounds"].items():
                _let_hear(trainer, name, wave, outputs["sample_rate"])
        if "similarity" not in outputs:
            return
        spans, hop = (outputs["phones"], outputs["durations"]), outputs["hop"]
        _show(trainer, "similarity", plot_similarity(outputs["similarity"], *spans, hop=hop))
        _show(trainer, "alignment", plot_alignment(outputs["mels"]["target"], *spans, hop=hop))
        if len(outputs["mels"]) > 1:
            _show(trainer, "mels", plot_mels(outputs["mels"], *spans, hop=hop))


def _show(trainer: lightning.Trainer, name: str, figure: Figure) -> None:
    path = save_figure(figure, f"{trainer.default_root_dir}/images/{name}.png")
    if isinstance(trainer.logger, TensorBoardLogger):
        pixels = imread(path)[..., :3]  # add_figure would draw it anew
        trainer.logger.experiment.add_image(name, pixels, trainer.global_step, dataformats="HWC")
    elif isinstance(trainer.logger, WandbLogger):
        trainer.logger.log_image(name, [str(path)], step=trainer.global_step)


def _let_hear(trainer: lightning.Trainer, name: str, wave: Any, sample_rate: int) -> None:
    folder = Path(trainer.default_root_dir) / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    samples = wave.clamp(-1, 1).float().cpu().numpy()
    save_wave(folder / f"{name}.wav", samples, sample_rate)
    if isinstance(trainer.logger, TensorBoardLogger):
        trainer.logger.experiment.add_audio(name, samples, trainer.global_step, sample_rate)
