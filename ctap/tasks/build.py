"""From paths and a configuration to a task with its data: one builder for each training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ctap.audio.settings import AudioSettings
from ctap.config import to_dict
from ctap.data.cropping import most_phones
from ctap.data.dataset import DataConfig, FeatureSet
from ctap.data.waves import WaveSet
from ctap.errors import UserError
from ctap.kaldi.ark import MatrixReader
from ctap.kaldi.statistics import read_stats
from ctap.models.judge import JudgeParts
from ctap.models.model_dir import Parts
from ctap.models.vocoder import VocoderParts
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.nn.judge import Judge
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.vocoder import SourceFilter
from ctap.tasks.asr import ASRConfig, ASRTask
from ctap.tasks.base import Task
from ctap.tasks.duration import DurationTask, DurationTaskConfig
from ctap.tasks.finetune import FinetuneConfig, FinetuneTask
from ctap.tasks.judge import JudgeConfig, JudgeTask
from ctap.tasks.pretrain import PretrainConfig, PretrainTask
from ctap.tasks.semantic import SemanticTask, SemanticTaskConfig
from ctap.tasks.sources import Sources
from ctap.tasks.vocoder import VocoderTask, VocoderTaskConfig
from ctap.text.languages import language_in
from ctap.text.rules import RULES_FILE, TextRules, common_rules
from ctap.text.units import Units


@dataclass
class Training:
    """A task, what it reads, and how its weights become a model directory.

    Attributes:
        prompt_frames: Frames of a prompt.
        decided: What the configuration left open, as plain values in its place, for ``config.yaml``.
        spread: Whether the spread that mels lack is measured in the end (:mod:`ctap.tasks.spreading`).
    """

    task: Task
    train: FeatureSet | WaveSet
    dev: FeatureSet | WaveSet | None
    parts: Parts | JudgeParts | VocoderParts
    prompt_frames: int
    decided: dict[str, Any] = field(default_factory=dict)
    spread: bool = False


def read_audio(dump: Path) -> AudioSettings:
    """Mel settings that the features of dump directory ``dump`` were made with."""
    return AudioSettings.load(dump.parent / "audio.json")


def _features(
    sources: Sources,
    parts: Parts,
    *,
    labeled: bool = True,
    units: Callable[[str], list[int]] | None = None,
) -> tuple[FeatureSet, FeatureSet | None]:
    def read(folder: Path) -> FeatureSet:
        given = sources.given_of(folder)
        if labeled:
            whose = str(parts.path or sources.train_dir)
            parts.text.require_same(TextRules.load(folder), f"{folder}/{RULES_FILE}", whose)
        found = FeatureSet(folder, parts.tokens, labeled=labeled, units=units, given=given)
        _require_width(found.mels, found, parts.audio.n_mels)
        if found.given is not None:
            _require_width(found.given, found, parts.ctap.config.embed_dim)
        return found

    return (
        read(sources.train_dir),
        None if sources.dev_dir is None else read(sources.dev_dir),
    )


def _require_width(frames: MatrixReader, of: FeatureSet, dim: int) -> None:
    if (there := frames.shape(of.utts[0])[1]) != dim:
        raise UserError(f"{frames.scp}: frames of {there} dimensions, the model reads {dim}")


def _start(sources: Sources) -> Parts:
    if sources.init is None:
        raise UserError("--init: this training starts from a model directory, for example exp/ctap/model")
    parts = Parts.load(sources.init)
    parts.require_same_data(
        parts.tokens, read_audio(sources.train_dir), f"{sources.train_dir.parent}/audio.json"
    )
    if parts.ctap.config.given != (sources.given is not None):
        raise UserError(
            f"{sources.init}: this model reads another representation: give its dump directory with --given"
            if parts.ctap.config.given
            else f"--given {sources.given}: {sources.init} makes S of mels; leave --given out"
        )
    return parts


def _start_given(sizes: CTAPConfig, sources: Sources, seed: int) -> Parts:
    """A new model that reads the representation of ``sources.given``."""
    if sources.given is None:
        raise UserError("--init: give a model directory, or another representation for a new model (--given)")
    tokens, audio = language_in(sources.train_dir).tokens, read_audio(sources.train_dir)
    stats, given = read_stats(sources.train_dir.parent, audio.n_mels), read_stats(sources.given)
    sizes = replace(sizes, given=True, embed_dim=len(given["mean"]))
    sizes.prompt_encoder.require_room(audio.n_mels)
    torch.manual_seed(seed)
    ctap = CTAP(sizes, len(tokens), audio.n_mels, stats["mean"], stats["std"], given["mean"], given["std"])
    return Parts(tokens, audio, ctap, text=TextRules.load(sources.train_dir), trained=untrained())


def untrained() -> TrainedLengths:
    """Of a new model."""
    return TrainedLengths(0, 0, 0, 0, 0)


def longest(train: FeatureSet, data: DataConfig) -> int:
    """Frames of the longest training utterance, after cropping."""
    return min(data.max_frames, int(train.lengths.max()))


def build_pretrain(config: PretrainConfig, sources: Sources) -> Training:
    """Pretraining, from random weights or from ``init``'s."""
    sources.refuse("duration_init", "units")
    tokens, audio = language_in(sources.train_dir).tokens, read_audio(sources.train_dir)
    if config.model.given or sources.given is not None:
        raise UserError("pretraining makes its own representation: leave model.given and --given out")
    stats = read_stats(sources.train_dir.parent, audio.n_mels)
    torch.manual_seed(config.trainer.seed)
    config.model.prompt_encoder.require_room(audio.n_mels)
    ctap = CTAP(config.model, len(tokens), audio.n_mels, stats["mean"], stats["std"])
    parts = Parts(tokens, audio, ctap, text=TextRules.load(sources.train_dir), trained=untrained())
    if sources.init is not None:
        start = Parts.load(sources.init)
        start.require_same_data(tokens, audio, f"{sources.train_dir.parent}")
        start.text.require_same(
            TextRules.load(sources.train_dir), f"{sources.train_dir}/{RULES_FILE}", str(sources.init)
        )
        there = start.ctap.config
        if not there.refiner.layers:  # one may be added
            there = replace(there, refiner=config.model.refiner)
        if there != config.model:
            raise UserError(
                f"{sources.init}: sizes differ: {start.ctap.config} there, {config.model} asked for"
            )
        ctap.load_state_dict(start.ctap.state_dict(), strict=there == start.ctap.config)
        parts.trained, parts.prompt = start.trained, start.prompt
    train, dev = _features(sources, parts)
    task = PretrainTask(ctap, config, tokens, audio, len(train.speakers), parts.trained)
    parts.trained.reached(longest(train, config.data), "speech_encoder", "phoneme_encoder")
    if task.reconstructs:
        parts.prompt = config.data.prompt
        parts.trained.reached(longest(train, config.data), "decoder")
    return Training(task, train, dev, parts, config.model.prompt_encoder.frames, spread=config.spread)


