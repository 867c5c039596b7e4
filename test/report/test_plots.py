"""Pictures: what is drawn where, and files that are written whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ctap.errors import UserError
from ctap.report import plots

PHONES = ["sil", "n", "i3", "h", "ao3", "sp", "m", "a1", "sil"]
DURATIONS = [20, 6, 14, 7, 18, 9, 8, 16, 22]
T = sum(DURATIONS)
MEL = np.random.default_rng(0).normal(-5, 1.5, (T, 40))


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_segments_from_frames_and_from_durations_agree():
    frames = [phone for phone, n in zip(PHONES, DURATIONS, strict=True) for _ in range(n)]
    assert plots.segments(frames) == plots.segments(PHONES, DURATIONS)
    assert plots.segments(PHONES, DURATIONS)[2] == ("i3", 26, 40)
    with pytest.raises(ValueError, match="9 phones but 8"):
        plots.segments(PHONES, DURATIONS[:-1])


def test_similarity_puts_speech_down_and_phones_across():
    C = torch.zeros(T, T, dtype=torch.bfloat16)
    C[10, 100] = 1  # speech frame 10 looks like phoneme frame 100
    figure = plots.plot_similarity(C, PHONES, DURATIONS, hop=0.01)
    axes = figure.axes[0]
    image = axes.images[0]
    assert image.get_array()[10, 100] == 1
    assert image.get_extent() == [0, T * 0.01, T * 0.01, 0]
    assert "phoneme" in axes.get_xlabel() and "speech" in axes.get_ylabel()
    top, right = axes.child_axes
    assert labels(top.xaxis) == labels(right.yaxis) == PHONES
    assert top.get_xticks()[1] == pytest.approx(0.23)  # the middle of n, frames 20-26
    assert len(figure.axes) == 2  # with its colour-bar


def test_mels_share_scale_and_axis():
    figure = plots.plot_mels({"target": MEL, "from speech": MEL[:-30] + 9}, PHONES, DURATIONS, hop=0.0125)
    images = [axes.images[0] for axes in figure.axes[:2]]
    assert images[0].get_clim() == images[1].get_clim()
    assert images[0].get_extent()[1] == pytest.approx(T * 0.0125)
    assert images[1].get_extent()[1] == pytest.approx((T - 30) * 0.0125)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == pytest.approx((0, T * 0.0125))


def test_alignment_shows_every_phone_where_it_is_and_hatches_pauses():
    figure = plots.plot_alignment(MEL, PHONES, DURATIONS, reference=(PHONES, DURATIONS), hop=0.01)
    strip = figure.axes[1]
    assert [text.get_text() for text in strip.texts] == PHONES
    assert [patch.get_hatch() is not None for patch in strip.patches] == [
        phone in ("sil", "sp") for phone in PHONES
    ]
    assert strip.texts[2].get_position()[0] == pytest.approx(0.33)
    assert len(figure.axes[2].texts) == len(PHONES)


def test_confidence_hangs_below_its_phone():
    values = [-0.1 * i for i in range(len(PHONES))]
    figure = plots.plot_alignment(MEL, PHONES, DURATIONS, confidence=values, hop=0.01)
    bars = figure.axes[2].patches
    assert [bar.get_height() for bar in bars] == pytest.approx(values)
    assert [bar.get_width() for bar in bars] == pytest.approx([0.01 * d for d in DURATIONS])


def test_curves_of_a_log(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        "epoch,step,train/loss,val/loss,val/frame_retrieval\n"
        "0,10,2.5,,\n0,20,1.5,,\n0,20,,1.75,0.5\n1,30,nan,,\n"
    )
    curves = plots.read_curves(path)
    assert curves["val/loss"][0].tolist() == [20] and curves["val/loss"][1].tolist() == [1.75]
    assert curves["train/loss"][0].tolist() == [10, 20, 30]
    figure = plots.plot_curves(path, "a training")
    drawn = {axes.get_title(): axes for axes in figure.axes if axes.axison}
    assert set(drawn) == {"loss", "frame_retrieval"}
    assert [line.get_label() for line in drawn["loss"].lines] == ["train", "val"]


@pytest.mark.parametrize(
    ("text", "match"),
    [("epoch,loss\n0,1\n", "no column 'step'"), ("step,loss\n1,1\n2,x\n", r"csv:3: loss is 'x'")],
)
def test_a_broken_log_is_named(tmp_path, text, match):
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=match):
        plots.plot_curves(path, "a training")
    with pytest.raises(UserError, match="no training log"):
        plots.plot_curves(tmp_path / "none.csv", "a training")


def test_smoothing_equals_a_mean_by_hand():
    from ctap.report import curves

    values = np.array([1.0, 2.0, np.nan, 4.0, 9.0])
    expected = [np.nanmean(values[max(0, i - 1) : i + 2]) for i in range(5)]
    np.testing.assert_allclose(curves._smooth(values, 3), expected)


def test_save_is_whole_repeatable_and_leaves_no_global_state(tmp_path, monkeypatch):
    figure = plots.plot_similarity(np.eye(T), PHONES, DURATIONS, hop=0.01)
    first = plots.save_figure(figure, tmp_path / "deep" / "c.png")
    content = first.read_bytes()
    assert Image.open(io.BytesIO(content)).size[0] > 400
    assert (
        plots.save_figure(plots.plot_similarity(np.eye(T), PHONES, DURATIONS, hop=0.01), first).read_bytes()
        == content
    )
    monkeypatch.setattr(type(figure), "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        plots.save_figure(figure, first)
    assert first.read_bytes() == content
    assert [path.name for path in first.parent.iterdir()] == ["c.png"]


def test_hanzi_in_a_title_never_become_empty_boxes(recwarn):
    title = "SSB0005 你好，世界"
    for figure in (
        plots.plot_similarity(np.eye(T), title=title, hop=0.01),
        plots.plot_mels({title: MEL}, title=title, hop=0.01),
    ):
        figure.savefig(io.BytesIO(), format="png")
    assert not [w for w in recwarn if "missing from font" in str(w.message)]
