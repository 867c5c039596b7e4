"""Tiny models of the compared systems, made by transformers and saved as a download would be."""

from __future__ import annotations

from pathlib import Path

import torch

SPEECH = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


def save_models(root: Path) -> None:
    """Write the directories ``codec``, ``wav2vec2``, ``hubert``, ``hubert_stable`` and ``whisper``."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)

    codec = transformers.EncodecModel(
        transformers.EncodecConfig(
            num_filters=2, hidden_size=8, codebook_size=16, target_bandwidths=[0.6, 1.2, 2.4]
        )
    )
    with torch.no_grad():  # a new model's codebooks are all zero; these are spread as what they quantize
        heard = codec.encoder(0.1 * torch.randn(1, 1, 24000))[0]
    for i, layer in enumerate(codec.quantizer.layers):
        layer.codebook.embed.normal_().mul_(heard.std(1)).add_(heard.mean(1) if i == 0 else 0)
    codec.save_pretrained(root / "codec")

    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    config = transformers.Wav2Vec2Config(**SPEECH, codevector_dim=8, num_codevectors_per_group=6)
    wav2vec2 = transformers.Wav2Vec2ForPreTraining(config)
    with torch.no_grad():  # spread out, so that many codes occur
        wav2vec2.quantizer.weight_proj.weight.mul_(10)
        wav2vec2.quantizer.codevectors.normal_()
    wav2vec2.save_pretrained(root / "wav2vec2")
    extractor.save_pretrained(root / "wav2vec2")

    for name, stable in (("hubert", False), ("hubert_stable", True)):
        config = transformers.HubertConfig(
            **SPEECH, do_stable_layer_norm=stable, feat_extract_norm="layer" if stable else "group"
        )
        transformers.HubertModel(config).save_pretrained(root / name)
        extractor.save_pretrained(root / name)

    config = transformers.WhisperConfig(
        vocab_size=20, d_model=16, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32, max_source_positions=100,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    transformers.WhisperModel(config).save_pretrained(root / "whisper")
    # 2 s where the published models take 30: long recordings are short then
    transformers.WhisperFeatureExtractor(chunk_length=2).save_pretrained(root / "whisper")
