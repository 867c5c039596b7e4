"""Semantic prediction: trained on features of another dimension and on S, its error by hand, and in use."""

import json
import shutil

import numpy as np
import pytest
import torch

import ctap
from ctap.audio.settings import AudioSettings
from ctap.bin.train import train
from ctap.config import from_dict
from ctap.data.dataset import dev_loader
from ctap.errors import UserError
from ctap.kaldi.ark import MatrixReader, MatrixWriter
from ctap.nn.ctap import CTAP
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.model_dir import Parts
from ctap.text.tokens import TokenTable
from test import tiny

PHONES, DURATIONS = ["sil", "b", "a1", "sil"], [3, 4, 5, 2]


def config(target="features", **trainer):
    values = {"target": target, "model": tiny.STACK, "data": tiny.DATA, "optim": {**tiny.OPTIM, "lr": 0.01}}
    return from_dict(TRAININGS["semantic"][0], {**values, "trainer": {**tiny.TRAINER, **trainer}}, "test")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model directory to start from."""
    folder = tmp_path_factory.mktemp("exp") / "model"
    torch.manual_seed(0)
    tokens = TokenTable.mandarin()
    sizes = from_dict(type(TRAININGS["pretrain"][0]().model), tiny.MODEL, "test")
    Parts(tokens, AudioSettings(), CTAP(sizes, len(tokens), mean=[-3.0] * 40, std=[1.2] * 40)).save(folder)
    return folder


@pytest.fixture(scope="module")
def features(dump, tmp_path_factory):
    """The dump once more, with a representation of 5 dimensions for its features."""
    root = tmp_path_factory.mktemp("other") / "dump"
    shutil.copytree(dump, root)
    turn = np.random.default_rng(0).normal(size=(40, 5))
    every = []
    for name in ("train", "dev"):
        mels = MatrixReader(dump / name / "feats.scp")
        with MatrixWriter(root / name / "feats.ark", root / name / "feats.scp") as writer:
            for utt in mels:
                writer[utt] = (mels[utt] @ turn).astype(np.float32)
                every.append(mels[utt] @ turn)
    frames = np.concatenate(every)
    stats = {"mean": frames.mean(axis=0).tolist(), "std": frames.std(axis=0).tolist(), "frames": len(frames)}
    (root / "stats.json").write_text(json.dumps(stats))
    return root


def test_error_by_hand(features, model):
    """Mean over real frames and dimensions of the squared error, in units of the standard deviation."""
    chosen = config()
    training = TRAININGS["semantic"][1](chosen, Sources(features / "train", init=model))
    batch = next(iter(dev_loader(training.train, chosen.data, prompt_frames=40)))
    task = training.task.eval()
    losses = task.losses(batch)
    stats = json.loads((features / "stats.json").read_text())
    said = task.semantic(batch.tokens, batch.durations, batch.mel.shape[1], batch.mask).detach().numpy()
    errors, cosines = [], []
    for own, truth, n in zip(said, batch.mel.numpy(), batch.lengths.tolist(), strict=True):
        for x, y in zip(own[:n], truth[:n], strict=True):
            errors.append(((y - stats["mean"]) / stats["std"] - x) ** 2)
            x = x * stats["std"] + stats["mean"]
            cosines.append(x @ y / np.sqrt((x @ x) * (y @ y)))
    assert losses["loss"].item() == pytest.approx(np.mean(errors), rel=1e-4)
    assert losses["cosine"].item() == pytest.approx(np.mean(cosines), rel=1e-4)


@pytest.mark.parametrize(("target", "dim"), [("features", 5), ("speech", 8)])
def test_trained_saved_and_used(dump, features, model, tmp_path, target, dim):
    """The error on held-out speech falls, CTAP stays as it was, and the model directory predicts."""
    data = features if target == "features" else dump
    sources = Sources(data / "train", data / "dev", init=model)
    train("semantic", config(target, max_steps=20, epoch_steps=10), sources, tmp_path / "out")
    lines = (tmp_path / "out" / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("val/loss")
    errors = [float(line.split(",")[column]) for line in lines[1:]]
    assert errors[-1] < errors[0]
    before, after = (
        torch.load(d / "ctap.pt", weights_only=True) for d in (model, tmp_path / "out" / "model")
    )
    assert all(torch.equal(before[k], after[k]) for k in before)
    used = ctap.load(tmp_path / "out" / "model")
    predicted = used.predict_semantic(PHONES, DURATIONS)
    assert predicted.shape == (14, dim) and torch.isfinite(predicted).all()
    with pytest.raises(UserError, match="1 durations for 4 phones"):
        used.predict_semantic(PHONES, [14])


def test_what_does_not_fit_is_named(dump, features, model, tmp_path):
    with pytest.raises(UserError, match=r"5 dimensions, expected 40 mel bins.*--target features"):
        TRAININGS["semantic"][1](config("speech"), Sources(features / "train", init=model))
    other = tmp_path / "dump"
    shutil.copytree(features, other)
    shutil.copy(dump / "stats.json", other / "stats.json")
    with pytest.raises(UserError, match=r"stats\.json: statistics of 40 dimensions, .*holds 5"):
        TRAININGS["semantic"][1](config(), Sources(other / "train", init=model))
    with pytest.raises(UserError, match="no part 'semantic'; the recipe's stage 7"):
        ctap.load(model).predict_semantic(PHONES, DURATIONS)
