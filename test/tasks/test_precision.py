"""Every training under every precision of a processor: killed and resumed, near float32, clipped unscaled."""

import copy
import csv

import lightning
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision

from ctap.bin.train import train
from ctap.config import from_dict, load_yaml, save_yaml
from ctap.data.dataset import dev_loader, train_loader
from ctap.errors import UserError
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.settings import TrainerConfig, native_bfloat16, product_precision
from test import tiny

CASES = [
    "pretrain",
    "pretrain ours",
    "finetune speech",
    "finetune phonemes",
    "duration",
    "semantic",
    "asr",
    "judge",
]
PRECISIONS = ["32-true", "bf16-mixed"]


def config(case, **trainer):
    name, *reads = case.split()
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": {**tiny.TRAINER, **trainer}}
    if reads == ["ours"]:  # what the paper does not have
        values["optim"] = {**tiny.OPTIM, "name": "muon"}
        values["voice"] = {"warp": 0.1, "tilt": 1.0}
    own = {
        "pretrain": {"model": tiny.MODEL, "loss": {"phoneme_weight": 1.0, "phoneme_decoder": tiny.STACK}},
        "finetune": {"reads": reads[0] if reads else "speech"},
        "duration": {"model": {"layers": 2, "channels": 8, "steps": 10, "predictor_channels": 8}},
        "asr": {"model": tiny.STACK},
        "judge": {"model": tiny.STACK},
    }
    return from_dict(TRAININGS[name][0], {**values, **own.get(name, {})}, "test")


@pytest.fixture(scope="module")
def model(dump, tmp_path_factory):
    """A pretrained model to start the other trainings from."""
    out = tmp_path_factory.mktemp("exp") / "ctap"
    return train("pretrain", config("pretrain"), Sources(dump / "train"), out)


def sources(case, dump, model):
    anew = case.split()[0] in ("pretrain", "judge")
    return Sources(dump / "train", dump / "dev", init=None if anew else model)


