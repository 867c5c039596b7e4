#!/usr/bin/env python3
"""Pretraining steps: the toolkit's against a straightforward implementation of the same losses.

    python tools/bench/train_step.py --lengths aishell3 \\
        --config egs/TEMPLATE/ctap1/conf/ablations/ctap_rotary_mini.yaml
    python tools/bench/train_step.py --config conf/ctap.yaml --dump dump/train --device cuda

The straightforward one: float32, batches of so many utterances drawn at random, S and P decoded one after
the other, all of C held, Adam without fusion. Model, initial weights, crops and losses are the same for both;
the loss of both on one batch is printed. Each runs in a process of its own, after a warm-up, and they take
turns, a step each, so that other load on the machine falls on both alike. Without --dump, random mels of a
corpus's lengths are written to a temporary directory and read back from there.

Printed, by CPU time on one thread and by the clock otherwise: real frames a second, share of padding, share
of time waiting for data, peak memory, and the share of this machine's own matrix-product rate that the step's
products come to; then seconds by part, each run by itself, forward and backward, on a batch of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ctap.audio.settings import AudioSettings
from ctap.config import from_dict, load_config
from ctap.data.batch import Batch
from ctap.data.batching import BatchRequest
from ctap.data.dataset import CTAPDataset, train_loader
from ctap.device import choose_device
from ctap.errors import UserError, cli
from ctap.files.tables import write_table
from ctap.kaldi.ark import MatrixWriter
from ctap.loss.contrastive_plain import plain_contrastive
from ctap.loss.kl import margin_kl
from ctap.nn.length_regulator import frame_to_phone
from ctap.nn.transformer import TransformerStack
from ctap.tasks.build import Sources, Training, build_pretrain, read_audio
from ctap.tasks.pretrain import PretrainConfig, PretrainTask
from ctap.tasks.settings import product_precision
from ctap.text.languages import older

#: Log-normal lengths in frames: median, sigma, least and most. AISHELL-3: 0.79 to 15.7 s, mean 3.5 s.
LENGTHS = {"aishell3": (316, 0.45, 79, 1570), "equal": (400, 0.0, 400, 400)}


def make_dump(folder: Path, lengths: np.ndarray, seed: int) -> Path:
    """Write a dump directory of random mels and phones, an utterance for each of ``lengths``."""
    rng = np.random.default_rng(seed)
    audio, names = AudioSettings(), older().tokens.decode(range(10, 60))
    tables: dict[str, dict[str, str]] = {
        k: {} for k in ("utt2spk", "utt2num_frames", "aligned_phones", "durations")
    }
    (folder / "train").mkdir(parents=True)
    with MatrixWriter(folder / "train/feats.ark", folder / "train/feats.scp") as writer:
        for i, length in enumerate(lengths):
            utt = f"S{i % 8:03d}-{i:05d}"
            cuts = np.sort(rng.choice(np.arange(1, length), size=max(1, length // 12), replace=False))
            durations = np.diff([0, *cuts, length])
            writer[utt] = rng.normal(-3, 1, (length, audio.n_mels)).astype(np.float32)
            tables["utt2spk"][utt] = utt[:4]
            tables["utt2num_frames"][utt] = str(length)
            tables["aligned_phones"][utt] = " ".join(rng.choice(names, len(durations)))
            tables["durations"][utt] = " ".join(map(str, durations))
    for table, rows in tables.items():
        write_table(folder / "train" / table, rows)
    audio.save(folder / "audio.json")
    stats = {"mean": [-3.0] * audio.n_mels, "std": [1.0] * audio.n_mels}
    (folder / "stats.json").write_text(json.dumps(stats))
    return folder / "train"


def draw_lengths(name: str, count: int, seed: int) -> np.ndarray:
    """[count] lengths in frames after the corpus ``name``, or read from the file of that name, one a line."""
    if name not in LENGTHS:
        try:
            return np.loadtxt(name, dtype=np.int64, ndmin=1)
        except (OSError, ValueError) as error:
            raise UserError(f"--lengths {name}: not {' or '.join(LENGTHS)}, and no file: {error}") from None
    median, sigma, least, most = LENGTHS[name]
    drawn = median * np.exp(sigma * np.random.default_rng(seed).normal(size=count))
    return drawn.round().clip(least, most).astype(np.int64)


class Toolkit:
    """What ``ctap.bin.train pretrain`` does in a step."""

    def __init__(self, training: Training, config: PretrainConfig, precision: str) -> None:
        self.task, self.config, self.training = training.task, config, training
        self.trainer = replace(config.trainer, precision=precision)
        self.bfloat16 = self.trainer.computes_in == "bf16-mixed"
        self.optimizer = self.task.configure_optimizers()["optimizer"]

    def batches(self, steps: int) -> Iterator[Batch]:
        """Batches of like length, as many frames as the configuration allows."""
        seed, window = self.config.trainer.seed, self.training.prompt_frames
        return iter(
            train_loader(
                self.training.train,
                self.config.data,
                prompt_frames=window,
                epoch_steps=steps,
                max_steps=steps,
                position=lambda: 0,
                seed=seed,
            )
        )

    def loss(self, batch: Batch) -> Tensor:
        """The total loss."""
        return self.task.losses(batch)["loss"]

    def decode(self, s: Tensor, p: Tensor, g: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Mels from S and from P, in one pass."""
        both = self.task.ctap.decoder(torch.cat([s, p]), torch.cat([g, g]), torch.cat([mask, mask]))
        return both.chunk(2)

    def contrast(self, s: Tensor, p: Tensor, mask: Tensor, batch: Batch) -> Tensor:
        """The contrastive loss."""
        place = frame_to_phone(batch.durations, s.shape[1])
        phones = batch.tokens.gather(1, place)
        return self.task.contrastive(s, p, mask, self.task.ctap.scale, phones, place)


