#!/usr/bin/env python3
"""Aligners from a flat start on one corpus in one run: boundary errors, CPU times and their ratios.

    python tools/bench/align.py --data_dir data/local/all --reference word_boundaries.tsv

"gmm" is the toolkit's own. "ctc" aligns with the posteriors of a small convolutional network trained with
connectionist temporal classification (Graves et al., 2006). "classifier" puts a small network in the place of
the Gaussian mixtures and re-estimates it on its own alignments (Bourlard and Morgan, Connectionist Speech
Recognition, 1994), with the same states and the same search as "gmm". All three hear the same cepstra, learn
from the same utterances and run on one thread. Times are CPU times, reading of the audio included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ctap.align.corpus import AlignCorpus
from ctap.align.durations import Durations
from ctap.align.edges import own_silence
from ctap.align.events import read_reference
from ctap.align.features import NUM_CEPSTRA, Features, Statistics, analysis_settings
from ctap.align.hmm import HmmKind, _best_path, _flat_states, _load
from ctap.align.score import format_table, score
from ctap.align.topology import NO_PATH, Graph, Units, build_graph
from ctap.align.viterbi import viterbi
from ctap.audio.frames import boundaries_to_durations
from ctap.errors import cli
from ctap.files.tables import read_table
from ctap.text.mandarin import unit_of
from ctap.text.sentences import starts_syllable
from ctap.threads import limit_threads

Utterance = tuple[str, Features, int]
BATCH = 4


def read(corpus: AlignCorpus, everybody: Statistics) -> Iterator[Utterance]:
    """All utterances, normalised per speaker as in training."""
    for part in corpus.by_speaker(corpus.utterances, everybody):
        yield from part.read()


def training_data(
    corpus: AlignCorpus, hours: float
) -> tuple[Statistics, dict[str, tuple[Features, list[str]]]]:
    """The utterances that ``HmmKind.train`` learns from."""
    names = corpus.choose(3600 * hours, np.random.default_rng(0))
    everybody, data = _load(corpus, names, threads=1)
    return everybody, {u: (features, phones) for u, (features, phones, _) in data.items()}


def batches(lengths: dict[str, int], rng: np.random.Generator) -> list[list[str]]:
    """Names in batches of like length, in random order."""
    names = sorted(lengths, key=lambda name: (lengths[name], name))
    groups = [names[i : i + BATCH] for i in range(0, len(names), BATCH)]
    return [groups[i] for i in rng.permutation(len(groups))]


def to_durations(
    owners: np.ndarray, phones: list[str], total_frames: int, corpus: AlignCorpus, hop: float
) -> tuple[list[str], list[int]]:
    """Labels and durations of a path that says, frame by frame of ``hop`` seconds, whose the frame is."""
    edges = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(owners)]
    labels = []
    for k, start in enumerate(edges[:-1]):
        owner = owners[start]
        pause = "sil" if k in (0, len(edges) - 2) else "sp"
        labels.append(phones[owner] if owner >= 0 else pause)
    ends = [max(0.0, (end - 0.5) * hop) for end in edges[1:]]
    return labels, boundaries_to_durations(ends, total_frames, corpus.settings)


# --- gmm -------------------------------------------------------------------------------------------------


def train_gmm(corpus: AlignCorpus, options: argparse.Namespace) -> Callable[[AlignCorpus], Durations]:
    """The toolkit's own aligner, adapted to each speaker as ``ctap.bin.align`` does."""
    aligner = HmmKind().train(corpus, hours=options.train_hours, seed=0, threads=1)

    def align(other: AlignCorpus) -> Durations:
        result = {}
        for part in other.by_speaker(other.utterances, aligner.everybody):
            adapted = aligner.adapt(
                (f, other.phones(u), other.starts(u)) for u, (f, _) in part.examples.items()
            )
            for utterance, features, total_frames in part.read():
                found = adapted.align(features, other.phones(utterance), total_frames)
                result[utterance] = (found.phones, found.durations)
        return result

    return align


# --- ctc -------------------------------------------------------------------------------------------------


