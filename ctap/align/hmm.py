"""The aligner "gmm": hidden Markov models with Gaussian mixtures, trained from a flat start by Viterbi EM.

The classic recipe (Young et al., The HTK Book, 2006, chapter 8: flat start, re-estimation, growing mixtures),
with phones without tone or stress and the topology of :mod:`ctap.align.topology`.
"""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ctap.align.alignment import Alignment, CannotAlign
from ctap.align.background import heard, pause_cost, speech_cost
from ctap.align.corpus import AlignCorpus
from ctap.align.features import NUM_CEPSTRA, Features, Statistics, analysis_settings
from ctap.align.gmm import Mixtures
from ctap.align.topology import (
    CLOSURE,
    NO_PATH,
    PAUSE_END,
    PAUSE_START,
    SILENCE,
    STATES_PER_UNIT,
    Graph,
    Units,
    build_graph,
)
from ctap.align.viterbi import viterbi
from ctap.audio.frames import boundaries_to_durations
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.text.language import Language
from ctap.text.pauses import PAUSES

SCHEDULE = (1,) * 6 + (2,) * 2 + (4,) * 2 + (8,) * 2
"""Components per state in each round of training."""

RINGING = 1
"""Analysis frames that are cut off the end of speech before silence: a window that only just touches speech
still sounds like it, so speech seems to end late. (Where speech begins, two such errors cancel.)"""

TRANSITION = 1
"""Analysis frames by which a vowel after another phone starts before it sounds like itself: the transition
belongs to the vowel, and sounds like neither phone. Without it vowels of the embedded corpus start 10 ms
late."""

CLOSURE_MARGIN = 3.0
"""Cost per frame of a pause that sounds like a closure. If that were forbidden, a whole pause could count as
part of the closure after it; without a cost, long closures inside words would be taken for pauses."""

MODEL_FILE = "model.npz"

Example = tuple[Features, list[str], list[bool]]
"""Normalised features of an utterance, its phones, and before which of them there may be a pause."""


class HmmKind:
    """Trains and loads :class:`HmmAligner`."""

    def train(
        self, corpus: AlignCorpus, *, hours: float, seed: int, threads: int, start: HmmAligner | None = None
    ) -> HmmAligner:
        """Train on at most ``hours`` of the corpus: from a flat start, or from the alignments of ``start``.

        Raises:
            UserError: no utterance can be used.
        """
        rng = np.random.default_rng(seed)
        names = corpus.choose(3600 * hours, rng)
        started = time.perf_counter()
        everybody, data = _load(corpus, names, threads)
        if not data:
            raise UserError(f"{corpus.data_dir}: no utterance that an aligner could be trained on")
        units = Units.count((phones for _, phones, _ in data.values()), corpus.language)
        seconds = sum(len(f) for f, _, _ in data.values()) * corpus.analysis.frame_shift
        _say(f"{len(data)} utterances, {seconds / 60:.1f} minutes, {len(units.known)} phones without tone; "
             f"read in {time.perf_counter() - started:.1f} s")  # fmt: skip
        mixtures = _estimate(data, units, threads, start)
        return HmmAligner(units, mixtures, everybody, corpus.settings)

    def load(self, folder: Path, settings: AudioSettings, language: Language) -> HmmAligner:
        """Read a model to align phones of ``language``; nothing in it is unpickled.

        Raises:
            UserError: the file is missing or damaged.
        """
        path = folder / MODEL_FILE
        try:
            with np.load(path, allow_pickle=False) as file:
                units = Units((str(unit) for unit in file["units"]), language)
                mixtures = Mixtures(file["mean"], file["variance"], file["log_weight"])
                everybody = Statistics(file["everybody_mean"], file["everybody_std"], int(file["frames"]))
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: not a readable aligner: {error}; train it again") from None
        if len(mixtures.mean) != units.num_states or mixtures.mean.shape[2] != 2 * NUM_CEPSTRA:
            raise UserError(f"{path}: sizes do not fit each other; train the aligner again")
        return HmmAligner(units, mixtures, everybody, settings)


