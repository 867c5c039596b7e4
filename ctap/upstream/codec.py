"""EnCodec: the sum of its residual codebooks' embeddings (Défossez et al., arXiv:2210.13438)."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.upstream.base import Upstream
from ctap.upstream.pretrained import Source
from ctap.upstream.timing import Timing


class Codec(Upstream):
    """Codes of EnCodec, replaced by their embeddings and summed over the residual codebooks.

    Args:
        source: A mono model without chunks, such as facebook/encodec_24khz.
        settings: The toolkit's audio settings.
        device: Where to run.
        bandwidth: kbit/s, one of the model's; decides how many codebooks are used.
    """

    kind = "codec"

    def __init__(
        self, source: Source, settings: AudioSettings, device: str = "cpu", *, bandwidth: float = 6.0
    ) -> None:
        super().__init__(source, settings, device)
        self.model = source.load_model("EncodecModel", "encodec", ("encoder.", "quantizer."))
        config = self.model.config
        if config.audio_channels != 1 or config.normalize or config.chunk_length_s is not None:
            raise UserError(
                f"{source.model}: a codec of {config.audio_channels} channel(s) in chunks of "
                f"{config.chunk_length_s} s; expected one channel and no chunks, as facebook/encodec_24khz"
            )
        if bandwidth not in config.target_bandwidths:
            known = ", ".join(f"{x:g}" for x in config.target_bandwidths)
            raise UserError(f"{source.model}: no bandwidth {bandwidth:g} kbit/s; it has {known}")
        self.bandwidth = float(bandwidth)
        stride = math.prod(config.upsampling_ratios)
        # Frame j decodes to samples j * stride to (j + 1) * stride - 1: that is where it is.
        self.timing = Timing(config.sampling_rate, stride, receptive=1, twice_centre=stride - 1)
        self.dim = config.hidden_size
        self.codebooks = self.model.quantizer.get_num_quantizers_for_bandwidth(bandwidth)
        self.codebook_size = config.codebook_size
        if self.codebooks > len(self.model.quantizer.layers):
            raise UserError(
                f"{source.model}: {bandwidth:g} kbit/s takes {self.codebooks} codebooks, the model has "
                f"{len(self.model.quantizer.layers)}"
            )
        source.fingerprint(self.model.encoder, self.model.quantizer)
        self.model.to(device)

    @property
    def options(self) -> dict[str, Any]:
        """The bandwidth."""
        return {"bandwidth": self.bandwidth}

    def window_frames(self, wave: Tensor) -> Tensor:
        """Summed embeddings ``[n, hidden_size]``."""
        codes = self.model.encode(wave[None, None], bandwidth=self.bandwidth).audio_codes[0]  # [1, Q, n]
        return self.model.quantizer.decode(codes.transpose(0, 1))[0].T