def grad_norms(out):
    with (out / "metrics.csv").open() as file:
        return [float(row["train/grad_norm"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CASES)
def test_killed_and_resumed_equals_undisturbed(case, precision, dump, model, tmp_path, monkeypatch):
    """Killed in the second epoch, started again: the same weights, bit by bit, and the same curves."""
    name, given = case.split()[0], sources(case, dump, model)
    chosen = config(case, precision=precision)
    train(name, chosen, given, tmp_path / "whole")
    step = Task.training_step

    def dies(self, batch, index):
        if self.global_step == 6:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(Task, "training_step", dies)
    with pytest.raises(KeyboardInterrupt):
        train(name, chosen, given, tmp_path / "killed")
    assert (tmp_path / "killed/last.ckpt").exists() and not (tmp_path / "killed/model").exists()
    monkeypatch.setattr(Task, "training_step", step)
    train(name, chosen, given, tmp_path / "killed")
    parts = sorted(p.name for p in (tmp_path / "whole/model").glob("*.pt"))
    assert parts
    for part in parts:
        a, b = (torch.load(tmp_path / f"{d}/model/{part}", weights_only=True) for d in ("whole", "killed"))
        assert all(torch.equal(a[k], b[k]) for k in a)
        assert all(v.dtype != torch.bfloat16 for v in a.values())
    assert (tmp_path / "whole/metrics.csv").read_text() == (tmp_path / "killed/metrics.csv").read_text()
    assert all(norm > 0 for norm in grad_norms(tmp_path / "whole"))


@pytest.mark.parametrize("case", CASES)
def test_losses_in_bfloat16_are_those_of_float32_within_two_percent(case, dump, model):
    """Of one batch and the same weights; a loss is a mean over hundreds of frames, of 8 bits each."""
    chosen = config(case)
    training = TRAININGS[case.split()[0]][1](chosen, sources(case, dump, model))
    batch = next(iter(dev_loader(training.train, chosen.data, prompt_frames=training.prompt_frames)))
    found = []
    for bfloat16 in (False, True):
        torch.manual_seed(0)  # noise of the duration model
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            found.append(training.task.eval().losses(batch))
    for name, exact in found[0].items():
        tolerance = 0.02 if "accuracy" not in name else 0.05
        assert found[1][name].item() == pytest.approx(exact.item(), rel=tolerance, abs=0.005), name


def one_step(dump, tmp_path, clip, plugin=None):
    """Weights and logged norm after one step of plain gradient descent, so that clipping shows in full."""
    chosen = config("pretrain", gradient_clip=clip, max_steps=1, epoch_steps=1)
    training = TRAININGS["pretrain"][1](chosen, Sources(dump / "train"))
    task = training.task
    before = copy.deepcopy(task.state_dict())
    task.configure_optimizers = lambda: torch.optim.SGD(
        [p for p in task.parameters() if p.requires_grad], 1.0
    )
    loader = train_loader(
        training.train,
        chosen.data,
        prompt_frames=training.prompt_frames,
        epoch_steps=1,
        max_steps=1,
        position=lambda: 0,
        seed=1,
    )
    trainer = lightning.Trainer(
        max_steps=1,
        accelerator="cpu",
        devices=1,
        plugins=[plugin] if plugin else [],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(task, loader)
    moved = [(task.state_dict()[k] - before[k]) for k, p in task.named_parameters() if p.requires_grad]
    return torch.cat([m.flatten() for m in moved]), float(trainer.callback_metrics["train/grad_norm"])


def test_clipping_acts_on_unscaled_gradients(dump, tmp_path):
    """Under a loss scaler as float16 needs it, here on the processor: as in float32 without one."""
    plain, norm = one_step(dump, tmp_path, clip=0.5)
    assert norm > 0.5  # so that it is clipped
    assert plain.norm().item() == pytest.approx(0.5, rel=1e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaled, logged = one_step(dump, tmp_path, clip=0.5, plugin=MixedPrecision("16-mixed", "cpu", scaler))
    assert logged == pytest.approx(norm, rel=0.02)  # not 1024 times it
    assert scaled.norm().item() == pytest.approx(0.5, rel=1e-2)
    assert torch.cosine_similarity(plain, scaled, dim=0) > 0.99


def test_without_clipping_the_norm_is_only_logged(dump, tmp_path):
    moved, norm = one_step(dump, tmp_path, clip=0.0)
    assert moved.norm().item() == pytest.approx(norm, rel=1e-3)


def test_auto_is_what_the_processor_computes_in(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)  # a GPU that this training does not use
    here = TrainerConfig(accelerator="cpu")
    assert here.computes_in == ("bf16-mixed" if native_bfloat16(gpu=False) else "32-true")
    for supported, expected in ((True, "bf16-mixed"), (False, "32-true")):
        monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda s=supported, **_: s)
        assert TrainerConfig(accelerator="gpu").computes_in == expected


def test_a_resumed_training_computes_in_what_it_was_begun_in(dump, tmp_path, monkeypatch):
    given, out = Sources(dump / "train"), tmp_path / "ctap"
    for half, steps, restart, expected in (
        (True, 2, False, "bf16-mixed"),
        (False, 4, False, "bf16-mixed"),  # on a machine that computes in float32
        (False, 4, True, "32-true"),
        (True, 6, False, "32-true"),
    ):
        monkeypatch.setattr("ctap.tasks.settings.native_bfloat16", lambda gpu, half=half: half)
        chosen = config("pretrain", precision="auto", max_steps=steps, epoch_steps=2)
        train("pretrain", chosen, given, out, restart=restart)
        assert load_yaml(out / "config.yaml")["computes_in"] == expected
        assert load_yaml(out / "config.yaml")["trainer"]["precision"] == "auto"
    for halves in (True, False):  # what was asked for is compared, not what it led to
        monkeypatch.setattr("ctap.tasks.settings.native_bfloat16", lambda gpu, half=halves: half)
        before = (out / "last.ckpt").stat().st_mtime_ns
        train("pretrain", config("pretrain", precision="auto", max_steps=6, epoch_steps=2), given, out)
        assert (out / "last.ckpt").stat().st_mtime_ns == before
        recorded = load_yaml(out / "config.yaml")
        recorded.pop("computes_in", None)  # as earlier versions wrote it
        save_yaml(recorded, out / "config.yaml")


def test_a_training_begun_anew_computes_in_what_this_machine_does(dump, tmp_path, monkeypatch):
    """It took the precision of the one that it took the place of: bfloat16 on a machine without it."""
    given, out = Sources(dump / "train"), tmp_path / "ctap"
    for half, rate, expected in ((True, 1e-3, "bf16-mixed"), (False, 2e-3, "32-true")):
        monkeypatch.setattr("ctap.tasks.settings.native_bfloat16", lambda gpu, half=half: half)
        chosen = config("pretrain", precision="auto", max_steps=2, epoch_steps=2)
        chosen.optim.lr = rate
        train("pretrain", chosen, given, out)
        assert load_yaml(out / "config.yaml")["computes_in"] == expected
    assert load_yaml(tmp_path / "ctap.old1/config.yaml")["computes_in"] == "bf16-mixed"


def test_products_of_a_gpu_are_as_precise_as_its_networks(monkeypatch):
    def now():
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before = now()
    monkeypatch.setattr("torch.get_float32_matmul_precision", lambda: pytest.fail("no GPU is used"))
    with product_precision(TrainerConfig(precision="bf16-mixed", accelerator="cpu")):
        pass
    monkeypatch.undo()
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for precision, expected in (("16-mixed", ("high", True)), ("32-true", ("highest", False))):
        with pytest.raises(KeyboardInterrupt), product_precision(TrainerConfig(precision=precision)):
            assert now() == expected
            raise KeyboardInterrupt
        assert now() == before  # whatever else a notebook does


def test_the_optimiser_is_fused_but_under_a_scaler(dump, monkeypatch):
    training = TRAININGS["pretrain"][1](config("pretrain"), Sources(dump / "train"))
    assert training.task.configure_optimizers()["optimizer"].defaults["fused"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    training.task.settings = TrainerConfig(precision="16-mixed")
    assert not training.task.configure_optimizers()["optimizer"].defaults["fused"]


def test_float16_is_refused_on_a_processor():
    with pytest.raises(UserError, match="16-mixed"):
        TrainerConfig(precision="16-mixed", accelerator="cpu")
