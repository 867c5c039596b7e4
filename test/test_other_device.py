"""Trainings and models away from the processor: what they compute there is what they compute here."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.utilities import move_data_to_device

from ctap.audio.settings import AudioSettings
from ctap.data.dataset import FeatureSet, dev_loader, train_loader
from ctap.data.waves import WaveBatch
from ctap.metrics.probe import speaker_probe
from ctap.models.encoded import Encoded, untrained
from ctap.models.inference import Model
from ctap.models.many import Wanted, synthesize_many
from ctap.models.model_dir import Parts
from ctap.models.vocoder import load_vocoder
from ctap.nn.vocoder import SourceFilter, VocoderConfig
from ctap.report.training import Pictures
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS
from ctap.tasks.optimiser import make_optimizer
from ctap.tasks.spreading import measure_spread
from ctap.tasks.vocoder import VocoderTask, VocoderTaskConfig
from test import tiny
from test.other_device import DEVICE, OtherDevice
from test.tasks.test_precision import CASES, config, model, sources
from test.tiny_model import save_model, save_tone

__all__ = ["model"]  # the fixture


def one_step(training, chosen, device, monkeypatch):
    """Loss, logged figures and sums of weights of one step and one validation on ``device``."""
    logged = []
    monkeypatch.setattr(Task, "report", lambda self, stage, figures, weight: logged.append(dict(figures)))
    monkeypatch.setattr(Task, "log", lambda self, name, value, **_: logged.append({name: value}))
    monkeypatch.setattr(Task, "trainer", SimpleNamespace(is_global_zero=True))
    data = {"prompt_frames": training.prompt_frames}
    loader = train_loader(
        training.train, chosen.data, **data, epoch_steps=1, max_steps=1, position=lambda: 0, seed=1
    )
    batches = [next(iter(x)) for x in (loader, dev_loader(training.train, chosen.data, **data))]
    task = training.task.to(device).train()
    batch, held_out = (move_data_to_device(x, device) for x in batches)
    optimizer = make_optimizer(task, chosen.optim, "32-true")
    torch.manual_seed(0)
    task.training_step(batch, 0).backward()
    torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        task.eval().validation_step(held_out, 0)
    figures = {f"{i} {k}": float(v) for i, step in enumerate(logged) for k, v in step.items()}
    weights = {k: float(v.detach().double().abs().sum()) for k, v in task.named_parameters()}
    return figures, weights


@pytest.mark.parametrize("case", CASES)
def test_a_step_elsewhere_is_the_step_here(case, dump, model, monkeypatch):
    build, chosen = TRAININGS[case.split()[0]][1], config(case)
    figures, weights = one_step(build(chosen, sources(case, dump, model)), chosen, "cpu", monkeypatch)
    with OtherDevice():
        found = one_step(build(chosen, sources(case, dump, model)), chosen, DEVICE, monkeypatch)
    assert len(figures) >= 2 and len(weights) > 2
    assert found[0] == pytest.approx(figures, rel=1e-4, abs=1e-5)
    assert found[1] == pytest.approx(weights, rel=1e-4)


def test_the_vocoder_learns_elsewhere_as_here(monkeypatch, tmp_path):
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    batch = WaveBatch(torch.from_numpy(tiny.voice(0.4))[None], torch.full((1, 41), 140.0), torch.ones(1))

    def step(device):
        logged = []
        monkeypatch.setattr(Task, "report", lambda self, stage, figures, weight: logged.append(figures))
        monkeypatch.setattr(Task, "trainer", SimpleNamespace(is_global_zero=True))
        torch.manual_seed(0)
        task = VocoderTask(SourceFilter(sizes, AudioSettings()), VocoderTaskConfig(sizes)).to(device)
        task.training_step(move_data_to_device(batch, device), 0).backward()
        with torch.no_grad():
            seen = task.eval().validation_step(move_data_to_device(batch, device), 0)
        trainer = SimpleNamespace(default_root_dir=tmp_path, logger=None)
        Pictures().on_validation_batch_end(trainer, task, seen)
        grads = [float(p.grad.double().abs().sum()) for p in task.parameters()]
        return [float(v) for figures in logged for v in figures.values()] + grads

    here = step("cpu")
    with OtherDevice():
        assert step(DEVICE) == pytest.approx(here, rel=1e-3, abs=1e-5)


def everything(model, prompt, source):
    """What a model can do, as arrays by name."""
    voice = model.prompt(prompt)
    said = model.synthesize("今天天气很好。你好！", prompt, seed=3)
    together = synthesize_many(model, [Wanted("你好", voice), Wanted("今天天气", voice, seed=2)])
    g = model.embed_prompt(prompt)
    found = {
        "S": model.embed(source),
        "P": model.embed_phones(["n", "i3"], [8, 15]),
        "G": g,
        "durations": torch.tensor(said.durations),
        "predicted durations": torch.tensor(model.predict_durations(["n", "i3"], prompt, "deterministic")),
        "said": said.wave,
        "converted": model.convert(source, prompt).wave,
        "converted with the source's melody": model.convert(source, prompt, "source").wave,
        "mel": model.mel_of(["n", "i3"], [8, 15], g),
        "phones heard": np.array(model.parts.tokens.encode(model.recognize(source).frame_phones)),
        **{f"said together {i}": speech.wave for i, speech in enumerate(together)},
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}


def test_a_model_elsewhere_says_and_hears_the_same(tmp_path):
    path, prompt = save_model(tmp_path / "model"), save_tone(tmp_path / "prompt.wav", 2.0)
    source = tiny.voice(1.5)
    here = everything(Model(Parts.load(path)), prompt, source)
    heard = Model(Parts.load(path)).prompt(prompt)
    with OtherDevice():
        model = Model(Parts.load(path), DEVICE)
        elsewhere = everything(model, prompt, source)
        said = model.convert(source, heard).wave  # heard here, used there
        np.testing.assert_allclose(said, elsewhere["converted"], atol=1e-3)
    for name, value in here.items():
        np.testing.assert_allclose(elsewhere[name], value, atol=1e-3, err_msg=name)


def test_the_vocoder_elsewhere_gives_the_same_in_pieces(tmp_path):
    mel = torch.randn(120, 40, generator=torch.Generator().manual_seed(0)) - 4
    f0 = torch.linspace(100, 200, 120)
    here = load_vocoder("pretrained", AudioSettings())
    with OtherDevice():
        elsewhere = load_vocoder("pretrained", AudioSettings(), DEVICE)
        for own in ((), (f0,)):
            streamed = np.concatenate([np.asarray(x) for x in elsewhere.stream(mel.split(17), *own)])
            np.testing.assert_allclose(streamed, np.asarray(here(mel, *own)), atol=1e-3)
        np.testing.assert_allclose(elsewhere.f0(mel), here.f0(mel), rtol=1e-4)


def test_scores_and_spread_elsewhere_are_the_same(dump, model, monkeypatch):
    parts, chosen = Parts.load(model), config("finetune speech")
    held_out = FeatureSet(dump / "dev", parts.tokens)
    single = dataclasses.replace(chosen.data, batch_size=1)
    batches = list(dev_loader(held_out, single, prompt_frames=40))
    training = TRAININGS["finetune"][1](chosen, sources("finetune speech", dump, model))

    def scores(device):
        moved = [move_data_to_device(x, device) for x in batches]
        parts.ctap.to(device).eval()
        encoded = Encoded(parts.ctap, parts.trained, moved, seed=0)
        return encoded.figures | untrained(parts, moved, seed=0).figures | {"c": [encoded.contrastive(2)]}

    with torch.no_grad():
        here = scores("cpu")
        measure_spread(training, chosen.data, torch.device("cpu"))
        spread = training.task.ctap.decoder.spread.clone()
        with OtherDevice():
            elsewhere = scores(DEVICE)
            measure_spread(training, chosen.data, DEVICE)
    for name, values in here.items():
        assert elsewhere[name] == pytest.approx(values, rel=1e-3), name
    found = training.task.ctap.decoder.spread
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, spread, rtol=1e-4, atol=1e-5)


def test_the_probe_elsewhere_finds_the_same():
    frames = torch.randn(40, 30, 8, generator=torch.Generator().manual_seed(0))
    speakers = ["a" if x[:, 0].mean() > 0 else "b" for x in frames]
    here = speaker_probe(list(frames), speakers)
    with OtherDevice():
        found = speaker_probe(list(frames.to(DEVICE)), speakers)
    assert found.correct.tolist() == here.correct.tolist()


def test_what_stands_in_for_a_gpu_refuses_what_a_gpu_refuses():
    with OtherDevice():
        away = torch.zeros(4, 4, device=DEVICE)
        assert (away + torch.tensor(1.0)).sum().item() == 16
        assert away[torch.tensor([0, 1])].device == DEVICE
        for wrong in (
            lambda: away + torch.arange(4),
            lambda: torch.zeros(4)[away[0].long()],
            lambda: np.asarray(away),
            lambda: torch.cat([away, torch.zeros(1, 4)]),
        ):
            with pytest.raises((RuntimeError, TypeError)):
                wrong()
