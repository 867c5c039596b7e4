"""Score a representation on held-out speech: losses, retrieval, dependence on positions, probes, size."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from torch import Tensor

from ctap.bin.entry import command
from ctap.data.batch import Batch
from ctap.data.batching import BatchRequest
from ctap.data.dataset import CTAPDataset, FeatureSet
from ctap.device import choose_device
from ctap.errors import UserError
from ctap.loss.contrastive_tiled import tiled_contrastive
from ctap.loss.kl import gaussian_kl
from ctap.loss.regression import masked_mse
from ctap.metrics.intervals import bootstrap_mean, bootstrap_ratio
from ctap.metrics.mcd import mel_cepstral_distortion
from ctap.metrics.probe import Probe, phone_probe, speaker_probe
from ctap.metrics.provenance import collect_meta
from ctap.metrics.results import Metric, items, write_scores
from ctap.metrics.retrieval import DIRECTIONS, retrieval
from ctap.models.model_dir import Parts
from ctap.models.windows import AnyLength, TrainedLengths
from ctap.nn.ctap import CTAP
from ctap.nn.length_regulator import frame_to_phone
from ctap.report.embedding_plots import plot_by_phone, plot_by_speaker
from ctap.report.plots import plot_similarity, save_figure
from ctap.upstream.representation import Representation, bits_per_second

LEVELS = ("frame", "within_1", "within_3", "phone")
MAX_SHIFT = 1000  # frames
FRAMES_PER_SECOND = 100
PROBE_FRAMES = 4000
CONTRASTIVE_UTTERANCES = 8  # the paper's batch: what is compared with what decides the size of the loss
UNITS = {"contrastive": "nats", "kl": "nats", "mel_cepstral_distortion": "dB"}
SAID = ("frame_retrieval", "phone_retrieval", "phone_retrieval_shifted", "phone_probe", "speaker_probe")
NOTES = {
    "contrastive": f"Eq. 6 over the frames of {CONTRASTIVE_UTTERANCES} utterances at a time",
    "kl": "before the margin of Eq. 2",
    "mel_cepstral_distortion": "mel from P, the recording's durations, prompts as in training; no warping",
    "phone_retrieval": "speech to phoneme, within the utterance",
    "phone_retrieval_shifted": "the same, speech encoder's positions shifted at random by 1 to 1000 frames",
}


class Encoded:
    """What a model makes of each utterance of a set, and the figures that each has of its own."""

    def __init__(self, ctap: CTAP, trained: TrainedLengths, batches: list[Batch], seed: int) -> None:
        """Encode and decode every utterance by itself, in float32, in the windows of a model in use."""
        networks = AnyLength(ctap, trained)
        shifts = random.Random(seed)
        self.scale = ctap.scale.detach()
        self.speech: list[Tensor] = []
        self.shifted: list[Tensor] = []
        self.phonemes: list[Tensor] = []
        self.figures: dict[str, list[float]] = {
            k: [] for k in ("mse_speech", "mse_phone", "kl", "mel_cepstral_distortion")
        }
        for batch in batches:
            mel, mask = ctap.normalize(batch.mel), batch.mask
            s = networks.speech(mel[0])
            p = networks.phonemes(batch.tokens[0], batch.durations[0])
            moved = networks.speech(mel[0], offset=shifts.randint(1, MAX_SHIFT))
            g, log_variance = ctap.prompt_encoder(ctap.normalize(batch.prompt))
            mel_s, mel_p = (networks.decode(x, g[0])[None] for x in (s, p))
            self.speech.append(s.cpu())
            self.shifted.append(moved.cpu())
            self.phonemes.append(p.cpu())
            said = ctap.denormalize(mel_p)[0].cpu().numpy()
            for name, value in {
                "mse_speech": masked_mse(mel_s, mel, mask).item(),
                "mse_phone": masked_mse(mel_p, mel, mask).item(),
                "kl": gaussian_kl(g, log_variance).item(),
                "mel_cepstral_distortion": mel_cepstral_distortion(
                    batch.mel[0].cpu().numpy(), said, same_length=True
                ),
            }.items():
                self.figures[name].append(value)

    def retrieved(self, labels: list[Tensor]) -> tuple[dict[str, float], dict[str, float]]:
        """Contrastive loss and retrieval, and of retrieval the rate of guessing."""
        lengths = [len(x) for x in self.speech]
        s, p, phones = torch.cat(self.speech), torch.cat(self.phonemes), torch.cat(labels)
        found = retrieval(s, p, phones, lengths=lengths, scope="utterance")
        moved = retrieval(torch.cat(self.shifted), p, phones, lengths=lengths, scope="utterance")
        across = retrieval(s, p, phones, lengths=lengths, scope="batch")
        groups = range(0, len(lengths), CONTRASTIVE_UTTERANCES)
        losses = [
            tiled_contrastive(
                torch.cat(self.speech[i : i + CONTRASTIVE_UTTERANCES]),
                torch.cat(self.phonemes[i : i + CONTRASTIVE_UTTERANCES]),
                self.scale.cpu(),
            ).item()
            for i in groups
        ]
        figures = {"contrastive": sum(losses) / len(losses)}
        figures["frame_retrieval"] = found["speech_to_phone/frame"]
        figures["phone_retrieval"] = found["speech_to_phone/phone"]
        figures["phone_retrieval_shifted"] = moved["speech_to_phone/phone"]
        for prefix, table in (("", found), ("across/", across)):
            figures |= {
                f"{prefix}{way}/{level}": table[f"{way}/{level}"] for way in DIRECTIONS for level in LEVELS
            }
        chance = {
            **{f"{way}/{level}": found[f"chance/{level}"] for way in DIRECTIONS for level in LEVELS},
            **{f"across/{way}/{level}": across[f"chance/{level}"] for way in DIRECTIONS for level in LEVELS},
            "frame_retrieval": found["chance/frame"],
            "phone_retrieval": found["chance/phone"],
            "phone_retrieval_shifted": found["chance/phone"],
        }
        return figures, chance


@torch.no_grad()
def score_representation(
    model: Path,
    data_dir: Path,
    out: Path,
    name: str = "ctap",
    device: str = "auto",
    max_utts: int = 400,
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
        max_utts: Use the first so many utterances.
        seed: Seeds shifts and probes.
        config: Configuration of the experiment, for the record.
        given: Dump directory of the same speech in the representation that the model reads, if it reads one:
            only probes and size are scored then.
    """
    device = choose_device(device)
    parts = Parts.load(model)
    if parts.ctap.config.given != (given is not None):
        reads = "reads" if given is None else "does not read"
        raise UserError(f"{model}: {reads} another representation (--given)")
    features = FeatureSet(data_dir, parts.tokens, given=given)
    window = parts.ctap.config.prompt_encoder.frames
    data = CTAPDataset(features, max_frames=None, prompt_frames=window, prompt=parts.prompt, seed=seed)
    count = min(len(features), max_utts)
    batches = [data[BatchRequest((i,), None)] for i in range(count)]
    labels = [b.tokens[0][frame_to_phone(b.durations, b.mel.shape[1])[0]] for b in batches]
    phones = [parts.tokens.decode(x.tolist()) for x in labels]
    mels = [b.mel[0] for b in batches]
    batches = [_to(b, device) for b in batches]
    ctap, images = parts.ctap.to(device), out / "images"

    metrics: dict[str, Metric] = {}
    if given is None:
        trained = Encoded(ctap, parts.trained, batches, seed)
        metrics |= alignment_metrics(trained, untrained(parts, batches, seed), labels, features.utts[:count])
        for suffix, s in (("", trained.speech[0]), ("_shifted", trained.shifted[0])):
            figure = plot_similarity(trained.scale.cpu() * s @ trained.phonemes[0].T, phones[0])
            save_figure(figure, images / f"similarity_test{suffix}.png")
        speech = trained.speech
    else:
        speech = [ctap.encode_speech(b.mel, b.mask, b.given)[0].cpu() for b in batches]
    speakers = [features.speakers[features.speaker[i]] for i in range(count)]
    metrics |= probes(speech, mels, phones, speakers, features.utts, seed)
    metrics |= size_metrics(speech[0].shape[1], given, count)
    save_figure(plot_by_phone(speech, phones, seed=seed), images / "embeddings_by_phone.png")
    save_figure(plot_by_speaker(speech, speakers), images / "embeddings_by_speaker.png")

    write_scores(out / "scores.json", name, metrics, collect_meta(seed=seed, config=config), task="pretrain")
    for key in (key for key in SAID if key in metrics):
        print(f"{name}: {key} {metrics[key].value:.4f} ({metrics[key].n} utterances)")


