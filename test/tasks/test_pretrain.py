"""Losses of pretraining and of its ablations (paper, sections 2.1.2 and 3.2) against numpy."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ctap.bin.train import train
from ctap.config import from_dict
from ctap.data.dataset import dev_loader
from ctap.errors import UserError
from ctap.metrics.representation import MAX_SHIFT
from ctap.nn.refiner import RefinerConfig
from ctap.nn.speech_encoder import SpeechEncoder
from ctap.nn.transformer import StackConfig
from ctap.own import OwnModule
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.pretrain import PretrainTask
from test import tiny

WITHOUT_DECODER = {"mse_weight": 0.0, "kl_weight": 0.0}


def config(name="pretrain", voice=None, **loss):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": tiny.TRAINER}
    if name == "pretrain":
        values |= {"voice": voice or {}, "model": tiny.MODEL, "loss": {"phoneme_decoder": tiny.STACK, **loss}}
    return from_dict(TRAININGS[name][0], values, "test")


def weights(folder):
    return torch.load(folder / "model" / "ctap.pt", weights_only=True)


def moved(before, after):
    """Names of the parts of CTAP that differ."""
    return {k.split(".")[0] for k in before if not torch.equal(before[k], after[k])}


class KeywordOffset(SpeechEncoder):
    """An own encoder as docs/python.md describes it: the offset comes by its name."""

    def __init__(self, n_mels: int, embed_dim: int) -> None:
        super().__init__(n_mels, embed_dim, StackConfig(**tiny.STACK))

    def forward(self, mel, mask=None, *, offset=0):
        return super().forward(mel, mask, offset)


def task_and_batch(dump, **loss):
    """A task in evaluation mode, and a batch with padding in it."""
    chosen = config(**loss)
    training = TRAININGS["pretrain"][1](chosen, Sources(dump / "train"))
    batch = next(iter(dev_loader(training.train, chosen.data, prompt_frames=training.prompt_frames)))
    assert len(set(batch.lengths.tolist())) > 1
    return training.task.eval(), batch


def real_frames(batch, x):
    """Frames of all utterances without padding [N, D], utterance by utterance."""
    return np.concatenate(
        [row[:n].detach().numpy() for row, n in zip(x, batch.lengths.tolist(), strict=True)]
    )


def cross_entropy(logits, labels):
    logits = logits.astype(np.float64)
    return np.mean([math.log(np.exp(row - row[k]).sum()) for row, k in zip(logits, labels, strict=True)])


def contrastive(task, s, p):
    logits = task.ctap.scale.item() * s.astype(np.float64) @ p.T
    own = np.arange(len(s))
    return 0.5 * (cross_entropy(logits, own) + cross_entropy(logits.T, own))


def test_the_total_is_the_papers_sum(dump):
    """L = L_contrastive + 0.5 (mse of Mel_s + mse of Mel_p) + max(0, KL - margin)."""
    task, batch = task_and_batch(dump, kl_margin=0.0)
    losses, seen = task(batch)
    s, p, mel_s, mel_p = (real_frames(batch, x) for x in seen)
    target = real_frames(batch, (batch.mel + 3.0) / 1.2)
    mean, log_variance = (
        x.detach().double().numpy() for x in task.ctap.prompt_encoder((batch.prompt + 3.0) / 1.2)
    )
    kl = (0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)).sum(axis=1).mean()
    mse = 0.5 * (((mel_s - target) ** 2).mean() + ((mel_p - target) ** 2).mean())
    assert losses["loss"].item() == pytest.approx(contrastive(task, s, p) + mse + kl, rel=1e-5)
    assert kl > 0


def test_the_weight_of_the_kl_grows_in_training_alone(dump, monkeypatch):
    """Losses of validations are compared for the best checkpoint: all have the full weight."""
    growing, batch = task_and_batch(dump, kl_margin=0.0, kl_warmup_steps=10)
    whole, _ = task_and_batch(dump, kl_margin=0.0)
    assert growing(batch)[0]["loss"].item() == whole(batch)[0]["loss"].item()
    for step, lacking in ((0, 1.0), (4, 0.6), (30, 0.0)):
        monkeypatch.setattr(PretrainTask, "global_step", step)
        found = []
        for task in (growing, whole):
            torch.manual_seed(1)
            found.append(task.train()(batch)[0])
        difference = (found[1]["loss"] - found[0]["loss"]).item()
        assert difference == pytest.approx(lacking * found[1]["kl"].item(), rel=1e-3, abs=1e-4)


def test_every_phone_of_a_batch_is_an_instance_of_its_own(dump):
    task, batch = task_and_batch(dump)
    seen = []
    task.contrastive.register_forward_pre_hook(lambda _, given: seen.append(given[4:]))
    task(batch)
    phones, instances = (real_frames(batch, x) for x in seen[0])
    spans = batch.durations[batch.phone_mask].numpy()
    np.testing.assert_array_equal(phones, np.repeat(batch.tokens[batch.phone_mask].numpy(), spans))
    numbers = np.unique(instances, return_inverse=True)[1]
    np.testing.assert_array_equal(numbers, np.repeat(np.arange(len(spans)), spans))


def test_embedding_error_is_added_with_its_weight(dump):
    """Section 3.2, CTAP + L_mse(embed): an additional MSE of speech and phoneme embeddings."""
    task, batch = task_and_batch(dump, embed_weight=0.7)
    losses, seen = task(batch)
    s, p = (real_frames(batch, x) for x in seen[:2])
    assert losses["mse_embed"].item() == pytest.approx(((s - p) ** 2).mean(), rel=1e-5)
    plain, same_batch = task_and_batch(dump)
    without = plain(same_batch)[0]
    assert "mse_embed" not in without
    added = losses["loss"].item() - without["loss"].item()
    assert added == pytest.approx(0.7 * ((s - p) ** 2).mean(), rel=1e-4)


def test_embedding_error_trains_both_encoders(dump):
    alone = {"contrastive_weight": 0.0, "embed_weight": 1.0, **WITHOUT_DECODER}
    task, batch = task_and_batch(dump, **alone)
    task.train()(batch)[0]["loss"].backward()
    for encoder in (task.ctap.speech_encoder, task.ctap.phoneme_encoder):
        assert all(w.grad is not None and w.grad.abs().sum() > 0 for w in encoder.parameters())


def test_phoneme_decoder_adds_two_cross_entropies(dump):
    """Section 3.2, CTAP + decoder_phoneme: phones read from S, and from P, each a mean over frames."""
    task, batch = task_and_batch(dump, phoneme_weight=0.5)
    losses, seen = task(batch)
    labels = np.concatenate(
        [np.repeat(t, d) for t, d in zip(batch.tokens.numpy(), batch.durations.numpy(), strict=True)]
    )
    two = [
        cross_entropy(real_frames(batch, task.phoneme_decoder(x, batch.mask)[0]), labels) for x in seen[:2]
    ]
    assert losses["phonemes"].item() == pytest.approx(sum(two), rel=1e-5)
    right = real_frames(batch, task.phoneme_decoder(seen[0], batch.mask)[0]).argmax(1) == labels
    assert losses["frame_accuracy"].item() == pytest.approx(right.mean())
    plain, same_batch = task_and_batch(dump)
    added = losses["loss"].item() - plain(same_batch)[0]["loss"].item()
    assert added == pytest.approx(0.5 * sum(two), rel=1e-4)


def test_without_decoder_only_the_contrastive_loss_is_left(dump):
    """Section 3.2, CTAP w/o decoder: trained with only L_contrastive, and nothing to train in the decoder."""
    task, batch = task_and_batch(dump, **WITHOUT_DECODER)
    losses, seen = task.train()(batch)
    assert set(losses) == {"contrastive", "loss"} and len(seen) == 2
    assert not task.ctap.decoder.training and not task.ctap.prompt_encoder.training
    expected = contrastive(task, *(real_frames(batch, x) for x in seen))
    assert losses["loss"].item() == pytest.approx(expected, rel=1e-5)
    optimised = {id(w) for g in task.configure_optimizers()["optimizer"].param_groups for w in g["params"]}
    left_out = (*task.ctap.decoder.parameters(), *task.ctap.prompt_encoder.parameters())
    assert not optimised & {id(w) for w in left_out}
    losses["loss"].backward()  # every trained weight has a gradient, as training on several processes asks
    assert all(w.grad is not None for w in task.parameters() if w.requires_grad)


def test_voices_are_moved_for_the_speech_encoder_alone_and_in_training_alone(dump):
    task, batch = task_and_batch(dump, voice={"warp": 0.3, "tilt": 1.0})
    plain, _ = task_and_batch(dump)
    torch.testing.assert_close(task(batch)[0]["loss"], plain(batch)[0]["loss"])
    for each in (task, plain):  # dropout aside
        each.train()
        each.ctap.eval()
    torch.manual_seed(1)
    losses, (s, p, mel, *_) = task(batch)
    _, (still, same_p, *_) = plain(batch)
    assert not torch.allclose(s, still) and torch.equal(p, same_p)
    torch.manual_seed(1)
    heard = task.ctap.encode_speech(task.voices(batch.mel), batch.mask)
    torch.testing.assert_close(s, heard)
    assert losses["contrastive"].item() == pytest.approx(
        contrastive(task, real_frames(batch, s), real_frames(batch, p)), rel=1e-5
    )
    target = real_frames(batch, (batch.mel + 3.0) / 1.2)  # of the voice as it was
    assert losses["mse_speech"].item() == pytest.approx(
        ((real_frames(batch, mel) - target) ** 2).mean(), rel=1e-4
    )


def test_the_prompt_embedding_is_drawn_in_training_alone(dump):
    task, batch = task_and_batch(dump)
    assert torch.equal(task(batch)[1][2], task(batch)[1][2])
    task.train()
    task.ctap.eval()  # dropout aside
    assert not torch.equal(task(batch)[1][2], task(batch)[1][2])


def test_swapped_prompts_teach_the_speech_encoder_and_the_decoder_alone(dump):
    """Both are decoded with the next utterance's G; what is made of P is what S is to be read as."""
    task, batch = task_and_batch(dump, swap_weight=2.0)
    losses, (s, p, *_) = task(batch)
    g = task.ctap.prompt_encoder(task.ctap.normalize(batch.prompt))[0]
    other = torch.cat([g[-1:], g[:-1]])
    said, aim = (real_frames(batch, task.ctap.decoder(x, other, batch.mask)) for x in (s, p))
    assert losses["mse_swap"].item() == pytest.approx(np.mean((said - aim) ** 2), rel=1e-4)
    plain, _ = task_and_batch(dump)[0](batch)
    assert "mse_swap" not in plain
    assert losses["loss"].item() == pytest.approx((plain["loss"] + 2 * losses["mse_swap"]).item(), rel=1e-4)
    losses["mse_swap"].backward()
    named = task.ctap.named_parameters()
    reached = {name.split(".")[0] for name, w in named if w.grad is not None and w.grad.any()}
    assert reached == {"speech_encoder", "decoder", "prompt_encoder"}


