"""Trainings run for real on a tiny dump: all four, resumed, refused, reproduced."""

import csv
import shutil
from dataclasses import replace

import pytest
import torch
import yaml
from matplotlib.image import imread
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ctap.bin.train import train
from ctap.config import from_dict, load_yaml, to_dict
from ctap.data.dataset import dev_loader
from ctap.data.voice import VoiceConfig
from ctap.errors import UserError
from ctap.files.sums import SUMS
from ctap.files.tables import read_table
from ctap.models.model_dir import Parts
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP
from ctap.nn.prompt_encoder import PromptConfig, PromptEncoder
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.checkpoints import average_weights
from ctap.text.rules import TextRules
from ctap.text.tokens import TokenTable
from test import tiny


def config(name, **trainer):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": {**tiny.TRAINER, **trainer}}
    if name == "pretrain":
        values["model"] = tiny.MODEL
    elif name == "duration":
        values["model"] = {"layers": 2, "channels": 8, "steps": 10, "predictor_channels": 8}
    elif name == "asr":
        values["model"] = tiny.STACK
    return from_dict(TRAININGS[name][0], values, "test")


def weights(folder, part="ctap"):
    return torch.load(folder / "model" / f"{part}.pt", weights_only=True)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def pretrained(dump, tmp_path_factory):
    out = tmp_path_factory.mktemp("exp") / "ctap"
    train("pretrain", config("pretrain"), Sources(dump / "train", dump / "dev"), out)
    return out