def untrained(parts: Parts, batches: list[Batch], seed: int) -> Encoded:
    """The same from a model of that size with random weights."""
    torch.manual_seed(seed)
    blank = CTAP(parts.ctap.config, len(parts.tokens), parts.audio.n_mels).to(batches[0].mel.device).eval()
    blank.mean, blank.std = parts.ctap.mean, parts.ctap.std
    return Encoded(blank, parts.trained, batches, seed)


def alignment_metrics(
    trained: Encoded, blank: Encoded, labels: list[Tensor], utts: list[str]
) -> dict[str, Metric]:
    """How well speech and phonemes have come together, and what the decoder makes of them."""
    (found, chance), (floor, _) = trained.retrieved(labels), blank.retrieved(labels)
    metrics: dict[str, Metric] = {}
    for key, value in found.items():
        beside = {"untrained": floor[key]} | ({"chance": chance[key]} if key in chance else {})
        better = "higher" if key in chance else "lower"
        metrics[key] = Metric(
            value, len(utts), UNITS.get(key, ""), better, against=beside, note=NOTES.get(key, "")
        )
    for key, values in trained.figures.items():
        metrics[key] = Metric.of(
            bootstrap_mean(values),
            unit=UNITS.get(key, ""),
            better="neither" if key == "kl" else "lower",
            against={"untrained": sum(blank.figures[key]) / len(utts)},
            note=NOTES.get(key, ""),
            items=items(utts, values),
        )
    return metrics


