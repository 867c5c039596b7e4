"""Score a representation on held-out speech: losses, retrieval, dependence on positions, probes, size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ctap.bin.entry import command
from ctap.data.batch import Batch
from ctap.data.batching import BatchRequest
from ctap.data.dataset import CTAPDataset, FeatureSet
from ctap.device import choose_device
from ctap.errors import UserError
from ctap.metrics.provenance import collect_meta
from ctap.metrics.representation import (
    SETTINGS,
    guessed,
    metric_of_loss,
    metrics_of_probes,
    metrics_of_retrieval,
    metrics_of_size,
    metrics_of_utterances,
    retrieved,
)
from ctap.metrics.results import Metric, write_scores
from ctap.models.encoded import Encoded, untrained
from ctap.models.model_dir import Parts
from ctap.nn.length_regulator import frame_phones
from ctap.ranges import POSITIVE, require
from ctap.report.embedding_plots import plot_by_phone, plot_by_speaker
from ctap.report.plots import plot_similarity, save_figure
from ctap.text.languages import language_of
from ctap.upstream.representation import Representation, bits_per_second

SAID = ("frame_retrieval", "phone_retrieval", "phone_retrieval_shifted", "phone_probe", "speaker_probe")


@torch.no_grad()
def score_representation(
    model: Path,
    data_dir: Path,
    out: Path,
    name: str = "ctap",
    device: str = "auto",
    max_utts: int = 400,
    contrastive_utts: int = 8,
    seed: int = 777,
    config: str = "-",
    given: Path | None = None,
) -> None:
    """Score a model on a dump directory with durations, beside an untrained one of the same size.

    Args:
        model: Model directory.
        data_dir: Dump directory of held-out speech.
        out: Directory for scores.json and pictures.
        name: Name of the experiment.
        device: cpu, cuda or auto.
        max_utts: Utterances to use at most, the first ones.
        contrastive_utts: Utterances over whose frames the contrastive loss is taken at a time, since its size
            depends on how much is compared; 8 is the paper's batch.
        seed: Seeds shifts and probes.
        config: Configuration of the experiment, for the record.
        given: Dump directory of the same speech in the representation that the model reads, if it reads one:
            only probes and size are scored then.
    """
    require("--contrastive_utts", contrastive_utts, POSITIVE)
    require("--max_utts", max_utts, POSITIVE)
    device, parts = choose_device(device), Parts.load(model)
    if parts.ctap.config.given != (given is not None):
        reads = "reads" if given is None else "does not read"
        raise UserError(f"{model}: {reads} another representation (--given)")
    features = FeatureSet(data_dir, parts.tokens, given=given)
    utts = features.utts[:max_utts]
    batches = read(features, parts, len(utts), seed)
    labels = [frame_phones(b.tokens, b.durations, b.mel.shape[1])[0] for b in batches]
    phones, mels = [parts.tokens.decode(x.tolist()) for x in labels], [b.mel[0] for b in batches]
    speakers = [features.speakers[features.speaker[i]] for i in range(len(utts))]
    batches, ctap = [_to(b, device) for b in batches], parts.ctap.to(device)

    metrics, phonemes = dict[str, Metric](), None
    if given is None:
        trained = Encoded(ctap, parts.trained, batches, seed)
        metrics |= compared(trained, untrained(parts, batches, seed), labels, utts, contrastive_utts)
        draw_similarity(trained, phones[0], parts.audio.frame_shift, out / "images")
        speech, phonemes = trained.speech, trained.phonemes
    else:
        speech = [ctap.encode_speech(b.mel, b.mask, b.given)[0].cpu() for b in batches]
    metrics |= metrics_of_probes(speech, mels, phones, speakers, utts, seed, phonemes)
    metrics |= metrics_of_size(speech[0].shape[1], bits(speech[0].shape[1], given, parts), len(utts))
    figure = plot_by_phone(speech, phones, language_of(parts.text), seed=seed)
    save_figure(figure, out / "images/embeddings_by_phone.png")
    save_figure(plot_by_speaker(speech, speakers), out / "images/embeddings_by_speaker.png")
    meta = collect_meta(seed=seed, config=config, contrastive_utts=contrastive_utts, **SETTINGS)
    write_scores(out / "scores.json", name, metrics, meta, task="pretrain")
    for key in (key for key in SAID if key in metrics):
        print(f"{name}: {key} {metrics[key].value:.4f} ({metrics[key].n} utterances)")


def read(features: FeatureSet, parts: Parts, count: int, seed: int) -> list[Batch]:
    """The first ``count`` utterances, each a batch of its own, whole, with a prompt as in training."""
    window = parts.ctap.config.prompt_encoder.frames
    data = CTAPDataset(features, max_frames=None, prompt_frames=window, prompt=parts.prompt, seed=seed)
    return [data[BatchRequest((i,), None)] for i in range(count)]


def compared(
    trained: Encoded, blank: Encoded, labels: Sequence[Tensor], utts: Sequence[str], contrastive_utts: int
) -> dict[str, Metric]:
    """How well speech and phonemes have come together, and what the decoder makes of them."""
    losses = [encoded.contrastive(contrastive_utts) for encoded in (trained, blank)]
    found = [retrieved(x.speech, x.shifted, x.phonemes, labels) for x in (trained, blank)]
    metrics = {"contrastive": metric_of_loss(*losses, len(utts), contrastive_utts)}
    metrics |= metrics_of_retrieval(*found, guessed(labels), [len(x) for x in labels], utts)
    return metrics | metrics_of_utterances(trained.figures, blank.figures, utts)


def bits(dim: int, given: Path | None, parts: Parts) -> float:
    """Bits per second: the size of codes, or 32 bits for each value of continuous frames."""
    made_by = None if given is None else given / "upstream.json"
    if made_by is not None and made_by.exists():
        return Representation.load(made_by).bits_per_second
    return bits_per_second(dim, 1 / parts.audio.frame_shift)


def draw_similarity(encoded: Encoded, phones: Sequence[str], hop: float, folder: Path) -> None:
    """Pictures of C of the first utterance, and of the same with shifted positions; ``hop`` in seconds."""
    for suffix, s in (("", encoded.speech[0]), ("_shifted", encoded.shifted[0])):
        figure = plot_similarity(encoded.scale * s @ encoded.phonemes[0].T, phones, hop=hop)
        save_figure(figure, folder / f"similarity_test{suffix}.png")


def _to(batch: Batch, device: str) -> Batch:
    """``batch`` with its tensors on ``device``."""
    moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(batch).items()}
    return Batch(**moved)


main = command(score_representation)

if __name__ == "__main__":
    main()
