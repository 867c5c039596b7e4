"""Whisper's encoder, continuous (Radford et al., ICML 2023)."""

from __future__ import annotations

import torch
from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.upstream.base import Upstream
from ctap.upstream.pretrained import Source
from ctap.upstream.timing import Timing


class Whisper(Upstream):
    """The encoder's output.

    Its input is always 30 s long: shorter speech is padded, and the frames of the padding are cut off.

    Args:
        source: Such as openai/whisper-small.
        settings: The toolkit's audio settings.
        device: Where to run.
    """

    kind = "whisper"

    def __init__(self, source: Source, settings: AudioSettings, device: str = "cpu") -> None:
        super().__init__(source, settings, device)
        self.model = source.load_model("WhisperModel", "whisper", ("encoder.",)).get_encoder()
        self.extractor = source.load_extractor("WhisperFeatureExtractor")
        # The second convolution takes every second mel frame; frame j is centred on mel frame 2 j.
        stride = 2 * self.extractor.hop_length
        self.timing = Timing(self.extractor.sampling_rate, stride, receptive=1, twice_centre=0)
        self.window_seconds = self.extractor.n_samples / self.extractor.sampling_rate
        self.dim = self.model.config.d_model
        source.fingerprint(self.model)
        self.model.to(device)

    def window_frames(self, wave: Tensor) -> Tensor:
        """The encoder's output ``[n, d_model]``, without the frames of the padding."""
        features = self.extractor(
            wave.cpu().numpy(), sampling_rate=self.sample_rate, return_tensors="pt", padding="max_length"
        ).input_features
        hidden = self.model(features.to(self.device, torch.float32)).last_hidden_state[0]
        return hidden[: self.timing.num_frames(len(wave))]