def test_swapped_prompts_without_a_decoder_are_refused():
    with pytest.raises(UserError, match=r"loss\.swap_weight: expected 0 where .* got 2\.0"):
        config(swap_weight=2.0, **WITHOUT_DECODER)


def test_alone_in_a_batch_an_utterance_keeps_its_own_prompt(dump):
    """The processes of a training log the same figures, whatever their batches."""
    chosen = config(swap_weight=2.0)
    training = TRAININGS["pretrain"][1](chosen, Sources(dump / "train"))
    data = replace(chosen.data, batch_size=1)
    batch = next(iter(dev_loader(training.train, data, prompt_frames=training.prompt_frames)))
    losses, (_, _, mel_s, mel_p) = training.task.eval()(batch)
    assert len(batch) == 1
    assert losses["mse_swap"].item() == pytest.approx((mel_s - mel_p).square().mean().item(), rel=1e-4)


def test_speaker_adversary_adds_its_cross_entropy_in_training(dump):
    task, batch = task_and_batch(dump, speaker_weight=0.5)
    assert "speaker" not in task(batch)[0]
    torch.manual_seed(1)
    losses, (s, *_) = task.train()(batch)
    expected = cross_entropy(task.adversary(s, batch.mask).detach().numpy(), batch.speakers.tolist())
    assert losses["speaker"].item() == pytest.approx(expected, rel=1e-4)
    plain, same_batch = task_and_batch(dump)
    torch.manual_seed(1)
    without = plain.train()(same_batch)[0]["loss"].item()
    assert losses["loss"].item() - without == pytest.approx(0.5 * expected, rel=0.05)