def test_pretraining_leaves_a_model_curves_and_pictures(pretrained):
    parts = Parts.load(pretrained / "model")
    assert parts.ctap.config.embed_dim == 8
    assert parts.ctap.mean[0] == -3.0
    rows = (pretrained / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3
    columns = rows[0].split(",")
    for name in ("val/phone_retrieval", "val/phone_retrieval_shifted", "train/contrastive", "train/scale"):
        assert name in columns
    assert {p.stem for p in (pretrained / "images").glob("*.png")} == {"similarity", "alignment", "mels"}
    curves = EventAccumulator(str(pretrained / "tensorboard")).Reload()
    assert set(curves.Tags()["images"]) == {"similarity", "alignment", "mels"}
    shown = curves.Images("mels")[-1]
    assert (shown.height, shown.width, 3) == imread(pretrained / "images" / "mels.png")[..., :3].shape


def test_seed_decides_the_weights(dump, pretrained, tmp_path):
    sources = Sources(dump / "train", dump / "dev")
    train("pretrain", config("pretrain", seed=1), sources, tmp_path / "other")
    assert not same(weights(tmp_path / "other"), weights(pretrained))


def test_unfinished_training_that_differs_is_refused_by_name(dump, pretrained, tmp_path):
    out = tmp_path / "ctap"
    shutil.copytree(pretrained, out)
    shutil.rmtree(out / "model")
    changed = config("pretrain")
    changed.optim.lr = 0.5
    with pytest.raises(UserError, match=r"optim\.lr: 0\.003 -> 0\.5"):
        train("pretrain", changed, Sources(dump / "train", dump / "dev"), out)
    assert (out / "last.ckpt").exists()


def test_finished_training_that_differs_is_moved_aside_and_done_again(dump, pretrained, tmp_path):
    out = tmp_path / "ctap"
    shutil.copytree(pretrained, out)
    train("pretrain", config("pretrain", seed=3), Sources(dump / "train", dump / "dev"), out)
    assert same(weights(tmp_path / "ctap.old1"), weights(pretrained))
    assert not same(weights(out), weights(pretrained))


def test_more_steps_go_on_from_the_checkpoint(dump, pretrained, tmp_path):
    out = tmp_path / "ctap"
    shutil.copytree(pretrained, out)
    train("pretrain", config("pretrain", max_steps=12), Sources(dump / "train", dump / "dev"), out)
    rows = (out / "metrics.csv").read_text().splitlines()
    assert rows[:3] == (pretrained / "metrics.csv").read_text().splitlines()
    assert len(rows) == 4


def test_steps_need_not_fill_epochs(dump, tmp_path):
    """The last epoch is shorter, validated and saved like the others; more steps go on from there."""
    sources = Sources(dump / "train", dump / "dev")

    def steps_of(folder):
        rows = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
        assert all(row[rows[0].index("val/loss")] for row in rows[1:])
        return [int(row[0]) for row in rows[1:]]

    train("pretrain", config("pretrain", max_steps=3), sources, tmp_path / "few")
    assert steps_of(tmp_path / "few") == [3]
    train("pretrain", config("pretrain", max_steps=5), sources, tmp_path / "few")
    assert steps_of(tmp_path / "few") == [3, 4, 5]
    train("pretrain", config("pretrain", max_steps=10), sources, tmp_path / "few")
    assert steps_of(tmp_path / "few") == [3, 4, 5, 8, 10]
    train("pretrain", config("pretrain", max_steps=10), sources, tmp_path / "whole")
    assert steps_of(tmp_path / "whole") == [4, 8, 10]
    ends = (torch.load(tmp_path / f / "last.ckpt", weights_only=True) for f in ("few", "whole"))
    a, b = (end["state_dict"] for end in ends)
    assert same(a, b)


def test_a_finished_training_is_left_as_it_is(dump, pretrained, tmp_path, monkeypatch):
    out = tmp_path / "ctap"
    shutil.copytree(pretrained, out)
    monkeypatch.setattr("ctap.training.fit", None)
    train("pretrain", config("pretrain"), Sources(dump / "train", dump / "dev"), out)
    assert same(weights(out), weights(pretrained))


def test_a_loss_that_is_no_number_ends_the_training_before_it_is_saved(dump, tmp_path):
    wild = config("pretrain", max_steps=40)
    wild.optim.lr = 1e30
    with pytest.raises(UserError, match="the loss is not finite"):
        train("pretrain", wild, Sources(dump / "train"), tmp_path / "x")
    assert not (tmp_path / "x" / "last.ckpt").exists()


@pytest.mark.parametrize(
    ("reads", "train_parts", "expected"),
    [
        ("speech", None, {"decoder", "prompt_encoder"}),
        ("phonemes", None, {"decoder"}),
        ("phonemes", ["decoder", "prompt_encoder"], {"decoder", "prompt_encoder"}),
        ("speech", ["prompt_encoder"], {"prompt_encoder"}),
    ],
)
def test_finetuning_moves_what_it_says(dump, pretrained, tmp_path, reads, train_parts, expected):
    """Section 2.2.1: both encoders are frozen; from phonemes the decoder alone learns."""
    tuned = config("finetune")
    tuned.reads, tuned.train = reads, train_parts
    train("finetune", tuned, Sources(dump / "train", init=pretrained / "model"), tmp_path / "ft")
    before, after = weights(pretrained), weights(tmp_path / "ft")
    assert {k.split(".")[0] for k in before if not torch.equal(before[k], after[k])} == expected


def test_finetuning_hears_other_voices_in_training_alone(dump, pretrained, tmp_path):
    """The decoder then reads the S of moved mels; encoders stay, and validation moves no voice."""
    sources = Sources(dump / "train", dump / "dev", init=pretrained / "model")
    for name in ("plain", "moved"):
        tuned = config("finetune", max_steps=1, epoch_steps=1)
        tuned.optim.lr = 1e-12
        tuned.voice = VoiceConfig(warp=0.3, tilt=2.0) if name == "moved" else VoiceConfig()
        train("finetune", tuned, sources, tmp_path / name)
    with (tmp_path / "plain/metrics.csv").open() as one, (tmp_path / "moved/metrics.csv").open() as two:
        plain, moved = (next(csv.DictReader(file)) for file in (one, two))
    assert float(moved["val/mse"]) == pytest.approx(float(plain["val/mse"]), rel=1e-5)
    assert float(moved["train/mse"]) != pytest.approx(float(plain["train/mse"]), rel=1e-4)
    before, after = weights(pretrained), weights(tmp_path / "moved")
    assert all(torch.equal(before[k], after[k]) for k in before if "_encoder" in k and "prompt" not in k)


@pytest.mark.parametrize(("trained", "with_kl"), [(None, 1.0), (["decoder"], 0.0)])
def test_finetuning_draws_the_prompt_embedding_and_bounds_one_that_is_trained(
    dump, pretrained, trained, with_kl
):
    """L_mse + L_kl (Eq. 2 and 4), and L_mse alone where the prompt encoder stays."""
    tuned = config("finetune")
    tuned.train, tuned.kl_margin = trained, 0.0
    training = TRAININGS["finetune"][1](tuned, Sources(dump / "train", init=pretrained / "model"))
    batch = next(iter(dev_loader(training.train, tuned.data, prompt_frames=training.prompt_frames)))
    task = training.task.train()
    task.ctap.eval()  # dropout aside
    one, two = (task.losses(batch) for _ in range(2))
    assert one["mse"] != two["mse"] and one["kl"] > 0
    assert one["loss"].item() == pytest.approx((one["mse"] + with_kl * one["kl"]).item())
    task.eval()
    assert task.losses(batch)["mse"] == task.losses(batch)["mse"]


def test_finetuning_of_nothing_is_refused():
    with pytest.raises(UserError, match="nothing to train"):
        from_dict(TRAININGS["finetune"][0], {"train": []}, "x.yaml")
    with pytest.raises(UserError, match="voice: phonemes have none"):
        from_dict(TRAININGS["finetune"][0], {"reads": "phonemes", "voice": {"warp": 0.1}}, "x.yaml")


def test_duration_and_asr_leave_ctap_alone_and_add_their_part(dump, pretrained, tmp_path):
    sources = Sources(dump / "train", dump / "dev", init=pretrained / "model")
    for name in ("duration", "asr"):
        train(name, config(name), sources, tmp_path / name)
        assert same(weights(tmp_path / name), weights(pretrained))
        assert getattr(Parts.load(tmp_path / name / "model"), name) is not None
    adapted = Sources(
        dump / "train", init=pretrained / "model", duration_init=tmp_path / "duration" / "model"
    )
    train("duration", config("duration"), adapted, tmp_path / "adapted")
    a, b = weights(tmp_path / "duration", "duration"), weights(tmp_path / "adapted", "duration")
    assert torch.equal(a["mean"], b["mean"])
    assert not same(a, b)


def test_durations_of_a_model_of_other_sizes_are_refused(dump, pretrained, tmp_path):
    parts = Parts.load(pretrained / "model")
    sources = Sources(dump / "train", init=pretrained / "model", duration_init=tmp_path / "x")
    for sizes, expected in (
        ({"embed_dim": 4}, r"x beside --init .*ctap/model: model\.embed_dim is 4 there, expected 8"),
        ({"prompt_encoder": replace(parts.ctap.config.prompt_encoder, dim=5)}, r"encoder\.dim is 5 there"),
    ):
        other = replace(parts.ctap.config, **sizes)
        replace(parts, ctap=CTAP(other, len(parts.tokens))).save(tmp_path / "x")
        with pytest.raises(UserError, match=expected):
            TRAININGS["duration"][1](config("duration"), sources)
    fewer = TokenTable(parts.tokens.tokens[:-1])
    replace(parts, tokens=fewer, ctap=CTAP(parts.ctap.config, len(fewer))).save(tmp_path / "x")
    with pytest.raises(UserError, match=r"x beside --init .*: token table does not fit"):
        TRAININGS["duration"][1](config("duration"), sources)


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("pretrain", ("duration_init", "units")),
        ("finetune", ("duration_init", "units")),
        ("duration", ("units",)),
        ("asr", ("duration_init",)),
        ("semantic", ("duration_init", "units")),
        ("judge", ("init", "duration_init", "given", "units")),
        ("vocoder", ("duration_init", "units")),
    ],
)
def test_a_source_that_a_training_does_not_read_is_refused(dump, task, names):
    chosen = from_dict(TRAININGS[task][0], {}, "test")
    for name in names:
        with pytest.raises(UserError, match=f"--{name} .*x: this training does not read it"):
            TRAININGS[task][1](chosen, Sources(dump / "train", **{name: dump / "x"}))


