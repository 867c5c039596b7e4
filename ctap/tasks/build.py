"""From paths and a configuration to a task with its data: one builder for each training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ctap.audio.settings import AudioSettings
from ctap.data.dataset import FeatureSet
from ctap.errors import UserError
from ctap.nn.ctap import CTAP
from ctap.nn.duration import DurationModel
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.semantic import SemanticConfig, SemanticModel
from ctap.tasks.asr import ASRConfig, ASRTask
from ctap.tasks.base import Task
from ctap.tasks.duration import DurationTask, DurationTaskConfig
from ctap.tasks.finetune import FinetuneConfig, FinetuneTask
from ctap.tasks.model_dir import Parts
from ctap.tasks.pretrain import PretrainConfig, PretrainTask
from ctap.tasks.semantic import SemanticTask, SemanticTaskConfig
from ctap.text.tokens import TokenTable
from ctap.text.units import Units


@dataclass
class Sources:
    """Where a training takes its data and its starting point from.

    Args:
        train_dir: Dump directory to train on.
        dev_dir: Dump directory to validate on; without one the last weights are taken.
        init: Model directory to start from; pretraining may do without.
        duration_init: Model directory to take the duration part from, if not from ``init``.
        units: Sentencepiece model of the CTC head (asr).
    """

    train_dir: Path
    dev_dir: Path | None = None
    init: Path | None = None
    duration_init: Path | None = None
    units: Path | None = None

    def fingerprints(self) -> dict[str, str]:
        """A digest of everything that is read, so that a resumed training is known to be the same one."""
        digests = {}
        for name, folder in (("train_dir", self.train_dir), ("dev_dir", self.dev_dir)):
            if folder is not None:
                tables = ("utt2num_frames", "utt2spk", "aligned_phones", "durations", "feats.scp")
                digests[name] = digest(*(folder / t for t in tables), folder.parent / "stats.json")
        for name, folder in (("init", self.init), ("duration_init", self.duration_init)):
            if folder is not None:
                digests[name] = digest(*sorted(folder.glob("*.pt")), folder / "model.yaml")
        if self.units is not None:
            digests["units"] = digest(self.units)
        return digests


def digest(*paths: Path) -> str:
    """Short SHA-256 of the contents of the files that exist."""
    total = hashlib.sha256()
    for path in paths:
        if path.exists():
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


@dataclass
class Training:
    """A task, what it reads, and how its weights become a model directory."""

    task: Task
    train: FeatureSet
    dev: FeatureSet | None
    parts: Parts
    prompt_frames: int


def read_audio(dump: Path) -> AudioSettings:
    """Mel settings that the features of dump directory ``dump`` were made with."""
    return AudioSettings.load(dump.parent / "audio.json")


def _features(
    sources: Sources,
    tokens: TokenTable,
    *,
    labeled: bool = True,
    units: Callable[[str], list[int]] | None = None,
) -> tuple[FeatureSet, FeatureSet | None]:
    dev = sources.dev_dir
    return (
        FeatureSet(sources.train_dir, tokens, labeled=labeled, units=units),
        None if dev is None else FeatureSet(dev, tokens, labeled=labeled, units=units),
    )


def _start(sources: Sources) -> Parts:
    if sources.init is None:
        raise UserError("--init: this training starts from a model directory, for example exp/ctap/model")
    parts = Parts.load(sources.init)
    parts.require_same_data(
        parts.tokens, read_audio(sources.train_dir), f"{sources.train_dir.parent}/audio.json"
    )
    return parts


def build_pretrain(config: PretrainConfig, sources: Sources) -> Training:
    """Pretraining, from random weights or from ``init``'s."""
    tokens, audio = TokenTable.mandarin(), read_audio(sources.train_dir)
    train, dev = _features(sources, tokens)
    stats = json.loads((sources.train_dir.parent / "stats.json").read_text())
    torch.manual_seed(config.trainer.seed)
    ctap = CTAP(config.model, len(tokens), audio.n_mels, stats["mean"], stats["std"])
    if sources.init is not None:
        start = Parts.load(sources.init)
        start.require_same_data(tokens, audio, f"{sources.train_dir.parent}")
        if start.ctap.config != config.model:
            raise UserError(
                f"{sources.init}: sizes differ: {start.ctap.config} there, {config.model} asked for"
            )
        ctap.load_state_dict(start.ctap.state_dict())
    task = PretrainTask(ctap, config, tokens)
    return Training(task, train, dev, Parts(tokens, audio, ctap), config.model.prompt_encoder.frames)