class CtcNet(nn.Module):
    """Cepstra every 5 ms to log posteriors of units every 10 ms: a strided and three dilated convolutions."""

    def __init__(self, units: int, channels: int = 128) -> None:
        super().__init__()
        self.first = nn.Conv1d(2 * NUM_CEPSTRA, channels, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList(
            nn.Conv1d(channels, channels, 5, padding=2 * dilation, dilation=dilation)
            for dilation in (1, 2, 4)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, channels) for _ in self.blocks)
        self.last = nn.Conv1d(channels, units, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, D, T]`` to ``[B, ceil(T / 2), units]``."""
        x = functional.relu(self.first(x))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = x + functional.relu(norm(block(x)))
        return self.last(x).transpose(1, 2).log_softmax(-1)


def ctc_graph(phones: list[str], index: dict[str, int]) -> tuple[Graph, np.ndarray]:
    """The trellis of an utterance: blanks between tokens, silence at both ends, optional before syllables.

    Returns:
        The graph, and which phone each node belongs to: -1 for silence, -2 for blanks.
    """
    tokens: list[tuple[int, int, bool]] = [(1, -1, False)]  # unit, owner, optional
    for i, phone in enumerate(phones):
        if i and starts_syllable(phones, i):
            tokens.append((1, -1, True))
        tokens.append((index.get(unit_of(phone), 1), i, False))
    tokens.append((1, -1, False))
    states, owners, arcs = [], [], []
    for k, (unit, owner, _) in enumerate(tokens):
        after_optional = k > 0 and tokens[k - 1][2]
        states += [0, unit]
        owners += [-2, owner]
        arcs.append([1] if k else [])
        into = [1] + ([2] if k and tokens[k - 1][0] != unit else [])
        if after_optional:
            into += [3] + ([4] if tokens[k - 2][0] != unit else [])
        arcs.append(into)
    states.append(0)
    owners.append(-2)
    arcs.append([1])
    size = len(states)
    offsets = np.zeros((size, 4), np.int32)
    for node, steps in enumerate(arcs):
        offsets[node, : len(steps)] = steps
    weights = np.where(offsets > 0, np.float32(0), NO_PATH)
    start, end = np.full((2, size), NO_PATH, np.float32)
    start[:2] = end[-2:] = 0
    stay = np.zeros(size, np.float32)
    graph = Graph(np.array(states, np.int32), np.array(owners, np.int32), stay, offsets, weights, start, end)
    return graph, graph.owner


def fill_blanks(owners: np.ndarray) -> np.ndarray:
    """Give each blank frame to the nearer neighbour: half of a run to the left one, half to the right one."""
    spoken = np.flatnonzero(owners != -2)
    nearest = np.searchsorted((spoken[:-1] + spoken[1:]) / 2, np.arange(len(owners)))
    return owners[spoken[nearest]]


def train_ctc(corpus: AlignCorpus, options: argparse.Namespace) -> Callable[[AlignCorpus], Durations]:
    """A network trained with CTC on phones with silence at both ends."""
    everybody, data = training_data(corpus, options.train_hours)
    units = Units.count((phones for _, phones in data.values()), corpus.language).known
    index = {unit: i + 2 for i, unit in enumerate(units)}  # 0 is the blank, 1 silence
    torch.manual_seed(0)
    net, rng = CtcNet(len(units) + 2), np.random.default_rng(0)
    groups = batches({u: len(f) for u, (f, _) in data.items()}, rng)
    steps = options.ctc_epochs * len(groups)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for epoch in range(options.ctc_epochs):
        total = 0.0
        # With silence to emit from the start, it takes the blank's place, and all phones come in one burst.
        ends = [1] if 3 * epoch >= options.ctc_epochs else []
        for group in batches({u: len(f) for u, (f, _) in data.items()}, rng):
            x = [torch.from_numpy(data[u][0].cepstra) for u in group]
            y = [torch.tensor([*ends, *(index.get(unit_of(p), 1) for p in data[u][1]), *ends]) for u in group]
            lengths = torch.tensor([(len(f) + 1) // 2 for f in x])
            out = net(nn.utils.rnn.pad_sequence(x, batch_first=True).transpose(1, 2))
            loss = functional.ctc_loss(
                out.transpose(0, 1),
                torch.cat(y),
                lengths,
                torch.tensor([len(t) for t in y]),
                zero_infinity=True,
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() / len(groups)
        print(f"  ctc: loss {total:.3f}", flush=True)
    net.eval()

    def align(other: AlignCorpus) -> Durations:
        result = {}
        hop = 2 * analysis_settings(other.settings).frame_shift
        for utterance, features, total_frames in read(other, everybody):
            graph, owners = ctc_graph(other.phones(utterance), index)
            with torch.inference_mode():
                scores = net(torch.from_numpy(features.cepstra).T[None])[0].numpy()
            path, best = viterbi(
                scores, graph.states, graph.stay, graph.offsets, graph.weights, graph.start, graph.end
            )
            if best > NO_PATH / 2:
                filled = fill_blanks(owners[path])
                result[utterance] = to_durations(filled, other.phones(utterance), total_frames, other, hop)
        return result

    return align


# --- classifier ------------------------------------------------------------------------------------------


class StateNet(nn.Module):
    """Cepstra to log posteriors of states, every 5 ms, from 9 frames of context; scores like ``Mixtures``."""

    def __init__(self, states: int, hidden: int = 256) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(2 * NUM_CEPSTRA, hidden, 9, padding=4), nn.ReLU(),
            nn.Conv1d(hidden, hidden, 1), nn.ReLU(), nn.Conv1d(hidden, states, 1),
        )  # fmt: skip
        self.log_prior = np.zeros(states, np.float32)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, D, T]`` to ``[B, states, T]`` logits."""
        return self.net(x)

    def log_likelihood(self, cepstra: np.ndarray, states: np.ndarray) -> np.ndarray:
        """``[T, K']``: log posterior less log prior."""
        with torch.inference_mode():
            out = self(torch.from_numpy(cepstra).T[None])[0].log_softmax(0).T.numpy()
        return np.ascontiguousarray(out[:, states] - self.log_prior[states])


