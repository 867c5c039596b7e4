"""Score a pretrained model on held-out speech: losses, retrieval, dependence on positions, probes."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from torch import Tensor

from ctap.bin.common import command
from ctap.data.batch import Batch
from ctap.data.batching import BatchRequest
from ctap.data.dataset import CTAPDataset, FeatureSet
from ctap.eval.mcd import mel_cepstral_distortion
from ctap.eval.plots import plot_similarity, save_figure
from ctap.eval.probe import Probe, phone_probe, speaker_probe
from ctap.eval.results import Metric, collect_meta, write_scores
from ctap.eval.retrieval import DIRECTIONS, retrieval
from ctap.loss.contrastive_tiled import tiled_contrastive
from ctap.loss.kl import gaussian_kl
from ctap.loss.regression import masked_mse
from ctap.nn.ctap import CTAP
from ctap.nn.length_regulator import frame_to_phone
from ctap.tasks.model_dir import Parts

LEVELS = ("frame", "within_1", "within_3", "phone")
MAX_SHIFT = 1000  # frames
PROBE_FRAMES = 4000
CONTRASTIVE_UTTERANCES = 8  # the paper's batch: what is compared with what decides the size of the loss
UNITS = {"contrastive": "nats", "kl": "nats", "mel_cepstral_distortion": "dB"}
NOTES = {
    "contrastive": f"Eq. 6 over the frames of {CONTRASTIVE_UTTERANCES} utterances at a time",
    "kl": "before the margin of Eq. 2",
    "mel_cepstral_distortion": "mel from P with the recording's durations and its own prompt, no warping",
    "phone_retrieval": "speech to phoneme, within the utterance",
    "phone_retrieval_shifted": "the same, speech encoder's positions shifted at random by 1 to 1000 frames",
}


class Encoded:
    """What a model makes of each utterance of a set."""

    def __init__(self, ctap: CTAP, batches: list[Batch], seed: int) -> None:
        """Encode and decode every utterance by itself, in float32."""
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
            s = ctap.speech_encoder(mel)
            p = ctap.phoneme_encoder(batch.tokens, batch.durations, mel.shape[1])
            moved = ctap.speech_encoder(mel, offset=shifts.randint(1, MAX_SHIFT))
            g, log_variance = ctap.prompt_encoder(ctap.normalize(batch.prompt))
            mel_p = ctap.decoder(p, g)
            self.speech.append(s[0].cpu())
            self.shifted.append(moved[0].cpu())
            self.phonemes.append(p[0].cpu())
            said = ctap.denormalize(mel_p)[0].cpu().numpy()
            for name, value in {
                "mse_speech": masked_mse(ctap.decoder(s, g), mel, mask).item(),
                "mse_phone": masked_mse(mel_p, mel, mask).item(),
                "kl": gaussian_kl(g, log_variance).item(),
                "mel_cepstral_distortion": mel_cepstral_distortion(
                    batch.mel[0].cpu().numpy(), said, same_length=True
                ),
            }.items():
                self.figures[name].append(value)

    def all_figures(self, labels: list[Tensor]) -> dict[str, float]:
        """Every figure of stage 3 but the probes."""
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
        figures |= {k: sum(v) / len(v) for k, v in self.figures.items()}
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
        self.chance = chance
        return figures


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
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = Parts.load(model)
    features = FeatureSet(data_dir, parts.tokens)
    window = parts.ctap.config.prompt_encoder.frames
    data = CTAPDataset(features, max_frames=None, prompt_frames=window, prompt="utterance", seed=seed)
    count = min(len(features), max_utts)
    batches = [data[BatchRequest((i,), None)] for i in range(count)]
    labels = [b.tokens[0][frame_to_phone(b.durations, b.mel.shape[1])[0]] for b in batches]
    batches = [_to(b, device) for b in batches]

    trained = Encoded(parts.ctap.to(device), batches, seed)
    torch.manual_seed(seed)
    blank = CTAP(parts.ctap.config, len(parts.tokens), parts.audio.n_mels).to(device).eval()
    blank.mean, blank.std = parts.ctap.mean, parts.ctap.std
    untrained = Encoded(blank, batches, seed).all_figures(labels)

    metrics: dict[str, Metric] = {}
    for key, value in trained.all_figures(labels).items():
        against = {"untrained": untrained[key]}
        if key in trained.chance:
            against["chance"] = trained.chance[key]
        better = "higher" if key in trained.chance else "neither" if key == "kl" else "lower"
        metrics[key] = Metric(
            value, count, UNITS.get(key, ""), better, against=against, note=NOTES.get(key, "")
        )
    metrics |= probes(trained.speech, [b.mel[0].cpu() for b in batches], labels, parts, features, seed)

    write_scores(out / "scores.json", name, metrics, collect_meta(seed=seed, config=config), task="pretrain")
    phones = parts.tokens.decode(labels[0].tolist())
    for suffix, speech in (("", trained.speech[0]), ("_shifted", trained.shifted[0])):
        figure = plot_similarity(trained.scale.cpu() * speech @ trained.phonemes[0].T, phones)
        save_figure(figure, out / "images" / f"similarity_test{suffix}.png")
    for key in ("frame_retrieval", "phone_retrieval", "phone_retrieval_shifted", "mel_cepstral_distortion"):
        print(f"{name}: {key} {metrics[key].value:.4f} ({metrics[key].n} utterances)")


def probes(
    speech: list[Tensor],
    mels: list[Tensor],
    labels: list[Tensor],
    parts: Parts,
    features: FeatureSet,
    seed: int,
) -> dict[str, Metric]:
    """Linear probes for phone and speaker on S, beside those on the log-mel and the rate of guessing."""
    speakers = [features.speakers[features.speaker[i]] for i in range(len(speech))]
    phones = [parts.tokens.decode(x.tolist()) for x in labels]
    metrics = {}
    if len(speech) > 1:
        on_mel = phone_probe(mels, phones, max_frames=PROBE_FRAMES, seed=seed).accuracy
        metrics["phone_probe"] = _probe(
            phone_probe(speech, phones, max_frames=PROBE_FRAMES, seed=seed), "higher", on_mel
        )
    repeated = [s for s in set(speakers) if speakers.count(s) > 1]
    if len(repeated) > 1:
        on_mel = speaker_probe(mels, speakers, seed=seed).accuracy
        metrics["speaker_probe"] = _probe(speaker_probe(speech, speakers, seed=seed), "lower", on_mel)
    return metrics


def _probe(probe: Probe, better: str, on_mel: float) -> Metric:
    against = {"chance": probe.chance, "log-mel": on_mel}
    return Metric(probe.accuracy, probe.test_utterances, better=better, against=against)


def _to(batch: Batch, device: str) -> Batch:
    """``batch`` with its tensors on ``device``."""
    moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(batch).items()}
    return Batch(**moved)


if __name__ == "__main__":
    command(score_representation)
