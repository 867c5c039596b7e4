"""Systems that read another representation (section 3.2): how they are trained and used."""

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
from ctap.models.model_dir import Parts
from ctap.nn.ctap import CTAP
from ctap.tasks.build import TRAININGS, Sources
from ctap.text.languages import older
from test import tiny

PHONES, DURATIONS = ["sil", "b", "a1", "sil"], [3, 4, 5, 2]
DIM = 5


def config(name, **values):
    values = {"data": tiny.DATA, "optim": {**tiny.OPTIM, "lr": 0.01}, "trainer": tiny.TRAINER, **values}
    if name == "finetune":
        values["model"] = {k: v for k, v in tiny.MODEL.items() if k != "embed_dim"}
    if name == "asr":
        values["model"] = tiny.STACK
    return from_dict(TRAININGS[name][0], values, "test")


@pytest.fixture(scope="module")
def features(dump, tmp_path_factory):
    """The dump once more, with a representation for its features."""
    root = tmp_path_factory.mktemp("other") / "dump"
    shutil.copytree(dump, root)
    turn = np.random.default_rng(0).normal(size=(40, DIM))
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


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """A CTAP model with a speech encoder of its own."""
    folder = tmp_path_factory.mktemp("exp") / "model"
    torch.manual_seed(0)
    tokens = older().tokens
    sizes = from_dict(type(TRAININGS["pretrain"][0]().model), tiny.MODEL, "test")
    Parts(tokens, AudioSettings(), CTAP(sizes, len(tokens), mean=[-3.0] * 40, std=[1.2] * 40)).save(folder)
    return folder


@pytest.fixture(scope="module")
def acoustic(dump, features, tmp_path_factory):
    """A new decoder and prompt encoder that read the representation."""
    out = tmp_path_factory.mktemp("exp") / "acoustic"
    train("finetune", config("finetune"), Sources(dump / "train", dump / "dev", given=features), out)
    return out / "model"


@pytest.fixture(scope="module")
def semantic(dump, features, acoustic, tmp_path_factory):
    out = tmp_path_factory.mktemp("exp") / "semantic"
    sources = Sources(dump / "train", dump / "dev", init=acoustic, given=features)
    longer = config("semantic", trainer={**tiny.TRAINER, "max_steps": 20, "epoch_steps": 10})
    train("semantic", longer, sources, out)
    return out / "model"