def test_one_weight_is_enough_to_keep_the_decoder(dump):
    task, batch = task_and_batch(dump, kl_weight=0.0)
    assert {"mse_speech", "kl"} <= set(task(batch)[0])


def test_finetuning_trains_the_decoder_that_pretraining_left_out(dump, tmp_path):
    """Pretraining without decoder, with its validation, then fine-tuning on speech: its error falls."""
    chosen = config(**WITHOUT_DECODER)
    sources = Sources(dump / "train", dump / "dev")
    fresh = TRAININGS["pretrain"][1](chosen, sources).parts.ctap.state_dict()
    train("pretrain", chosen, sources, tmp_path / "ctap")
    encoders = weights(tmp_path / "ctap")
    assert moved(fresh, encoders) == {"speech_encoder", "phoneme_encoder", "log_scale"}
    assert {p.stem for p in (tmp_path / "ctap" / "images").glob("*.png")} == {"similarity", "alignment"}
    tuning = config("finetune")
    tuning.trainer.max_steps, tuning.trainer.epoch_steps = 20, 10
    init = Sources(dump / "train", dump / "dev", init=tmp_path / "ctap" / "model")
    train("finetune", tuning, init, tmp_path / "ft")
    assert moved(encoders, weights(tmp_path / "ft")) == {"decoder", "prompt_encoder"}
    rows = [line.split(",") for line in (tmp_path / "ft" / "metrics.csv").read_text().splitlines()]
    errors = [float(row[rows[0].index("val/mse")]) for row in rows[1:]]
    assert errors[-1] < errors[0]


