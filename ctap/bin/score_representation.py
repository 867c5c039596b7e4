"""Score the joint space: retrieval both ways, its dependence on positions, linear probes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ctap.bin.common import command
from ctap.data.batching import BatchRequest
from ctap.data.dataset import CTAPDataset, FeatureSet
from ctap.eval.plots import plot_similarity, save_figure
from ctap.eval.probe import Probe, phone_probe, speaker_probe
from ctap.eval.results import Metric, collect_meta, write_scores
from ctap.eval.retrieval import DIRECTIONS, retrieval
from ctap.nn.length_regulator import frame_to_phone
from ctap.tasks.model_dir import Parts
from ctap.tasks.pretrain import PROBE_SHIFT

NAMES = ("frame", "within_1", "within_3", "phone")


@torch.no_grad()
def score_representation(
    model: Path,
    data_dir: Path,
    out: Path,
    name: str = "ctap",
    device: str = "cpu",
    max_utts: int = 400,
    seed: int = 777,
    config: str = "-",
) -> None:
    """Score a model's representations on a dump directory with durations.

    Args:
        model: Model directory.
        data_dir: Dump directory of held-out speech.
        out: Directory for scores.json and pictures.
        name: Name of the experiment.
        device: cpu or cuda.
        max_utts: Use the first so many utterances.
        seed: Seeds the probes.
        config: Configuration of the experiment, for the record.
    """
    parts = Parts.load(model)
    ctap = parts.ctap.to(device)
    features = FeatureSet(data_dir, parts.tokens)
    data = CTAPDataset(features, max_frames=None, prompt_frames=300, prompt="utterance", seed=seed)
    speech, phonemes, shifted, mels, labels = [], [], [], [], []
    for i in range(min(len(features), max_utts)):
        batch = data[BatchRequest((i,), None)]
        size = batch.mel.shape[1]
        mel = ctap.normalize(batch.mel.to(device))
        tokens, durations = batch.tokens.to(device), batch.durations.to(device)
        speech.append(ctap.speech_encoder(mel)[0].cpu())
        phonemes.append(ctap.phoneme_encoder(tokens, durations, size)[0].cpu())
        shifted.append(ctap.phoneme_encoder(tokens, durations, size, offset=PROBE_SHIFT)[0].cpu())
        mels.append(mel[0].cpu())
        labels.append(batch.tokens[0][frame_to_phone(batch.durations, size)[0]])
    speakers = [features.speakers[features.speaker[i]] for i in range(len(speech))]
    phones = [parts.tokens.decode(x.tolist()) for x in labels]

    metrics = retrieval_metrics(speech, phonemes, labels, "")
    metrics |= retrieval_metrics(speech, shifted, labels, f"shifted_{PROBE_SHIFT}/")
    metrics |= retrieval_metrics(speech, phonemes, labels, "across/", scope="batch")
    for what, xs in (("", speech), ("log_mel_", mels)):
        metrics[f"{what}phone_probe"] = probe_metric(phone_probe(xs, phones, seed=seed), "higher")
        if len(set(speakers)) > 1 and len(speakers) > len(set(speakers)):
            metrics[f"{what}speaker_probe"] = probe_metric(
                speaker_probe(xs, speakers, seed=seed), "neither" if what else "lower"
            )
    write_scores(out / "scores.json", name, metrics, collect_meta(seed=seed, config=config), task="pretrain")
    for suffix, p in (("", phonemes[0]), (f"_shifted_{PROBE_SHIFT}", shifted[0])):
        figure = plot_similarity(speech[0] @ p.T / p.shape[1], phones[0])
        save_figure(figure, out / "images" / f"similarity{suffix}.png")
    for key in ("phone_retrieval", f"shifted_{PROBE_SHIFT}/phone_retrieval", "phone_probe"):
        print(f"{name}: {key} {metrics[key].value:.4f} ({metrics[key].n} utterances)")


def retrieval_metrics(
    speech: list[Tensor], phonemes: list[Tensor], labels: list[Tensor], prefix: str, scope: str = "utterance"
) -> dict[str, Metric]:
    """Retrieval both ways, and ``phone_retrieval``, the mean of the two directions at phone level."""
    lengths = [len(x) for x in speech]
    found = retrieval(torch.cat(speech), torch.cat(phonemes), torch.cat(labels), lengths=lengths, scope=scope)
    metrics = {
        f"{prefix}{way}/{name}": Metric(
            found[f"{way}/{name}"], len(speech), better="higher", against={"chance": found[f"chance/{name}"]}
        )
        for way in DIRECTIONS
        for name in NAMES
    }
    mean = sum(found[f"{way}/phone"] for way in DIRECTIONS) / len(DIRECTIONS)
    metrics[f"{prefix}phone_retrieval"] = Metric(
        mean, len(speech), better="higher", against={"chance": found["chance/phone"]}
    )
    return metrics


def probe_metric(probe: Probe, better: str) -> Metric:
    """A probe's accuracy beside that of guessing."""
    return Metric(probe.accuracy, probe.test_utterances, better=better, against={"chance": probe.chance})


if __name__ == "__main__":
    command(score_representation)