def test_prompts_that_leave_batch_norm_a_single_value_are_refused(dump):
    values = {**tiny.MODEL, "prompt_encoder": {**tiny.MODEL["prompt_encoder"], "channels": [4] * 6}}
    chosen = from_dict(TRAININGS["pretrain"][0], {"model": values}, "test")
    with pytest.raises(UserError, match="6 convolutions halve 40 frames of 40 bands to a single value"):
        TRAININGS["pretrain"][1](chosen, Sources(dump / "train"))
    PromptEncoder(40, PromptConfig(channels=[4] * 6, frames=65)).train()(torch.randn(1, 65, 40))


def test_every_part_records_how_long_its_training_utterances_were(dump, pretrained, tmp_path):
    lengths = [int(n) for n in read_table(dump / "train" / "utt2num_frames").values()]
    most = max(lengths)
    assert most > 100  # longer than a crop
    phones = max(len(line.split()) for line in read_table(dump / "train" / "aligned_phones").values())
    first = TrainedLengths(100, 100, 100, 0, 0)
    assert Parts.load(pretrained / "model").trained == first
    sources = Sources(dump / "train", init=pretrained / "model")
    wider = {"data": {**tiny.DATA, "max_frames": 10_000}}
    for name, expected in {
        "finetune": replace(first, decoder=most),
        "asr": replace(first, asr=most),
        "semantic": replace(first, phoneme_encoder=most),
        "duration": replace(first, duration=phones),
    }.items():
        values = {**to_dict(config(name)), **wider}
        parts = TRAININGS[name][1](from_dict(TRAININGS[name][0], values, "test"), sources).parts
        assert parts.trained == expected, name
        parts.save(tmp_path / name)
        assert Parts.load(tmp_path / name).trained == expected
    # adapted on less, a part keeps what it was trained on before
    adapted = replace(sources, init=tmp_path / "finetune", duration_init=tmp_path / "duration")
    again = TRAININGS["duration"][1](config("duration"), adapted).parts.trained
    assert (again.duration, again.decoder) == (phones, most)
    narrow = TRAININGS["finetune"][1](config("finetune"), replace(adapted, duration_init=None))
    assert narrow.parts.trained.decoder == most
    described = load_yaml(pretrained / "model" / "model.yaml")
    del described["trained"]
    shutil.copytree(pretrained / "model", tmp_path / "old", ignore=shutil.ignore_patterns(SUMS))
    (tmp_path / "old" / "model.yaml").write_text(yaml.safe_dump(described))
    assert Parts.load(tmp_path / "old").trained == TrainedLengths()