def size_metrics(dim: int, given: Path | None, count: int) -> dict[str, Metric]:
    """Dimension, and bits a second: of codes what they take, of continuous frames 32 a value."""
    made_by = None if given is None else given / "upstream.json"
    if made_by is not None and made_by.exists():
        bits = Representation.load(made_by).bits_per_second
    else:
        bits = bits_per_second(dim, FRAMES_PER_SECOND)
    return {
        "dimension": Metric(dim, count),
        "bits_per_second": Metric(bits, count, "bit/s", "lower", note="codes as such, floats as 32 bits"),
    }


def probes(
    speech: list[Tensor],
    mels: list[Tensor],
    phones: list[list[str]],
    speakers: list[str],
    utts: list[str],
    seed: int,
) -> dict[str, Metric]:
    """Linear probes for phone and speaker on S, beside those on the log-mel and the rate of guessing."""
    metrics = {}
    if len(speech) > 1:
        on_mel = phone_probe(mels, phones, max_frames=PROBE_FRAMES, seed=seed)
        own = phone_probe(speech, phones, max_frames=PROBE_FRAMES, seed=seed)
        metrics["phone_probe"] = _probe(own, "higher", on_mel, utts)
    repeated = [s for s in set(speakers) if speakers.count(s) > 1]
    if len(repeated) > 1:
        on_mel = speaker_probe(mels, speakers, seed=seed)
        metrics["speaker_probe"] = _probe(speaker_probe(speech, speakers, seed=seed), "lower", on_mel, utts)
    return metrics


def _probe(probe: Probe, better: str, on_mel: Probe, utts: list[str]) -> Metric:
    counts = {utts[i]: pair for i, pair in probe.by_utterance().items()}
    right, total = zip(*counts.values(), strict=True)
    against = {"chance": probe.chance, "log-mel": on_mel.accuracy}
    return Metric.of(
        bootstrap_ratio(right, total), better=better, against=against, items=items(counts, right, total)
    )


def _to(batch: Batch, device: str) -> Batch:
    """``batch`` with its tensors on ``device``."""
    moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(batch).items()}
    return Batch(**moved)


main = command(score_representation)

if __name__ == "__main__":
    main()
