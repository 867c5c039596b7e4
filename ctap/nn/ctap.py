"""The CTAP model: two encoders, prompt encoder and decoder (paper, section 2.1 and Fig. 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ctap.errors import UserError
from ctap.nn.decoder import Decoder
from ctap.nn.encoders import make_phoneme_encoder, make_speech_encoder
from ctap.nn.given import GivenFrames
from ctap.nn.phoneme_encoder import PhonemeStackConfig
from ctap.nn.prompt_encoder import PromptConfig, PromptEncoder
from ctap.nn.refiner import RefinerConfig
from ctap.nn.semantic import SemanticModel
from ctap.nn.statistics import keep_statistics
from ctap.nn.transformer import StackConfig
from ctap.own import OwnModule
from ctap.ranges import POSITIVE, Range, check_ranges


@dataclass
class CTAPConfig:
    """Sizes of the model; the defaults are the paper's (section 3.1).

    Args:
        embed_dim: Dimension d of the joint space.
        speech_encoder: 6 transformer blocks after two convolutions; or a module of your own, by class_path
            and init_args (docs/python.md).
        phoneme_encoder: 4 transformer blocks after one convolution; or a module of your own.
        prompt_encoder: The VAE over the prompt.
        decoder: 6 transformer blocks before five convolutions.
        postnet_dim: Channels of the decoder's convolutions.
        refiner: What sharpens the decoder's mels in use; not in the paper.
        temperature: Start of tau (Eq. 5) times d. S and P are layer-normed, so S.P = d cos: 14.3 is CLIP's.
        temperature_cap: Largest tau times d; 100 is CLIP's.
        instance_norm: The speech encoder's mels are normalised utterance by utterance; not in the paper.
        given: S is not made by the speech encoder but is another representation, dumped before (section 3.2):
            ``embed_dim`` is then its dimension, and a semantic prediction model takes the phoneme encoder's
            place.
    """

    embed_dim: int = 256
    speech_encoder: OwnModule | StackConfig = field(default_factory=StackConfig)
    phoneme_encoder: OwnModule | PhonemeStackConfig = field(
        default_factory=lambda: PhonemeStackConfig(layers=4)
    )
    prompt_encoder: PromptConfig = field(default_factory=PromptConfig)
    decoder: StackConfig = field(default_factory=StackConfig)
    postnet_dim: int = 512
    refiner: RefinerConfig = field(default_factory=RefinerConfig)
    temperature: float = 14.3
    temperature_cap: float = 100.0
    instance_norm: bool = False
    given: bool = False

    def __post_init__(self) -> None:
        sizes = {"embed_dim": POSITIVE, "postnet_dim": POSITIVE}
        check_ranges(self, **sizes, temperature=Range(above=0), temperature_cap=Range(above=0))


class CTAP(nn.Module):
    """The four components, and the statistics that normalise log-mel on the way in and out.

    Args:
        config: Sizes.
        n_tokens: Number of entries of the token table.
        n_mels: Mel bins.
        mean: Global mean of every mel bin, [n_mels]; 0 if not given.
        std: Global standard deviation of every mel bin, [n_mels]; 1 if not given.
        given_mean: The same of a given representation, [d].
        given_std: The same of a given representation, [d].
    """

    def __init__(
        self,
        config: CTAPConfig,
        n_tokens: int,
        n_mels: int = 40,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        given_mean: list[float] | None = None,
        given_std: list[float] | None = None,
    ) -> None:
        super().__init__()
        d, prompt = config.embed_dim, config.prompt_encoder
        self.config = config
        self.speech_encoder: nn.Module
        self.phoneme_encoder: nn.Module
        if config.given:
            if isinstance(config.phoneme_encoder, OwnModule):
                raise UserError("model.phoneme_encoder: with another representation (--given) it takes sizes")
            self.speech_encoder = GivenFrames(d, given_mean, given_std)
            self.phoneme_encoder = SemanticModel(n_tokens, d, config.phoneme_encoder)
        else:
            self.speech_encoder = make_speech_encoder(n_mels, d, config.speech_encoder, config.instance_norm)
            self.phoneme_encoder = make_phoneme_encoder(n_tokens, d, config.phoneme_encoder)
        self.prompt_encoder = PromptEncoder(n_mels, prompt)
        self.decoder = Decoder(n_mels, d, prompt.dim, config.decoder, config.postnet_dim, config.refiner)
        self.log_scale = nn.Parameter(torch.tensor(math.log(config.temperature / d)))
        keep_statistics(self, n_mels, mean, std)

    @property
    def scale(self) -> Tensor:
        """tau of Eq. 5, learned; :meth:`cap_scale` keeps it below its cap."""
        return self.log_scale.exp()

    @torch.no_grad()
    def cap_scale(self) -> None:
        """Bring tau back to its cap; to be called after a step, as for CLIP.

        A clamp in :attr:`scale` would end all gradients to a tau that has come above it.
        """
        self.log_scale.clamp_(max=math.log(self.config.temperature_cap / self.config.embed_dim))

    def normalize(self, mel: Tensor) -> Tensor:
        """Log-mel [..., n_mels] to zero mean and unit variance."""
        return (mel - self.mean) / self.std

    def denormalize(self, mel: Tensor) -> Tensor:
        """The inverse of :meth:`normalize`."""
        return mel * self.std + self.mean

    def encode_speech(self, mel: Tensor, mask: Tensor, given: Tensor | None = None) -> Tensor:
        """S of what this model reads (Eq. 1).

        Args:
            mel: [B, T, n_mels] log-mel, not normalised.
            mask: [B, T] bool, True on real frames.
            given: [B, T, d] the frames of another representation, for a model that reads one.

        Returns:
            [B, T, d].
        """
        return self.speech_encoder(given if self.config.given else self.normalize(mel), mask)

    def encode_prompt(self, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of G (Eq. 2), [B, D_g] each, from log-mel [B, F, n_mels], not normalised."""
        return self.prompt_encoder(self.normalize(prompt))

    def duration_condition(self, tokens: Tensor, mask: Tensor, prompt: Tensor) -> Tensor:
        """Condition of the duration models: the unexpanded phoneme encoding beside G.

        Args:
            tokens: [B, L] phone ids.
            mask: [B, L] bool, True on real phones.
            prompt: [B, F, n_mels] log-mel of the prompt.

        Returns:
            [B, L, d + D_g]. "Unexpanded": every phone lasts one frame.
        """
        return self.condition(tokens, mask, self.encode_prompt(prompt)[0])

    def condition(self, tokens: Tensor, mask: Tensor, g: Tensor) -> Tensor:
        """:meth:`duration_condition` of a G [B, D_g] at hand."""
        phonemes = self.phoneme_encoder(tokens, mask.long(), tokens.shape[1], mask)
        return torch.cat([phonemes, g[:, None].expand(-1, phonemes.shape[1], -1)], dim=-1)
