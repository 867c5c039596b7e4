"""What a model makes of held-out speech, beside its networks called by hand and the paper's Eq. 6."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ctap.config import from_dict
from ctap.data.dataset import DataConfig, FeatureSet, dev_loader
from ctap.loss.contrastive_plain import plain_contrastive
from ctap.metrics.mcd import mel_cepstral_distortion
from ctap.metrics.representation import MAX_SHIFT
from ctap.models.encoded import Encoded, untrained
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.text.languages import older
from test import tiny


@torch.inference_mode()
def test_figures_are_those_of_the_networks_on_each_utterance_alone(dump: Path) -> None:
    tokens, clock = older().tokens, {**tiny.STACK, "positions": "absolute"}
    config = from_dict(CTAPConfig, {**tiny.MODEL, "speech_encoder": clock}, "test")
    batches = list(dev_loader(FeatureSet(dump / "dev", tokens), DataConfig(batch_size=1), prompt_frames=40))[
        :2
    ]
    parts = SimpleNamespace(
        ctap=CTAP(config, len(tokens), 40, [-3.0] * 40, [1.2] * 40).eval(),
        tokens=tokens, audio=SimpleNamespace(n_mels=40), trained=TrainedLengths(),
    )  # fmt: skip
    torch.manual_seed(5)
    blank = CTAP(config, len(tokens), 40, [-3.0] * 40, [1.2] * 40).eval()
    for ctap, found in (
        (parts.ctap, Encoded(parts.ctap, parts.trained, batches, seed=5)),
        (blank, untrained(parts, batches, seed=5)),
    ):
        shifts, close = random.Random(5), torch.testing.assert_close
        for i, batch in enumerate(batches):
            mel, prompt = ((x + 3.0) / 1.2 for x in (batch.mel, batch.prompt))
            s, p = ctap.speech_encoder(mel), ctap.phoneme_encoder(batch.tokens, batch.durations, mel.shape[1])
            close(found.speech[i], s[0])
            close(found.phonemes[i], p[0])
            close(found.shifted[i], ctap.speech_encoder(mel, offset=shifts.randint(1, MAX_SHIFT))[0])
            g, log_variance = ctap.prompt_encoder(prompt)
            said = [ctap.decoder(x, g) for x in (s, p)]
            kl = 0.5 * (g**2 + log_variance.exp() - 1 - log_variance).sum()
            mels = (x[0].numpy() for x in (batch.mel, said[1] * 1.2 - 3.0))
            assert {name: values[i] for name, values in found.figures.items()} == pytest.approx(
                {
                    "mse_speech": (said[0] - mel).square().mean().item(),
                    "mse_phone": (said[1] - mel).square().mean().item(),
                    "kl": kl.item(),
                    "mel_cepstral_distortion": mel_cepstral_distortion(*mels, same_length=True),
                },
                rel=1e-4,
            )


@pytest.mark.parametrize(
    ("utterances", "groups"), [(2, [(0, 2), (2, 3)]), (1, [(0, 1), (1, 2), (2, 3)]), (8, [(0, 3)])]
)
def test_utterances_are_compared_so_many_at_a_time(utterances: int, groups: list[tuple[int, int]]) -> None:
    generator = torch.Generator().manual_seed(0)
    encoded = object.__new__(Encoded)
    encoded.speech = [torch.randn(n, 4, generator=generator) for n in (3, 5, 4)]
    encoded.phonemes = [torch.randn(n, 4, generator=generator) for n in (3, 5, 4)]
    encoded.scale = torch.tensor(0.7)
    expected = []
    for first, last in groups:
        s, p = (torch.cat(x[first:last]) for x in (encoded.speech, encoded.phonemes))
        expected.append(plain_contrastive(s, p, encoded.scale).item())
    assert encoded.contrastive(utterances) == pytest.approx(sum(expected) / len(expected), rel=1e-5)