class HmmAligner:
    """A trained model; see :class:`ctap.align.aligner.Aligner`.

    Args:
        units: the phones it knows.
        mixtures: how their states sound.
        everybody: feature statistics of the training speakers.
        settings: audio settings whose frames the durations count.
    """

    def __init__(
        self, units: Units, mixtures: Mixtures, everybody: Statistics, settings: AudioSettings
    ) -> None:
        self.units, self.mixtures, self.everybody, self.settings = units, mixtures, everybody, settings
        self._shift = analysis_settings(settings).frame_shift

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        np.savez(
            folder / MODEL_FILE,
            units=np.array(self.units.known),
            mean=self.mixtures.mean,
            variance=self.mixtures.variance,
            log_weight=self.mixtures.log_weight,
            everybody_mean=self.everybody.mean,
            everybody_std=self.everybody.std,
            frames=np.int64(self.everybody.frames),
        )

    def align(
        self, features: Features, phones: list[str], total_frames: int, starts: Sequence[bool] | None = None
    ) -> Alignment:
        """Align one utterance.

        Args:
            features: normalised.
            phones: without pauses.
            total_frames: frames that the durations sum to.
            starts: before which phones there may be a pause; default: what the language tells of the phones.

        Raises:
            CannotAlign: there are more phones than frames, or no path.
        """
        if len(phones) > total_frames:
            raise CannotAlign(f"{len(phones)} phones do not fit into {total_frames} frames")
        graph = build_graph(phones, self.units, starts)
        path, score, density = _best_path(features, graph, self.mixtures)
        if score <= NO_PATH / 2:
            raise CannotAlign(f"no path through {len(phones)} phones in {len(features)} half frames")
        gap = np.minimum(density - self.mixtures.best_component(features.cepstra), 0.0)
        segments = graph.segments(path)
        labels = [_label(owner, phones) for owner, _, _ in segments]
        confidence = [float(gap[start:end].mean()) for _, start, end in segments]
        spoken = graph.owner[path] >= 0
        ends = [self._end(segments, labels, i) for i in range(len(segments))]
        durations = boundaries_to_durations(ends, total_frames, self.settings)
        return Alignment(labels, durations, confidence, float(gap[spoken].mean()))

    def adapt(self, examples: Iterable[tuple[Features, list[str], Sequence[bool]]]) -> HmmAligner:
        """This aligner with its means moved towards one speaker's, by that speaker's own alignments.

        Args:
            examples: normalised features, phones and starts of some utterances; those that can't be
                aligned are passed over.
        """
        cepstra, states = [], []
        for features, phones, starts in examples:
            try:
                graph = build_graph(phones, self.units, starts)
            except UserError:
                continue
            path, score, _ = _best_path(features, graph, self.mixtures)
            if score > NO_PATH / 2:
                cepstra.append(features.cepstra)
                states.append(graph.states[path])
        if not cepstra:
            return self
        mixtures = self.mixtures.adapted(np.concatenate(cepstra), np.concatenate(states))
        return HmmAligner(self.units, mixtures, self.everybody, self.settings)

    def _end(self, segments: list[tuple[int, int, int]], labels: list[str], i: int) -> float:
        """End of segment ``i`` in seconds."""
        end = float(segments[i][2])
        if i + 1 < len(segments):
            here, after = labels[i] in PAUSES, labels[i + 1] in PAUSES
            language = self.units.language
            closes = not after and language.has_closure(labels[i + 1])
            if not here and (after or closes):
                end = max(end - RINGING, segments[i][1] + 1.0)
            elif not here and language.phone_class(labels[i + 1]) == "vowel":
                end = max(end - TRANSITION, segments[i][1] + 1.0)
        return max(0.0, (end - 0.5) * self._shift)


def _load(corpus: AlignCorpus, names: list[str], threads: int) -> tuple[Statistics, dict[str, Example]]:
    """Normalised features, phones and starts of the training utterances, and everybody's statistics."""
    with ThreadPoolExecutor(threads) as pool:
        loaded = dict(zip(names, pool.map(corpus.load, names), strict=True))
    raw = {u: pair[0] for u, pair in loaded.items() if pair is not None}
    if not raw:
        return Statistics(np.zeros(1), np.ones(1), 0), {}
    everybody = Statistics.of(features.cepstra for features in raw.values())
    data = {}
    of_speaker: dict[int, list[str]] = {}
    for utterance in raw:
        of_speaker.setdefault(corpus.speaker(utterance), []).append(utterance)
    for mine in of_speaker.values():
        own = Statistics.of((raw[u].cepstra for u in mine), prior=everybody)
        for utterance in mine:
            phones = corpus.phones(utterance)
            try:
                starts = corpus.starts(utterance)
            except UserError as error:
                corpus.left_out[utterance] = str(error)
                continue
            if STATES_PER_UNIT * len(phones) <= len(raw[utterance]):
                data[utterance] = (own.normalise(raw[utterance]), phones, starts)
            else:
                corpus.left_out[utterance] = f"{len(phones)} phones in {len(raw[utterance])} half frames"
    return everybody, dict(sorted(data.items()))


