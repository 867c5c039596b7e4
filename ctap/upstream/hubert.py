"""HuBERT: k-means centroids of one of its layers (Hsu et al., TASLP 2021)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.upstream.base import Upstream
from ctap.upstream.kmeans import KMeans
from ctap.upstream.pretrained import Source
from ctap.upstream.waveform import conv_timing, normalized


class HubertFrames(Upstream):
    """The output of one layer of HuBERT, continuous.

    Args:
        source: Such as TencentGameMate/chinese-hubert-base.
        settings: The toolkit's audio settings.
        device: Where to run.
        layer: Which layer's output, from 1; 0 is the input of the first.
    """

    kind = "hubert_frames"

    def __init__(
        self, source: Source, settings: AudioSettings, device: str = "cpu", *, layer: int = 9
    ) -> None:
        super().__init__(source, settings, device)
        used = ("feature_extractor.", "feature_projection.", "encoder.")
        self.model = source.load_model("HubertModel", "hubert", used)
        self.layer = layer
        self._cut_layers()
        config = self.model.config
        self.extractor = source.load_extractor("Wav2Vec2FeatureExtractor")
        self.timing = conv_timing(config.conv_kernel, config.conv_stride, self.extractor.sampling_rate)
        self.dim = config.hidden_size
        source.fingerprint(self.model)
        self.model.to(device)

    def _cut_layers(self) -> None:
        """Cut off the layers above the wanted one: they would be computed for nothing."""
        encoder = self.model.encoder
        if not 0 <= self.layer <= len(encoder.layers):
            raise UserError(f"{self.source.model}: no layer {self.layer}; it has {len(encoder.layers)}")
        if self.layer < len(encoder.layers) and self.model.config.do_stable_layer_norm:
            encoder.layer_norm = torch.nn.Identity()  # it belongs to the last layer
        del encoder.layers[self.layer :]

    @property
    def options(self) -> dict[str, Any]:
        """The layer, and how the wave is scaled."""
        return {"layer": self.layer, "normalized": int(self.extractor.do_normalize)}

    @property
    def space(self) -> dict[str, Any]:
        """What names the space that centroids of these frames belong to."""
        return {
            "weights": self.source.digest,
            "layer": self.layer,
            "normalized": int(self.extractor.do_normalize),
        }

    def prepare(self, wave: Tensor) -> Tensor:
        """Scaled as the model's settings say."""
        return normalized(wave, self.extractor)

    def window_frames(self, wave: Tensor) -> Tensor:
        """The layer's output ``[n, hidden_size]``."""
        return self.model(wave[None]).last_hidden_state[0]


class Hubert(HubertFrames):
    """The output of one layer of HuBERT, each frame replaced by its k-means centroid.

    Args:
        source: Such as TencentGameMate/chinese-hubert-base.
        settings: The toolkit's audio settings.
        device: Where to run.
        kmeans: Centroids from ``ctap.bin.train_kmeans``; the layer is theirs.
    """

    kind = "hubert"

    def __init__(self, source: Source, settings: AudioSettings, device: str = "cpu", *, kmeans: Path) -> None:
        centroids = KMeans.load(kmeans)
        super().__init__(source, settings, device, layer=int(centroids.made.get("layer", -1)))
        centroids.require_made_of(self.space, str(kmeans))
        self.kmeans = centroids
        self.codebooks, self.codebook_size = 1, len(centroids.centroids)

    @property
    def options(self) -> dict[str, Any]:
        """The layer, how the wave is scaled, and the centroids."""
        digest = self.kmeans.digest if self.kmeans else ""
        return {**super().options, "kmeans": digest}