def test_data_whose_text_is_read_in_another_way_is_refused_by_name(dump, pretrained, tmp_path):
    assert Parts.load(pretrained / "model").text == TextRules()
    other = tmp_path / "dump"
    shutil.copytree(dump, other)
    TextRules(sandhi=True).save(other / "train")
    TextRules(sandhi=True).save(other / "dev")
    sources = Sources(other / "train", other / "dev")
    message = r"train/text\.json: .* than that of .*model: sandhi true, not false"
    with pytest.raises(UserError, match=message):
        train("asr", config("asr"), replace(sources, init=pretrained / "model"), tmp_path / "x")
    with pytest.raises(UserError, match=message):
        train("pretrain", config("pretrain"), replace(sources, init=pretrained / "model"), tmp_path / "y")
    with pytest.raises(UserError, match=r"dev/text\.json: .* than that of .*train: sandhi false, not true"):
        train("pretrain", config("pretrain"), replace(sources, dev_dir=dump / "dev"), tmp_path / "z")
    built = TRAININGS["pretrain"][1](config("pretrain"), sources)
    assert built.parts.text.sandhi
    # speech alone has no text to be read
    TRAININGS["finetune"][1](config("finetune"), replace(sources, init=pretrained / "model"))
    assert sources.fingerprints() != Sources(dump / "train", dump / "dev").fingerprints()


def test_a_training_is_told_from_one_of_other_text_audio_or_settings(dump, tmp_path):
    other = tmp_path / "dump"
    shutil.copytree(dump, other)
    (tmp_path / "units").write_bytes(b"")
    sources = Sources(other / "train", units=tmp_path / "units")
    known = [sources.fingerprints()]
    for name in ("train/text", "train/utt2audio", "audio.json"):
        with (other / name).open("a") as file:
            file.write("\n")
        assert sources.fingerprints() not in known, name
        known.append(sources.fingerprints())


def test_other_mel_settings_are_refused_by_name(dump, pretrained, tmp_path):
    from ctap.audio.settings import AudioSettings

    other = tmp_path / "dump"
    shutil.copytree(dump, other)
    AudioSettings(f_max=7600.0).save(other / "audio.json")
    with pytest.raises(UserError, match="f_max"):
        train(
            "finetune",
            config("finetune"),
            Sources(other / "train", init=pretrained / "model"),
            tmp_path / "x",
        )


def test_another_token_table_is_refused_by_name(dump, pretrained, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(pretrained / "model", model, ignore=shutil.ignore_patterns(SUMS))
    table = (model / "tokens.txt").read_text().replace("rr ", "r_r ")
    (model / "tokens.txt").write_text(table)
    start = from_dict(
        TRAININGS["pretrain"][0], {**yaml.safe_load(yaml.safe_dump({"model": tiny.MODEL}))}, "test"
    )
    start.trainer = config("pretrain").trainer
    with pytest.raises(UserError, match="r_r"):
        train("pretrain", start, Sources(dump / "train", init=model), tmp_path / "x")


def test_weights_that_do_not_fit_are_refused_by_name(pretrained, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(pretrained / "model", model, ignore=shutil.ignore_patterns(SUMS))
    described = load_yaml(model / "model.yaml")
    described["parts"]["ctap"]["embed_dim"] = 4
    (model / "model.yaml").write_text(yaml.safe_dump(described))
    with pytest.raises(UserError, match=r"project\.weight: \[8, 16\] in the file, \[4, 16\] in the model; "):
        Parts.load(model)


def test_averaged_weights_are_the_mean(tmp_path):
    for i in (1.0, 3.0):
        state = {"w": torch.full((2,), i), "n": torch.tensor(5)}
        torch.save({"state_dict": state}, tmp_path / f"{i}.ckpt")
    mean = average_weights(sorted(tmp_path.glob("*.ckpt")))
    assert mean["w"].tolist() == [2.0, 2.0]
    assert mean["n"] == 5