class Straightforward(Toolkit):
    """The same model and losses, written down as the paper has them."""

    def __init__(self, training: Training, config: PretrainConfig, precision: str) -> None:
        super().__init__(training, config, "32-true")
        if config.loss.contrastive.objective != "paper":
            raise SystemExit("the straightforward step knows loss.contrastive.objective: paper only")
        self.optimizer = torch.optim.Adam(self.task.parameters(), config.optim.lr, config.optim.betas)

    def batches(self, steps: int) -> Iterator[Batch]:
        """Utterances at random, always as many: the batch size, or what fills the frames on average."""
        features, data = self.training.train, self.config.data
        lengths = np.minimum(features.lengths, data.max_frames)
        size = data.batch_size or max(1, round(data.batch_frames / lengths.mean()))
        rng = np.random.default_rng(self.config.trainer.seed)
        dataset = CTAPDataset(
            features,
            max_frames=data.max_frames,
            prompt_frames=self.training.prompt_frames,
            prompt=data.prompt,
            seed=self.config.trainer.seed,
        )
        for step in range(steps):
            yield dataset[BatchRequest(tuple(rng.choice(len(features), min(size, len(features)))), step)]

    def loss(self, batch: Batch) -> Tensor:
        """The total loss, term by term."""
        ctap, w, mask = self.task.ctap, self.config.loss, batch.mask
        target = ctap.normalize(batch.mel)
        s = ctap.speech_encoder(target, mask)
        p = ctap.phoneme_encoder(batch.tokens, batch.durations, target.shape[1], mask)
        mean, log_variance = ctap.prompt_encoder(ctap.normalize(batch.prompt))
        g = mean + torch.randn_like(mean) * (0.5 * log_variance).exp() if self.task.training else mean
        mse = [F.mse_loss(mel[mask], target[mask]) for mel in self.decode(s, p, g, mask)]
        total = (
            w.contrastive_weight * self.contrast(s, p, mask, batch)
            + w.mse_weight * 0.5 * sum(mse)
            + w.kl_weight * (not w.kl_warmup_steps) * margin_kl(mean, log_variance, w.kl_margin)
        )
        if self.task.phoneme_decoder is not None:
            phones = [t.repeat_interleave(d) for t, d in zip(batch.tokens, batch.durations, strict=True)]
            for x in (s, p):
                said, _ = self.task.phoneme_decoder(x, mask)
                total = total + w.phoneme_weight * F.cross_entropy(said[mask], torch.cat(phones))
        return total

    def decode(self, s: Tensor, p: Tensor, g: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Mels from S and from P, one after the other."""
        return self.task.ctap.decoder(s, g, mask), self.task.ctap.decoder(p, g, mask)

    def contrast(self, s: Tensor, p: Tensor, mask: Tensor, batch: Batch) -> Tensor:
        """The contrastive loss, holding C."""
        return plain_contrastive(s[mask], p[mask], self.task.ctap.scale)


SYSTEMS = {"straightforward": Straightforward, "toolkit": Toolkit}


def to_device(batch: Batch, device: str) -> Batch:
    """``batch`` with its tensors on ``device``."""
    return Batch(**{k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(batch).items()})


def backward(system: Toolkit, loss: Callable[[], Tensor], device: str) -> None:
    """A forward and a backward pass as a training computes them."""
    with product_precision(system.trainer):
        with torch.autocast(device, torch.bfloat16, enabled=system.bfloat16):
            found = loss()
        found.backward()


def step(system: Toolkit, batch: Batch, device: str) -> None:
    """One training step."""
    backward(system, lambda: system.loss(batch), device)
    torch.nn.utils.clip_grad_norm_(system.task.parameters(), system.config.trainer.gradient_clip)
    system.optimizer.step()
    system.optimizer.zero_grad(set_to_none=True)


def clock(device: str) -> float:
    """Seconds, when all that was asked of the device is done."""
    if device != "cpu":
        torch.cuda.synchronize()
    elif torch.get_num_threads() == 1:
        return time.process_time()
    return time.perf_counter()


def parts(system: Toolkit, batch: Batch, device: str) -> dict[str, float]:
    """Seconds of each part by itself, forward and backward; the second of two runs."""
    ctap, mask = system.task.ctap, batch.mask
    target, size = ctap.normalize(batch.mel), batch.mel.shape[1]
    d = ctap.config.embed_dim
    s, p = (torch.randn(*mask.shape, d, device=device, requires_grad=True) for _ in range(2))
    g = torch.randn(len(batch), ctap.config.prompt_encoder.dim, device=device, requires_grad=True)
    runs: dict[str, Callable[[], Tensor]] = {
        "speech encoder": lambda: ctap.speech_encoder(target, mask).float().square().mean(),
        "phoneme encoder": lambda: (
            ctap.phoneme_encoder(batch.tokens, batch.durations, size, mask).float().square().mean()
        ),
        "prompt encoder": lambda: ctap.prompt_encoder(ctap.normalize(batch.prompt))[0].float().sum(),
        "decoder": lambda: sum(x.float().square().mean() for x in system.decode(s, p, g, mask)),
        "contrastive": lambda: system.contrast(s, p, mask, batch),
    }
    found = {}
    for name, run in runs.items():
        for _ in range(2):
            started = clock(device)
            backward(system, run, device)
            found[name] = clock(device) - started
    started = clock(device)
    system.optimizer.step()
    found["optimizer"] = clock(device) - started
    system.optimizer.zero_grad(set_to_none=True)
    return found


def matrix_rate(device: str, bfloat16: bool) -> float:
    """Operations a second of a product of two square matrices, the best of three."""
    size = 2048 if device == "cpu" else 8192
    a, b = (
        torch.randn(size, size, device=device, dtype=torch.bfloat16 if bfloat16 else torch.float32)
        for _ in range(2)
    )
    best = float("inf")
    for _ in range(3):
        started = clock(device)
        a @ b
        best = min(best, clock(device) - started)
    return 2 * size**3 / best


def peak_memory(device: str) -> float:
    """Largest memory so far, in MiB: of this process, or of what it holds on the GPU."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


@cli
def run(name: str, options: argparse.Namespace, dump: Path, turn: Connection) -> None:
    """Measure system ``name``, a step whenever it is its ``turn``; then send the figures."""
    torch.set_num_threads(options.threads)
    config = from_dict(PretrainConfig, load_config(options.config), str(options.config))
    config.trainer.accelerator = "cpu" if options.device == "cpu" else "gpu"  # what precision auto looks at
    total = options.warm_up + options.steps
    training = build_pretrain(config, Sources(dump))
    training.task.to(options.device)
    if options.compile and name == "toolkit":
        for module in training.task.modules():
            if isinstance(module, TransformerStack):
                module.compile(dynamic=True)
    system = SYSTEMS[name](training, config, options.precision)
    task: PretrainTask = system.task
    torch.manual_seed(config.trainer.seed)

    same = to_device(next(Toolkit.batches(system, 1)), options.device)
    task.eval()
    with torch.no_grad():
        loss = system.loss(same).item()  # float32 in both
    task.train()

    stream = system.batches(total)
    real = padded = 0
    seconds = waited = 0.0
    for i in range(total):
        turn.recv()
        begun = clock(options.device)
        batch = next(stream)
        ready = clock(options.device)
        batch = to_device(batch, options.device)
        step(system, batch, options.device)
        if i >= options.warm_up:
            seconds += clock(options.device) - begun
            waited += ready - begun
            real += int(batch.lengths.sum())
            padded += batch.mask.numel()
        turn.send(None)
    turn.recv()
    memory = peak_memory(options.device)
    with FlopCounterMode(display=False) as counter:
        step(system, batch, options.device)
    operations = counter.get_total_flops() / batch.mask.numel() * padded
    turn.send(
        {
            "frames a second": real / seconds,
            "seconds a step": seconds / options.steps,
            "padding": 1 - real / padded,
            "waiting for data": waited / seconds,
            "peak memory, MiB": memory,
            "of the matrix rate": operations / seconds / matrix_rate(options.device, system.bfloat16),
            "loss, same batch": loss,
            "bfloat16": float(system.bfloat16),
            "parts": parts(system, batch, options.device),
        }
    )


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[2] / "egs/TEMPLATE/ctap1/conf/ablations/ctap_rotary_mini.yaml"
    parser.add_argument("--config", type=Path, default=default, help="configuration of the pretraining")
    parser.add_argument("--dump", type=Path, help="dump directory of a training set")
    parser.add_argument(
        "--lengths",
        default="aishell3",
        help=f"without --dump: {', '.join(LENGTHS)}, or a file of frame counts",
    )
    parser.add_argument("--utterances", type=int, default=400, help="without --dump")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm_up", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto", help="the toolkit's: auto, 32-true or bf16-mixed")
    parser.add_argument("--compile", action="store_true", help="the toolkit's stacks, by torch.compile")
    parser.add_argument("--seed", type=int, default=777)
    options = parser.parse_args()
    options.device = choose_device(options.device)
    # What can't be read is said once, and not by either process.
    from_dict(PretrainConfig, load_config(options.config), str(options.config))
    if options.dump:
        read_audio(options.dump)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        dump = options.dump
        if dump is None:
            lengths = draw_lengths(options.lengths, options.utterances, options.seed)
            dump = make_dump(Path(folder), lengths, options.seed)
        turns: dict[str, Connection] = {}
        for name in SYSTEMS:
            turns[name], theirs = context.Pipe()
            context.Process(target=run, args=(name, options, dump, theirs), daemon=True).start()
            theirs.close()  # so that a process that fails is noticed
        found = {}
        for _ in range(options.warm_up + options.steps + 1):  # the last turn is for what is measured once
            for name, turn in turns.items():
                try:
                    turn.send(None)
                    found[name] = turn.recv()
                except (EOFError, BrokenPipeError, ConnectionResetError):
                    raise SystemExit(f"{name}: failed, see above") from None
    print(f"{options.config.name}, {options.threads} thread(s), {options.device}, torch {torch.__version__}")
    print(f"{'':<20}" + "".join(f"{name:>17}" for name in found) + f"{'ratio':>8}")
    slow, fast = (found[name] for name in SYSTEMS)
    rows = [k for k in slow if k != "parts"]
    for key in rows:
        form = ".1%" if key in ("padding", "waiting for data", "of the matrix rate") else ".5g"
        ratio = f"{fast[key] / slow[key]:8.2f}" if key in ("frames a second", "peak memory, MiB") else ""
        print(f"{key:<20}{slow[key]:>17{form}}{fast[key]:>17{form}}{ratio}")
    print("seconds by part, and share of their sum")
    sums = [sum(f["parts"].values()) for f in (slow, fast)]
    for key in slow["parts"]:
        cells = [
            f"{f['parts'][key]:.3f} ({f['parts'][key] / n:.0%})"
            for f, n in zip((slow, fast), sums, strict=True)
        ]
        print(f"{key:<20}" + "".join(f"{cell:>17}" for cell in cells))


if __name__ == "__main__":
    main()