def test_a_model_is_gone_on_from_and_may_get_a_refiner(dump, tmp_path):
    build = TRAININGS["pretrain"][1]
    plain, refined, wider = config(), config(), config()
    plain.model = replace(plain.model, refiner=RefinerConfig())
    wider.model = replace(wider.model, postnet_dim=12)
    first = build(plain, Sources(dump / "train"))
    with torch.no_grad():
        first.task.ctap.log_scale.add_(-1)
    first.parts.save(tmp_path / "plain")
    second = build(refined, Sources(dump / "train", init=tmp_path / "plain"))
    known = first.task.ctap.state_dict()
    found = second.task.ctap.state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in known.items())
    assert {name.rsplit("refiner", 1)[0] for name in found.keys() - known.keys()} == {"decoder."}
    second.parts.save(tmp_path / "refined")
    assert len(
        build(refined, Sources(dump / "train", init=tmp_path / "refined")).task.ctap.state_dict()
    ) == len(found)
    for init, asked in (("plain", wider), ("refined", plain)):
        with pytest.raises(UserError, match="sizes differ"):
            build(asked, Sources(dump / "train", init=tmp_path / init))


def test_validation_asks_what_another_clock_costs(dump, monkeypatch):
    """The first frame stands at 0, then somewhere else, at the same place whenever the batch is validated."""
    task, batch = task_and_batch(dump)
    encode, starts = task.ctap.speech_encoder.forward, []

    def forward(x, mask, offset=0):
        starts.append(offset)
        return encode(x, mask, offset)

    monkeypatch.setattr(task.ctap.speech_encoder, "forward", forward)
    monkeypatch.setattr(task, "report", lambda *_: None)
    for number in (1, 2, 1):
        task.validation_step(batch, number)
    assert starts[::2] == [0, 0, 0]
    assert starts[1] == starts[5] != starts[3] and 0 < min(starts[1::2]) < max(starts) <= MAX_SHIFT


def test_an_own_encoder_is_told_of_the_offset_by_its_name(dump, tmp_path):
    chosen = config()
    chosen.model = replace(chosen.model, speech_encoder=OwnModule(f"{__name__}.KeywordOffset"))
    chosen.trainer = replace(chosen.trainer, max_steps=1, logger="none")
    train("pretrain", chosen, Sources(dump / "train", dump / "dev"), tmp_path / "x")
    assert "val/phone_retrieval_shifted" in (tmp_path / "x/metrics.csv").read_text()


def test_what_is_refined_is_read_from_s_and_from_p_in_turn(dump, monkeypatch):
    task, batch = task_and_batch(dump)
    drafts = []
    monkeypatch.setattr("ctap.tasks.pretrain.refining", lambda _, draft, *__: drafts.append(draft) or {})
    _, (_, _, mel_s, mel_p) = task(batch)
    assert torch.equal(drafts[0][::2], mel_s[::2]) and torch.equal(drafts[0][1::2], mel_p[1::2])


def test_the_refiner_learns_beside_the_decoder_and_teaches_it_nothing(dump):
    task, batch = task_and_batch(dump)
    assert "flow" not in task(batch)[0]
    losses, _ = task.train()(batch)
    losses["flow"].backward()
    with_gradient = {name for name, w in task.named_parameters() if w.grad is not None and w.grad.any()}
    assert with_gradient and all(name.startswith("ctap.decoder.refiner.") for name in with_gradient)
    without = losses["contrastive"] + 0.5 * (losses["mse_speech"] + losses["mse_phone"]) + losses["kl"]
    assert losses["loss"].item() == pytest.approx((without + losses["flow"]).item(), rel=1e-5)
