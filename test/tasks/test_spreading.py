"""A training with ``spread`` measures what its mels lack and writes it; its model speaks with it."""

import numpy as np
import pytest
import torch
import yaml

import ctap
from ctap.audio.cepstrum import cepstral_basis
from ctap.bin.train import train
from ctap.config import from_dict
from ctap.data.dataset import dev_loader
from ctap.errors import UserError
from ctap.files.sums import SUMS
from ctap.models.model_dir import Parts
from ctap.nn.spread import SpreadMeter
from ctap.tasks.build import TRAININGS, Sources
from test import tiny


def config(name, **more):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": tiny.TRAINER, **more}
    return from_dict(TRAININGS[name][0], values, "test")


@pytest.fixture(scope="module", autouse=True)
def _no_limits():
    """Eight steps teach a decoder hardly anything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ctap.nn.spread.LIMITS", (1e-6, 1e6))
        yield


@pytest.fixture(scope="module")
def pretrained(dump, tmp_path_factory):
    """A model whose pretraining measured the spread."""
    out = tmp_path_factory.mktemp("spread") / "ctap"
    train("pretrain", config("pretrain", model=tiny.MODEL, spread=True), Sources(dump / "train"), out)
    return out / "model"


def expected(training, chosen):
    """Factors from the whole training set by the task's own ears, the decoder's spread left out."""
    task, meter = training.task.eval(), SpreadMeter(40)
    with torch.no_grad():
        task.ctap.decoder.spread.fill_(1.0)
        for batch in dev_loader(training.train, chosen.data, prompt_frames=training.prompt_frames):
            for mel in task.said(batch):
                meter.add(task.ctap.normalize(batch.mel), mel, batch.mask)
    return meter.factors()


@pytest.mark.parametrize("reads", ["speech", "phonemes"])
def test_finetuning_measures_it_anew(reads, dump, pretrained, tmp_path):
    before = Parts.load(pretrained).ctap.decoder.spread
    assert (before != 1).any()
    sources = Sources(dump / "train", init=pretrained)
    models = {}
    for spread in (True, False):
        chosen = config("finetune", reads=reads, spread=spread)
        train("finetune", chosen, sources, tmp_path / str(spread))
        models[spread] = Parts.load(tmp_path / str(spread) / "model")
    wide, plain = models[True].ctap, models[False].ctap
    assert not plain.decoder.spreads and "spread" not in yaml.safe_load(
        (tmp_path / "False/model/model.yaml").read_text()
    )
    for name, tensor in plain.state_dict().items():  # the training itself is the same
        assert torch.equal(tensor, wide.state_dict()[name]), name
    again = Sources(dump / "train", init=tmp_path / "True" / "model")
    training = TRAININGS["finetune"][1](chosen, again)
    assert torch.allclose(wide.decoder.spread, expected(training, chosen), atol=1e-3)
    assert not torch.allclose(wide.decoder.spread, before, atol=1e-2)


def test_what_is_synthesised_has_it(pretrained):
    """The cepstra of a mel from phones move as much more as was measured."""
    model = ctap.load(pretrained, device="cpu", vocoder="griffin_lim")
    factors = model.parts.ctap.decoder.spread.clone()
    phones, spans = ["sil", "b", "a1", "sil"], [9, 12, 14, 9]
    mels = []
    for values in (factors, torch.ones(40)):
        model.parts.ctap.decoder.spread.copy_(values)
        mel = model.mel_of(phones, spans, torch.zeros(tiny.MODEL["prompt_encoder"]["dim"]))
        cepstra = model.parts.ctap.normalize(mel) @ torch.tensor(cepstral_basis(40), dtype=torch.float32)
        mels.append(cepstra - cepstra.mean(0))
    assert np.allclose(mels[0], mels[1] * factors, atol=1e-3)


def test_no_spread_without_a_decoder():
    loss = {"mse_weight": 0.0, "kl_weight": 0.0}
    with pytest.raises(UserError, match="spread: expected false where no decoder is trained"):
        config("pretrain", model=tiny.MODEL, loss=loss, spread=True)


@pytest.mark.parametrize("value", [[1.0] * 39, "wide", [0.0] * 40, [float("nan")] * 40])
def test_a_spread_that_is_none_is_refused(value, pretrained):
    path = pretrained / "model.yaml"
    kept, sums = path.read_text(), (pretrained / SUMS).read_text()
    try:
        (pretrained / SUMS).unlink()
        path.write_text(yaml.safe_dump({**yaml.safe_load(kept), "spread": value}))
        with pytest.raises(UserError, match=r"model.yaml: spread: expected 40 positive numbers"):
            Parts.load(pretrained)
    finally:
        path.write_text(kept)
        (pretrained / SUMS).write_text(sums)