def errors_of(out):
    lines = (out / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("val/loss")
    return [float(line.split(",")[column]) for line in lines[1:]]


def test_frames_are_normalised_by_the_dumps_own_statistics(features, acoustic):
    frames = MatrixReader(features / "dev" / "feats.scp")
    stats = json.loads((features / "stats.json").read_text())
    loaded = ctap.load(acoustic, device="cpu")
    for utt in list(frames)[:3]:
        expected = (frames[utt] - stats["mean"]) / stats["std"]
        np.testing.assert_allclose(loaded.embed(frames[utt]).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_semantic_error_by_hand(dump, features, acoustic):
    """Mean over real frames and dimensions of the squared error, in units of the standard deviation."""
    chosen = config("semantic")
    training = TRAININGS["semantic"][1](chosen, Sources(dump / "train", init=acoustic, given=features))
    batch = next(iter(dev_loader(training.train, chosen.data, prompt_frames=40)))
    task = training.task.eval()
    trained = {name.split(".")[1] for name, w in task.named_parameters() if w.requires_grad}
    assert trained == {"phoneme_encoder"}  # all have a gradient, as training on several processes asks
    loss = task.losses(batch)["loss"].item()
    stats = json.loads((features / "stats.json").read_text())
    model = task.ctap.phoneme_encoder
    said = model(batch.tokens, batch.durations, batch.mel.shape[1], batch.mask).detach().numpy()
    errors = [
        ((y - stats["mean"]) / stats["std"] - x) ** 2
        for own, truth, n in zip(said, batch.given.numpy(), batch.lengths.tolist(), strict=True)
        for x, y in zip(own[:n], truth[:n], strict=True)
    ]
    assert loss == pytest.approx(np.mean(errors), rel=1e-4)


def test_semantic_training_touches_the_text_side_alone(acoustic, semantic):
    errors = errors_of(semantic.parent)
    assert errors[-1] < errors[0]
    before, after = (torch.load(d / "ctap.pt", weights_only=True) for d in (acoustic, semantic))
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"phoneme_encoder"}


def test_voice_from_text_and_from_frames(dump, features, semantic, tmp_path):
    """Fine-tuned on a speaker from both sides, it speaks and converts; recognition reads the frames, too."""
    sources = Sources(dump / "train", init=semantic, given=features)
    voice_dir = train("finetune", config("finetune", reads="phonemes"), sources, tmp_path / "tts")
    before, after = (torch.load(d / "ctap.pt", weights_only=True) for d in (semantic, voice_dir))
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"decoder"}
    voice = ctap.load(voice_dir, device="cpu")
    prompt = tiny.voice(1.0)
    speech = voice.synthesize(PHONES, prompt, durations=DURATIONS)
    assert speech.mel.shape == (sum(DURATIONS), 40)
    entries = (features / "dev" / "feats.scp").read_text().splitlines()
    utt, entry = entries[0].split(maxsplit=1)
    frames = MatrixReader(features / "dev" / "feats.scp")[utt]
    assert voice.convert(entry, prompt).mel.shape == (len(frames), 40)
    train("asr", config("asr"), sources, tmp_path / "asr")
    heard = ctap.load(tmp_path / "asr" / "model", device="cpu").recognize(entry)
    assert len(heard.frame_phones) == len(frames)


def test_what_does_not_fit_is_named(dump, features, acoustic, model_dir, tmp_path):
    build = TRAININGS["semantic"][1]
    with pytest.raises(UserError, match="reads another representation: give its dump directory with --given"):
        build(config("semantic"), Sources(dump / "train", init=acoustic))
    with pytest.raises(UserError, match="makes S of mels; leave --given out"):
        build(config("semantic"), Sources(dump / "train", init=model_dir, given=features))
    with pytest.raises(UserError, match=r"frames of 40 dimensions, the model reads 5"):
        build(config("semantic"), Sources(dump / "train", init=acoustic, given=dump))
    with pytest.raises(UserError, match="give a model directory, or another representation"):
        TRAININGS["finetune"][1](config("finetune"), Sources(dump / "train"))
    with pytest.raises(UserError, match="pretraining makes its own representation"):
        pretraining = from_dict(TRAININGS["pretrain"][0], {"model": {**tiny.MODEL, "given": True}}, "test")
        TRAININGS["pretrain"][1](pretraining, Sources(dump / "train"))
    other = tmp_path / "dump"
    shutil.copytree(features, other)
    frames = MatrixReader(features / "train" / "feats.scp")
    with MatrixWriter(other / "train" / "feats.ark", other / "train" / "feats.scp") as writer:
        for i, utt in enumerate(frames):
            writer[utt] = frames[utt][: len(frames[utt]) - (i == 1)]
    with pytest.raises(
        UserError, match=rf"{list(frames)[1]}: \d+ frames, \d+ in .*dump this representation again"
    ):
        build(config("semantic"), Sources(dump / "train", init=acoustic, given=other))
    voice = ctap.load(acoustic, device="cpu")
    with pytest.raises(UserError, match="reads frames of another representation, no waves"):
        voice.embed("somewhere/a.wav")
    for shape in ((7, 40), (0, 5), (5,)):
        with pytest.raises(UserError, match=r"an array: frames \[.*\], expected \[T, 5\]"):
            voice.embed(np.zeros(shape, np.float32))
    with pytest.raises(UserError, match="holds NaN"):
        voice.embed(np.full((7, 5), np.nan, np.float32))
    with pytest.raises(UserError, match=r"Tensor: expected an entry of a feats\.scp, or a numpy array"):
        voice.embed(torch.zeros(7, 5))
