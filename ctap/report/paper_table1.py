"""Table 1 of the paper, as printed, and the rows and claims that ours shares with it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLAIMS", "PAPER", "ROWS", "Claim", "Contrast"]

#: Rows of our table: name of the system -> title. The paper's come first, in its order.
ROWS = {
    "codec": "Codec",
    "wav2vec2": "Wav2Vec2.0",
    "hubert": "HuBERT",
    "whisper": "Whisper encoder",
    "ground_truth": "CTAP (ground truth)",
    "ctap_no_decoder": "CTAP w/o decoder",
    "ctap_mse_embed": "CTAP + L_mse(embed)",
    "ctap_phoneme_decoder": "CTAP + decoder_phoneme",
    "ctap_paper": "CTAP",
    "ctap_ours": "CTAP, ours",
    "logmel": "log-mel",
    "recording": "recording",
    "vocoded": "recording, vocoded",
}

#: Row -> column -> figure as printed (MSEP in Hz², WER and ACC in %, MOS 1 to 5); what is not there is "\\".
PAPER: dict[str, dict[str, float]] = {
    "codec": {
        "tts_msep": 99.0,
        "tts_wer": 6.2,
        "tts_prosody": 3.61,
        "tts_speaker": 3.74,
        "tts_quality": 3.68,
        "vc_wer": 4.9,
        "vc_prosody": 3.99,
        "vc_speaker": 2.94,
        "vc_quality": 3.56,
    },
    "wav2vec2": {
        "tts_msep": 102.2,
        "tts_wer": 4.9,
        "tts_prosody": 3.80,
        "tts_speaker": 3.70,
        "tts_quality": 3.90,
        "vc_wer": 4.3,
        "vc_prosody": 4.02,
        "vc_speaker": 3.54,
        "vc_quality": 3.57,
        "acc": 93.28,
    },
    "hubert": {
        "tts_msep": 99.8,
        "tts_wer": 4.7,
        "tts_prosody": 3.89,
        "tts_speaker": 3.71,
        "tts_quality": 3.83,
        "vc_wer": 4.2,
        "vc_prosody": 4.00,
        "vc_speaker": 3.44,
        "vc_quality": 3.94,
        "acc": 95.99,
    },
    "whisper": {
        "vc_wer": 5.0,
        "vc_prosody": 3.98,
        "vc_speaker": 3.02,
        "vc_quality": 3.76,
        "acc": 95.89,
    },
    "ground_truth": {
        "tts_msep": 78.9,
        "tts_wer": 2.8,
        "tts_prosody": 4.32,
        "tts_speaker": 4.53,
        "tts_quality": 4.19,
    },
    "ctap_no_decoder": {
        "tts_msep": 101.2,
        "tts_wer": 7.2,
        "tts_prosody": 3.88,
        "tts_speaker": 3.70,
        "tts_quality": 3.89,
        "vc_wer": 5.1,
        "vc_prosody": 3.99,
        "vc_speaker": 3.59,
        "vc_quality": 3.80,
    },
    "ctap_mse_embed": {
        "tts_msep": 98.1,
        "tts_wer": 4.5,
        "tts_prosody": 3.91,
        "tts_speaker": 3.93,
        "tts_quality": 3.93,
        "vc_wer": 4.3,
        "vc_prosody": 4.03,
        "vc_speaker": 3.85,
        "vc_quality": 3.95,
    },
    "ctap_phoneme_decoder": {
        "tts_msep": 99.0,
        "tts_wer": 4.4,
        "tts_prosody": 3.95,
        "tts_speaker": 3.94,
        "tts_quality": 3.98,
        "vc_wer": 4.9,
        "vc_prosody": 3.93,
        "vc_speaker": 3.79,
        "vc_quality": 3.90,
        "acc": 95.55,
    },
    "ctap_paper": {
        "tts_msep": 98.2,
        "tts_wer": 4.5,
        "tts_prosody": 3.91,
        "tts_speaker": 3.94,
        "tts_quality": 3.94,
        "vc_wer": 4.2,
        "vc_prosody": 4.04,
        "vc_speaker": 3.89,
        "vc_quality": 3.92,
        "acc": 92.05,
    },
}


@dataclass(frozen=True)
class Contrast:
    """One comparison behind a claim: figure of a system against a figure of another, or of its own.

    Attributes:
        left: system.
        right: system.
        task: tts, vc, asr or pretrain.
        figure: key of the figure.
        other: key on the right, if it is another figure.
        alike: the claim is that there is no difference; otherwise that the left one is better.
    """

    left: str
    right: str
    task: str
    figure: str
    other: str = ""
    alike: bool = False


@dataclass(frozen=True)
class Claim:
    """Something that the paper says of its table (sections 3.4 and 4)."""

    text: str
    tests: tuple[Contrast, ...]


_SPEECH = (("tts", "phone_error_rate"), ("tts", "mel_cepstral_distortion"), ("vc", "phone_error_rate"))
_CTAP = ("ctap_paper", "ctap_ours")
CLAIMS = (
    Claim(
        "(a) The decoder in pretraining helps.",
        tuple(Contrast("ctap_paper", "ctap_no_decoder", task, key) for task, key in _SPEECH),
    ),
    Claim(
        "(b) The squared error between the embeddings adds little.",
        tuple(Contrast("ctap_mse_embed", "ctap_paper", task, key, alike=True) for task, key in _SPEECH),
    ),
    Claim(
        "(c) The phoneme decoder helps ASR.",
        tuple(
            Contrast("ctap_phoneme_decoder", "ctap_paper", "asr", key)
            for key in ("frame_accuracy", "phone_error_rate")
        ),
    ),
    Claim(
        "(d) Speaker similarity beats that of the self-supervised systems.",
        tuple(
            Contrast(own, other, task, "speaker_similarity/target")
            for own in _CTAP
            for other in ("codec", "wav2vec2", "hubert", "whisper")
            for task in ("tts", "vc")
        ),
    ),
    Claim(
        "(e) The representation hides the speaker.",
        tuple(Contrast(own, "logmel", "pretrain", "speaker_probe") for own in _CTAP)
        + tuple(
            Contrast(own, own, "vc", "speaker_similarity/target_recording", "speaker_similarity/source")
            for own in _CTAP
        ),
    ),
)
