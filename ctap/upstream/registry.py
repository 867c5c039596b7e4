"""Compared representations by name."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ctap.audio.settings import AudioSettings
from ctap.device import choose_device
from ctap.errors import UserError
from ctap.upstream.base import Upstream
from ctap.upstream.codec import Codec
from ctap.upstream.hubert import Hubert, HubertFrames
from ctap.upstream.pretrained import Source
from ctap.upstream.wav2vec2 import Wav2Vec2
from ctap.upstream.whisper import Whisper

UPSTREAMS: dict[str, type[Upstream]] = {
    cls.kind: cls for cls in (Codec, Wav2Vec2, Hubert, HubertFrames, Whisper)
}


@dataclass(frozen=True)
class Published:
    """A published model, and what of it is taken.

    Args:
        kind: codec, wav2vec2, hubert, hubert_frames or whisper.
        model: Directory, or name on the Hugging Face hub.
        revision: Branch, tag or commit of a model name.
        bandwidth: Of codec: kbit/s.
        layer: Of hubert_frames: which layer.
        kmeans: Of hubert: centroids from ctap.bin.train_kmeans.
    """

    kind: str
    model: str
    revision: str = ""
    bandwidth: float | None = None
    layer: int | None = None
    kmeans: Path | None = None

    def load(self, settings: AudioSettings | None = None, device: str = "cpu") -> Upstream:
        """The model as a representation; what is raised is what :func:`make_upstream` raises."""
        return make_upstream(**asdict(self), settings=settings, device=device)


def make_upstream(
    kind: str,
    model: str,
    settings: AudioSettings | None = None,
    *,
    revision: str = "",
    device: str = "cpu",
    **options: Any,
) -> Upstream:
    """Load a published model as a representation.

    Args:
        kind: One of ``UPSTREAMS``.
        model: Directory, or name on the Hugging Face hub.
        settings: Audio settings that say how waves come and how often frames are wanted; default settings
            if None.
        revision: Branch, tag or commit of a name.
        device: cpu, cuda or auto.
        options: The kind's own, such as ``bandwidth``; those that are None count as not given.

    Raises:
        UnavailableError: A package or the model is not there.
        UserError: Unknown kind or option, an unsuitable model.
    """
    if kind not in UPSTREAMS:
        raise UserError(f"unknown representation {kind!r}; there are: {', '.join(UPSTREAMS)}")
    given = {key: value for key, value in options.items() if value is not None}
    known = {
        name: parameter
        for name, parameter in inspect.signature(UPSTREAMS[kind]).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    if foreign := sorted(set(given) - set(known)):
        has = f"has --{', --'.join(known)}" if known else "has no options"
        raise UserError(f"--{foreign[0]} is not an option of {kind}, which {has}")
    needed = [name for name, parameter in known.items() if parameter.default is inspect.Parameter.empty]
    if lacking := [name for name in needed if name not in given]:
        raise UserError(f"{kind} needs --{lacking[0]}")
    own = settings or AudioSettings()
    return UPSTREAMS[kind](Source(model, revision), own, choose_device(device), **given)
