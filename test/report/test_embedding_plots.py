"""Principal components against numpy's covariance, and pictures of every kind of input."""

import numpy as np
import pytest
import torch

from ctap.report.canvas import save_figure
from ctap.report.embedding_plots import plot_by_phone, plot_by_speaker, principal_components
from ctap.text.languages import older


def test_components_are_those_of_the_covariance():
    x = torch.randn(200, 6, generator=torch.Generator().manual_seed(1)) * torch.tensor([5.0, 1, 3, 0.1, 1, 1])
    placed, shares = principal_components(x)
    values, vectors = np.linalg.eigh(np.cov(x.numpy().astype(np.float64).T))
    centred = x.numpy() - x.numpy().mean(axis=0)
    for k in (0, 1):
        expected = centred @ vectors[:, -1 - k]
        assert abs(np.corrcoef(expected, placed[:, k])[0, 1]) == pytest.approx(1, abs=1e-6)
        assert placed[:, k].var(correction=1).item() == pytest.approx(values[-1 - k], rel=1e-5)
        assert shares[k] == pytest.approx(values[-1 - k] / values.sum(), rel=1e-5)


@pytest.mark.parametrize(("count", "dim"), [(1, 4), (2, 1), (5, 3)])
def test_few_utterances_and_few_dimensions_are_drawn(count, dim, tmp_path):
    speech = [torch.randn(7, dim) for _ in range(count)]
    said = [["sil", "b", "b", "a1", "a1", "sp", "ong3"]] * count
    for figure in (
        plot_by_phone(speech, said, older()),
        plot_by_speaker(speech, [f"s{i}" for i in range(count)]),
    ):
        assert save_figure(figure, tmp_path / "p.png").stat().st_size > 5000
    labels = {text.get_text() for text in plot_by_phone(speech, said, older()).legends[0].get_texts()}
    assert "pause" not in labels
    assert len(labels) == 2


@pytest.mark.parametrize(("count", "columns"), [(10, 1), (26, 1), (27, 2), (104, 4), (218, 0)])
@pytest.mark.filterwarnings("error")
def test_names_of_many_speakers_leave_the_picture_its_place(count, columns, tmp_path):
    figure = plot_by_speaker([torch.randn(3, 4) for _ in range(count)], [f"SSB{i:04d}" for i in range(count)])
    assert save_figure(figure, tmp_path / "p.png").stat().st_size > 5000
    assert [legend._ncols for legend in figure.legends] == [columns] * (columns > 0)
    assert figure.axes[0].get_position().width * figure.get_figwidth() > 4  # inches