def build_finetune(config: FinetuneConfig, sources: Sources) -> Training:
    """Decoder and prompt encoder on one speaker."""
    parts = _start(sources)
    train, dev = _features(sources, parts.tokens, labeled=config.reads == "phonemes")
    task = FinetuneTask(parts.ctap, config)
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames)


def build_duration(config: DurationTaskConfig, sources: Sources) -> Training:
    """Duration models, new or from the duration part at hand."""
    parts = _start(sources)
    train, dev = _features(sources, parts.tokens)
    if sources.duration_init is not None:
        parts.duration = Parts.load(sources.duration_init).require("duration")
    if parts.duration is None:
        logs = np.log1p(np.concatenate(train.durations))
        torch.manual_seed(config.trainer.seed)
        parts.duration = DurationModel(
            parts.ctap.config.embed_dim,
            parts.ctap.config.prompt_encoder.dim,
            config.model,
            float(logs.mean()),
            float(logs.std()),
        )
    task = DurationTask(parts.ctap, parts.duration, config)
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames)


def build_asr(config: ASRConfig, sources: Sources) -> Training:
    """Phoneme decoder on frozen speech embeddings."""
    parts = _start(sources)
    parts.units = Units(sources.units) if sources.units else None
    train, dev = _features(sources, parts.tokens, units=parts.units.encode if parts.units else None)
    torch.manual_seed(config.trainer.seed)
    n_units = len(parts.units) if parts.units else 0
    parts.asr = PhonemeDecoder(parts.ctap.config.embed_dim, len(parts.tokens), n_units, config.model)
    parts.asr_config = config.model
    task = ASRTask(parts.ctap, parts.asr, config)
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames)


def build_semantic(config: SemanticTaskConfig, sources: Sources) -> Training:
    """Semantic prediction model, from phonemes to the features of train_dir or to S."""
    parts = _start(sources)
    train, dev = _features(sources, parts.tokens)
    size, stats = train.mels[train.utts[0]].shape[1], {}
    if config.target == "features":
        stats = json.loads((sources.train_dir.parent / "stats.json").read_text())
        if len(stats["mean"]) != size:
            raise UserError(
                f"{sources.train_dir.parent}/stats.json: statistics of {len(stats['mean'])} dimensions, "
                f"{sources.train_dir}/feats.scp holds {size}; dump the features again"
            )
    elif size != parts.audio.n_mels:
        raise UserError(
            f"{sources.train_dir}/feats.scp: {size} dimensions, expected {parts.audio.n_mels} mel bins, of "
            "which target speech makes S; for a representation as it stands give --target features"
        )
    else:
        size = parts.ctap.config.embed_dim
    torch.manual_seed(config.trainer.seed)
    sizes = SemanticConfig(size, config.model)
    parts.semantic = SemanticModel(len(parts.tokens), sizes, stats.get("mean"), stats.get("std"))
    task = SemanticTask(parts.ctap, parts.semantic, config)
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames)


#: Trainings by name: their configuration and their builder.
TRAININGS: dict[str, tuple[type[Any], Callable[[Any, Sources], Training]]] = {
    "pretrain": (PretrainConfig, build_pretrain),
    "finetune": (FinetuneConfig, build_finetune),
    "duration": (DurationTaskConfig, build_duration),
    "asr": (ASRConfig, build_asr),
    "semantic": (SemanticTaskConfig, build_semantic),
}