def build_finetune(config: FinetuneConfig, sources: Sources) -> Training:
    """Decoder and prompt encoder on one speaker; new ones on all, where another representation is given."""
    sources.refuse("duration_init", "units")
    parts = _start(sources) if sources.init else _start_given(config.model, sources, config.trainer.seed)
    train, dev = _features(sources, parts, labeled=config.reads == "phonemes")
    if config.voice.moves and sources.given is not None:
        raise UserError("voice: another representation is given as it is; leave voice out")
    task = FinetuneTask(parts.ctap, parts.trained, config, parts.audio)
    parts.ctap.decoder.spread.fill_(1.0)  # that of the decoder before
    parts.prompt = config.data.prompt
    parts.trained.reached(longest(train, config.data), "decoder")
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames, spread=config.spread)


def build_duration(config: DurationTaskConfig, sources: Sources) -> Training:
    """Duration models, new or from the duration part at hand."""
    sources.refuse("units")
    parts = _start(sources)
    train, dev = _features(sources, parts)
    if sources.duration_init is not None:
        _take_durations(parts, sources)
    if parts.duration is not None:
        config.model.adapt(parts.duration, sources.duration_init or sources.init)
    else:
        counts = train.durations.counts()
        logs = np.log1p(np.arange(len(counts)))
        mean = float(np.average(logs, weights=counts))
        deviation = float(np.sqrt(np.average((logs - mean) ** 2, weights=counts)))
        torch.manual_seed(config.trainer.seed)
        parts.duration = DurationModel(
            parts.ctap.config.embed_dim,
            parts.ctap.config.prompt_encoder.dim,
            config.model.over(DurationConfig()),
            mean,
            deviation if deviation > 1e-6 else 1.0,  # all alike
        )
        parts.trained.duration = 0
    whole = train.lengths <= config.data.max_frames
    cropped = (train.durations[i] for i in np.flatnonzero(~whole))
    phones = max((most_phones(spans, config.data.max_frames) for spans in cropped), default=1)
    parts.trained.reached(max(phones, int(train.durations.sizes[whole].max(initial=1))), "duration")
    task = DurationTask(parts.ctap, parts.duration, config)
    frames, decided = parts.ctap.config.prompt_encoder.frames, {"model": to_dict(parts.duration.config)}
    return Training(task, train, dev, parts, frames, decided)


