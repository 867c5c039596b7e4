"""Pictures of a representation: frames by phone, utterances by speaker, on two principal components."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor

from ctap.report.canvas import fonts, new_figure
from ctap.text.language import Language

__all__ = ["plot_by_phone", "plot_by_speaker", "principal_components"]

FRAMES = 3000  # drawn, at most


def principal_components(x: Tensor) -> tuple[Tensor, list[float]]:
    """Rows of ``x`` [N, d] on their first two principal components.

    Returns:
        [N, 2] (0 where there are fewer), and the share of the variance that each holds.
    """
    centred = x.double() - x.double().mean(dim=0)
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    kept = min(2, len(sizes))
    # the sign of a direction means nothing: its largest entry is made positive: the same picture every time
    signs = [1.0 if row[row.abs().argmax()] >= 0 else -1.0 for row in directions[:kept]]
    placed = torch.zeros(len(x), 2, dtype=torch.float64)
    placed[:, :kept] = centred @ (directions[:kept] * torch.tensor(signs, dtype=torch.float64)[:, None]).T
    total = float(sizes.square().sum()) or 1.0
    return placed, [float(s) ** 2 / total for s in sizes[:kept]] + [0.0] * (2 - kept)


def plot_by_phone(
    speech: Sequence[Tensor],
    phones: Sequence[Sequence[str]],
    language: Language,
    *,
    seed: int = 0,
) -> Figure:
    """Frames, at most :data:`FRAMES` at random, coloured by the class of their phone; pauses are left out.

    Args:
        speech: [T, d] of each utterance.
        phones: T phones of each utterance.
        language: of the phones.
        seed: of the draw.
    """
    classes = [language.phone_class(phone) for said in phones for phone in said]
    spoken = torch.tensor([i for i, name in enumerate(classes) if name != "pause"], dtype=torch.long)
    order = torch.randperm(len(spoken), generator=torch.Generator().manual_seed(seed))[:FRAMES]
    chosen = spoken[order.sort().values]
    x = torch.cat([s.float().cpu() for s in speech])[chosen]
    return _scatter(x, [classes[i] for i in chosen.tolist()], "frames by class of phone", 5.0)


def plot_by_speaker(speech: Sequence[Tensor], speakers: Sequence[str]) -> Figure:
    """Means over the frames of each utterance, coloured by speaker.

    Args:
        speech: [T, d] of each utterance.
        speakers: of each utterance.
    """
    x = torch.stack([s.float().cpu().mean(dim=0) for s in speech])
    return _scatter(x, list(speakers), "utterances (means of their frames) by speaker", 26.0)


ROWS, COLUMNS = 26, 4  # of the names beside a picture


def _scatter(x: Tensor, labels: list[str], title: str, size: float) -> Figure:
    placed, shares = principal_components(x)
    names = sorted(set(labels))
    colours = colormaps["tab10" if len(names) <= 10 else "nipy_spectral"]
    columns = -(-len(names) // ROWS)
    is_named = columns <= COLUMNS
    figure = new_figure(6.4 + 1.1 * (columns if is_named else 0), 6)
    axes = figure.subplots()
    for i, name in enumerate(names):
        own = placed[[label == name for label in labels]]
        colour = colours(i) if len(names) <= 10 else colours(0.05 + 0.9 * i / (len(names) - 1))
        axes.scatter(own[:, 0], own[:, 1], s=size, color=colour, label=name, alpha=0.75, linewidths=0)
    axes.set_xlabel(f"first principal component ({shares[0]:.0%} of the variance)")
    axes.set_ylabel(f"second ({shares[1]:.0%})")
    axes.set_title(title if is_named else f"{title}: {len(names)}, too many to be named")
    if is_named:
        letters = {"family": fonts(), "size": 8}
        figure.legend(loc="outside right upper", prop=letters, frameon=False, ncols=columns)
    return figure