def train_classifier(corpus: AlignCorpus, options: argparse.Namespace) -> Callable[[AlignCorpus], Durations]:
    """A classifier of the aligner's states, trained on its own alignments, round by round."""
    everybody, data = training_data(corpus, options.train_hours)
    units = Units.count((phones for _, phones in data.values()), corpus.language)
    graphs = {u: build_graph(phones, units) for u, (_, phones) in data.items()}
    targets = {u: _flat_states(f, phones, units) for u, (f, phones) in data.items()}
    torch.manual_seed(0)
    net, rng = StateNet(units.num_states), np.random.default_rng(0)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for number in range(options.classifier_rounds):
        counts = np.bincount(np.concatenate(list(targets.values())), minlength=units.num_states)
        net.log_prior = np.log((counts + 1) / counts.sum()).astype(np.float32)
        total = 0.0
        groups = batches({u: len(f) for u, (f, _) in data.items()}, rng)
        for group in groups:
            x = [torch.from_numpy(data[u][0].cepstra) for u in group]
            y = [torch.from_numpy(targets[u].astype(np.int64)) for u in group]
            out = net(nn.utils.rnn.pad_sequence(x, batch_first=True).transpose(1, 2))
            wanted = nn.utils.rnn.pad_sequence(y, batch_first=True, padding_value=-1)
            loss = functional.cross_entropy(out, wanted, ignore_index=-1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / len(groups)
        print(f"  classifier: round {number + 1}, cross-entropy {total:.3f}", flush=True)
        for u, (features, _) in data.items():
            path, best, _ = _best_path(features, graphs[u], net)
            if best > NO_PATH / 2:
                targets[u] = graphs[u].states[path]

    def align(other: AlignCorpus) -> Durations:
        result = {}
        hop = analysis_settings(other.settings).frame_shift
        for utterance, features, total_frames in read(other, everybody):
            phones = other.phones(utterance)
            graph = build_graph(phones, units)
            path, best, _ = _best_path(features, graph, net)
            if best > NO_PATH / 2:
                owners = graph.owner[path]
                result[utterance] = to_durations(owners, phones, total_frames, other, hop)
        return result

    return align


METHODS = {"gmm": train_gmm, "ctc": train_ctc, "classifier": train_classifier}


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", type=Path, required=True, help="to train on: wav.scp, utt2spk, phones")
    parser.add_argument("--test_dir", type=Path, help="to align and score; default: --data_dir")
    parser.add_argument(
        "--reference", type=Path, required=True, help="true boundaries, as score_durations reads"
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--train_hours", type=float, default=0.75)
    parser.add_argument("--ctc_epochs", type=int, default=12)
    parser.add_argument("--classifier_rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    limit_threads()
    corpus = AlignCorpus(options.test_dir or options.data_dir)  # wrong files are named before the training
    reference = read_reference(options.reference, {u: corpus.phones(u) for u in corpus.utterances})
    rows = {}
    for name in options.methods:
        marks = [time.process_time()]
        align = METHODS[name](AlignCorpus(options.data_dir), options)
        marks.append(time.process_time())
        corpus = AlignCorpus(options.test_dir or options.data_dir)
        found = align(corpus)
        marks.append(time.process_time())
        speakers = read_table(corpus.data_dir / "utt2spk")
        silence = own_silence(reference.words, corpus.waves, speakers) if reference.words else None
        result = score(reference, found, corpus.settings, corpus.language, silence)
        train, spent = (b - a for a, b in itertools.pairwise(marks))
        seconds = sum(sum(frames) for _, frames in found.values()) * corpus.settings.frame_shift
        rows[name] = {"train": train, "align": spent, "real_time": seconds / spent, "scores": result}
        print(f"{name}\n{format_table(result)}\n", flush=True)
    print(f"{'method':<12}{'train s':>9}{'align s':>9}{'x real time':>13}{'CPU ratio':>11}")
    first = rows.get("gmm") or next(iter(rows.values()))
    for name, row in rows.items():
        ratio = (row["train"] + row["align"]) / (first["train"] + first["align"])
        print(f"{name:<12}{row['train']:>9.1f}{row['align']:>9.1f}{row['real_time']:>13.0f}{ratio:>11.2f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