def _take_durations(parts: Parts, sources: Sources) -> None:
    """Take the duration part of ``duration_init``, whose phones and sizes are to be those of ``init``.

    Raises:
        UserError: They are not; the message names both models and what differs.
    """
    both = f"--duration_init {sources.duration_init} beside --init {sources.init}"
    common_rules([sources.init, sources.duration_init])
    start = Parts.load(sources.duration_init)
    parts.tokens.require_same(start.tokens, both)
    here, there = (
        {"embed_dim": c.embed_dim, "prompt_encoder.dim": c.prompt_encoder.dim}
        for c in (parts.ctap.config, start.ctap.config)
    )
    for name, value in there.items():
        if value != here[name]:
            raise UserError(f"{both}: model.{name} is {value} there, expected {here[name]} as here")
    parts.duration, parts.trained.duration = start.require("duration"), start.trained.duration


def build_asr(config: ASRConfig, sources: Sources) -> Training:
    """Phoneme decoder on frozen speech embeddings."""
    sources.refuse("duration_init")
    parts = _start(sources)
    parts.units = Units(sources.units) if sources.units and config.ctc_weight else None
    train, dev = _features(sources, parts, units=parts.units.encode if parts.units else None)
    torch.manual_seed(config.trainer.seed)
    n_units = len(parts.units) if parts.units else 0
    parts.asr = PhonemeDecoder(parts.ctap.config.embed_dim, len(parts.tokens), n_units, config.model)
    parts.asr_config = config.model
    parts.trained.asr = longest(train, config.data)
    task = ASRTask(parts.ctap, parts.trained, parts.asr, config)
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames)


def build_semantic(config: SemanticTaskConfig, sources: Sources) -> Training:
    """Semantic prediction model: the text side of a model, to predict its speech side."""
    sources.refuse("duration_init", "units")
    parts = _start(sources)
    train, dev = _features(sources, parts)
    task = SemanticTask(parts.ctap, parts.trained, config)
    parts.trained.reached(longest(train, config.data), "phoneme_encoder")
    return Training(task, train, dev, parts, parts.ctap.config.prompt_encoder.frames)


def build_judge(config: JudgeConfig, sources: Sources) -> Training:
    """Recogniser of phones on log-mel alone, which judges the speech of every system."""
    sources.refuse("init", "duration_init", "given", "units")  # it starts from new weights
    tokens, audio = language_in(sources.train_dir).tokens, read_audio(sources.train_dir)
    stats = read_stats(sources.train_dir.parent, audio.n_mels)
    train = FeatureSet(sources.train_dir, tokens)
    dev = None if sources.dev_dir is None else FeatureSet(sources.dev_dir, tokens)
    for found in (train, dev) if dev else (train,):
        _require_width(found.mels, found, audio.n_mels)
    torch.manual_seed(config.trainer.seed)
    judge = Judge(len(tokens), audio.n_mels, config.model, stats["mean"], stats["std"])
    parts = JudgeParts(tokens, audio, judge, longest(train, config.data))
    return Training(JudgeTask(judge, config, audio), train, dev, parts, prompt_frames=1)  # it takes no prompt


def build_vocoder(config: VocoderTaskConfig, sources: Sources) -> Training:
    """Vocoder on recordings (wav.scp of the sets), new or from ``init``'s weights.

    ``given`` holds mels of the same recordings that a model predicted (ctap.bin.predict_mels), to adapt to.
    """
    sources.refuse("duration_init", "units")
    manifest = sources.train_dir.parent / "audio.json"
    audio = AudioSettings.load(manifest) if manifest.exists() else AudioSettings()
    torch.manual_seed(config.trainer.seed)
    vocoder = SourceFilter(config.model, audio)
    if sources.init is not None:
        start = VocoderParts.load(sources.init)
        audio.require_same(start.audio, str(sources.init))
        if replace(start.vocoder.config, use=config.model.use) != config.model:
            raise UserError(f"{sources.init}: sizes differ: {start.vocoder.config}, asked: {config.model}")
        vocoder.load_state_dict(start.vocoder.state_dict())
    train, dev = (
        None if folder is None else WaveSet(folder, audio, config.data.crop_frames, sources.given_of(folder))
        for folder in (sources.train_dir, sources.dev_dir)
    )
    task = VocoderTask(vocoder, config)
    return Training(task, train, dev, VocoderParts(vocoder), prompt_frames=0)


#: Trainings by name: their configuration and their builder.
TRAININGS: dict[str, tuple[type[Any], Callable[[Any, Sources], Training]]] = {
    "pretrain": (PretrainConfig, build_pretrain),
    "finetune": (FinetuneConfig, build_finetune),
    "duration": (DurationTaskConfig, build_duration),
    "asr": (ASRConfig, build_asr),
    "semantic": (SemanticTaskConfig, build_semantic),
    "judge": (JudgeConfig, build_judge),
    "vocoder": (VocoderTaskConfig, build_vocoder),
}
