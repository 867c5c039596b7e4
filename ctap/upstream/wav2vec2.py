"""wav2vec 2.0: the code vectors of its own quantizer (Baevski et al., NeurIPS 2020)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.upstream.base import Upstream
from ctap.upstream.pretrained import Source
from ctap.upstream.waveform import conv_timing, normalized


class Wav2Vec2(Upstream):
    """Code vectors of the quantizer that pretraining takes its targets from.

    One entry of every codebook (group), the one of the highest logit, side by side. The quantizer sits on the
    convolutions, so the transformer is not run.

    Args:
        source: A pretrained model with its quantizer, such as TencentGameMate/chinese-wav2vec2-base; models
            fine-tuned for recognition have lost it and are refused.
        settings: The toolkit's audio settings.
        device: Where to run.
    """

    kind = "wav2vec2"

    def __init__(self, source: Source, settings: AudioSettings, device: str = "cpu") -> None:
        super().__init__(source, settings, device)
        used = ("wav2vec2.feature_extractor.", "wav2vec2.feature_projection.layer_norm.", "quantizer.")
        model = source.load_model("Wav2Vec2ForPreTraining", "wav2vec2", used)
        config = model.config
        self.extractor = source.load_extractor("Wav2Vec2FeatureExtractor")
        self.timing = conv_timing(config.conv_kernel, config.conv_stride, self.extractor.sampling_rate)
        self.dim = config.codevector_dim
        self.codebooks, self.codebook_size = config.num_codevector_groups, config.num_codevectors_per_group
        self.convolutions = model.wav2vec2.feature_extractor.to(device)
        self.norm = model.wav2vec2.feature_projection.layer_norm.to(device)
        self.quantizer = model.quantizer.to(device)
        source.fingerprint(self.convolutions, self.norm, self.quantizer)

    @property
    def options(self) -> dict[str, Any]:
        """How the wave is scaled."""
        return {"normalized": int(self.extractor.do_normalize)}

    def prepare(self, wave: Tensor) -> Tensor:
        """Scaled as the model's settings say."""
        return normalized(wave, self.extractor)

    def window_frames(self, wave: Tensor) -> Tensor:
        """Code vectors ``[n, codevector_dim]``."""
        return self.quantizer(self.norm(self.convolutions(wave[None]).transpose(1, 2)))[0][0]