def _estimate(
    data: dict[str, Example], units: Units, threads: int, start: HmmAligner | None = None
) -> Mixtures:
    graphs = {u: build_graph(phones, units, starts) for u, (_, phones, starts) in data.items()}
    cepstra = np.concatenate([f.cepstra for f, _, _ in data.values()])
    mixtures = Mixtures.flat(units.num_states, cepstra)
    first = [_first_states(example, graphs[u], units, start) for u, example in data.items()]
    mixtures.update(cepstra, np.concatenate(first))
    mixtures.copy_state(SILENCE, CLOSURE)
    for number, components in enumerate(SCHEDULE, 1):
        started = time.perf_counter()
        if mixtures.num_components < components:
            states = _states(data, graphs, mixtures, threads)[0]
            mixtures.split()
            mixtures.update(cepstra, states)
            mixtures.update(cepstra, states)
        states, score, lost = _states(data, graphs, mixtures, threads)
        mixtures.update(cepstra, states)
        _say(f"round {number}/{len(SCHEDULE)}: {components} components, log density {score:.3f} a frame, "
             f"{np.mean(states == SILENCE):.1%} pause, {lost} without a path, "
             f"{time.perf_counter() - started:.1f} s")  # fmt: skip
    return mixtures


def _states(
    data: dict[str, Example], graphs: dict[str, Graph], mixtures: Mixtures, threads: int
) -> tuple[np.ndarray, float, int]:
    """The best states of all frames ``[N]``, a frame's mean score, and how many utterances had no path."""

    def best(utterance: str) -> tuple[np.ndarray, float]:
        features, graph = data[utterance][0], graphs[utterance]
        path, score, _ = _best_path(features, graph, mixtures)
        if score <= NO_PATH / 2:
            return np.full(len(features), -1), 0.0
        return graph.states[path], score

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(best, data))
    lost = sum(int(states[0] < 0) for states, _ in results)
    frames = sum(len(states) for states, _ in results if states[0] >= 0)
    return (
        np.concatenate([states for states, _ in results]),
        sum(s for _, s in results) / max(1, frames),
        lost,
    )


def _first_states(example: Example, graph: Graph, units: Units, start: HmmAligner | None) -> np.ndarray:
    """A first guess ``[T]``: that of ``start``, or a flat one."""
    features, phones, starts = example
    if start is not None:
        path, score, _ = _best_path(features, build_graph(phones, start.units, starts), start.mixtures)
        if score > NO_PATH / 2:
            return graph.states[path]
    return _flat_states(features, phones, units)


def _flat_states(features: Features, phones: list[str], units: Units) -> np.ndarray:
    """A first guess ``[T]``: silence where it is quiet, else the phones' states in equal shares."""
    loud = heard(features.level)
    states = np.full(len(features), SILENCE)
    sequence = np.array([state for phone in phones for state in units.states(phone)])
    rank = np.cumsum(loud)
    if rank[-1]:
        states[loud] = sequence[(rank[loud] - 1) * len(sequence) // rank[-1]]
    return states


def _best_path(features: Features, graph: Graph, mixtures: Mixtures) -> tuple[np.ndarray, float, np.ndarray]:
    """Nodes ``[T]`` of the best path, its score, and the log density ``[T]`` of each frame on it."""
    wanted, index = np.unique(graph.states, return_inverse=True)
    density = mixtures.log_likelihood(features.cepstra, wanted)
    if CLOSURE in wanted:
        silence, closure = np.searchsorted(wanted, [SILENCE, CLOSURE])
        np.maximum(density[:, silence], density[:, closure] - CLOSURE_MARGIN, out=density[:, silence])
    # States of phones come after SILENCE and CLOSURE.
    scores = density - np.where(wanted > CLOSURE, speech_cost(features.level)[:, None], 0.0)
    scores[:, np.searchsorted(wanted, SILENCE)] -= pause_cost(features.level)
    states = index.astype(np.int32)
    path, score = viterbi(scores, states, graph.stay, graph.offsets, graph.weights, graph.start, graph.end)
    return path, score, density[np.arange(len(path)), states[path]]


def _label(owner: int, phones: list[str]) -> str:
    if owner >= 0:
        return phones[owner]
    return "sil" if owner in (PAUSE_START, PAUSE_END) else "sp"


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
