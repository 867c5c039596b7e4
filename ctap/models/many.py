"""Several utterances at once: what each would be alone, with the networks run over all of them together."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import torch
from torch import Tensor

from ctap.data.batch import lengths_to_mask, pad
from ctap.errors import UserError
from ctap.models.checks import read_pieces
from ctap.models.inference import PAUSE, Model
from ctap.models.prompt import Prompt
from ctap.models.speech import Speech
from ctap.models.timing import Timed, check_length, join, time_pieces
from ctap.models.windows import BATCH_FRAMES
from ctap.nn.duration import check_speed, seeded
from ctap.text.pieces import Piece


@dataclass(frozen=True)
class Wanted:
    """An utterance to be said.

    Attributes:
        text: In the language of the model.
        prompt: The voice, heard.
        speed: Above 1 is faster.
        seed: Seeds the diffusion model.
        max_seconds: Refuse to say more.
    """

    text: str
    prompt: Prompt
    speed: float = 1.0
    seed: int = 0
    max_seconds: float = 60.0


@torch.no_grad()
def synthesize_many(model: Model, wanted: list[Wanted]) -> list[Speech | UserError]:
    """As :meth:`ctap.models.inference.Model.synthesize` of each; what can't be said is its error."""
    results: list[Speech | UserError | None] = [None] * len(wanted)
    pieces: dict[int, list[Piece]] = {}
    for i, own in enumerate(wanted):
        try:
            check_speed(own.speed)
            pieces[i] = read_pieces(own.text, model.parts)
            for piece in pieces[i]:  # here, where an unknown phone is the fault of its own text alone
                model.parts.tokens.encode(piece.phones)
        except UserError as error:
            results[i] = error
    timed: dict[int, list[Timed]] = {}
    for i, own in _time(model, wanted, pieces).items():
        try:
            check_length(own, model.parts.audio.frame_shift, wanted[i].max_seconds)
            timed[i] = own
        except UserError as error:
            results[i] = error
    mels = _mels(model, [(own, wanted[i].prompt.g) for i in timed for own in timed[i]])
    for i, own in timed.items():
        speech, whole = model.speak(torch.cat([mels.pop(0) for _ in own])), join(own)
        speech.phones, speech.durations = whole.phones, whole.durations
        results[i] = speech
    return results  # type: ignore[return-value]


def _time(model: Model, wanted: list[Wanted], pieces: dict[int, list[Piece]]) -> dict[int, list[Timed]]:
    """Durations of all pieces of all utterances, drawn together."""
    pause = round(PAUSE / model.parts.audio.frame_shift)
    asked: list[tuple[int, int, list[str]]] = []  # utterance, piece, its phones and the pauses around them

    def note(i: int, phones: list[str], k: int) -> list[int]:
        asked.append((i, k, phones))
        return [1] * len(phones)

    for i, own in pieces.items():
        time_pieces(own, lambda phones, k, i=i: note(i, phones, k), pause)
    found: dict[tuple[int, int], list[int]] = {}
    for some in _groups([len(phones) for _, _, phones in asked]):
        spans = _draw(model, [(wanted[asked[j][0]], asked[j][1], asked[j][2]) for j in some])
        found |= {asked[j][:2]: own for j, own in zip(some, spans, strict=True)}
    return {i: time_pieces(own, lambda phones, k, i=i: found[i, k], pause) for i, own in pieces.items()}


def _draw(model: Model, asked: list[tuple[Wanted, int, list[str]]]) -> list[list[int]]:
    """Frames of the phones of pieces, by the diffusion model, each from the noise of its own seed."""
    duration, tokens = model.parts.require("duration"), model.parts.tokens
    ids, lengths = _padded(model, [torch.tensor(tokens.encode(phones)) for _, _, phones in asked])
    mask = lengths_to_mask(lengths, ids.shape[1])
    noise = torch.zeros(mask.shape)
    for row, (own, k, phones) in enumerate(asked):
        seed = operator.index(own.seed) + k  # torch takes no whole numbers of numpy
        drawn = torch.randn((1, len(phones)), generator=seeded(seed))
        noise[row, : len(phones)] = drawn[0]
    g = torch.stack([own.prompt.g for own, _, _ in asked]).to(model.device)
    condition = model.parts.ctap.condition(ids, mask, g)
    z = duration.denoise(noise.to(condition), condition, mask)
    return [
        duration.to_frames(z[row : row + 1, : len(phones)], mask[row : row + 1, : len(phones)], own.speed)[
            0
        ].tolist()
        for row, (own, _, phones) in enumerate(asked)
    ]


def _mels(model: Model, said: list[tuple[Timed, Tensor]]) -> list[Tensor]:
    """Log-mel [T, n_mels] of each of ``said``: phones, their frames and G."""
    ctap, trained, tokens = model.parts.ctap, model.parts.trained, model.parts.tokens
    most = min(trained.window("phoneme_encoder"), trained.window("decoder"))
    sizes = [sum(own.durations) for own, _ in said]
    mels: dict[int, Tensor] = {}
    for some in _groups(sizes):
        if len(some) == 1 or max(sizes[j] for j in some) > most:
            mels |= {j: model.mel_of(said[j][0].phones, said[j][0].durations, said[j][1]) for j in some}
            continue
        ids, _ = _padded(model, [torch.tensor(tokens.encode(said[j][0].phones)) for j in some])
        spans, _ = _padded(model, [torch.tensor(said[j][0].durations) for j in some])
        size = max(sizes[j] for j in some)
        mask = lengths_to_mask(torch.tensor([sizes[j] for j in some], device=model.device), size)
        g = torch.stack([said[j][1] for j in some]).to(model.device)
        found = ctap.denormalize(ctap.decoder.speak(ctap.phoneme_encoder(ids, spans, size, mask), g, mask))
        mels |= {j: found[row, : sizes[j]].float().cpu() for row, j in enumerate(some)}
    return [mels[j] for j in range(len(said))]


def _groups(sizes: list[int]) -> list[list[int]]:
    """Indices of like sizes together, each group at most ``BATCH_FRAMES`` with its padding."""
    groups: list[list[int]] = []
    for j in sorted(range(len(sizes)), key=lambda j: sizes[j]):
        if groups and sizes[j] * (len(groups[-1]) + 1) <= BATCH_FRAMES:
            groups[-1].append(j)
        else:
            groups.append([j])
    return groups


def _padded(model: Model, rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    padded, lengths = pad([row.numpy() for row in rows])
    return padded.to(model.device), lengths.to(model.device)
