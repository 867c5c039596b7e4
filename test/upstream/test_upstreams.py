"""The four systems against transformers called directly, on tiny models saved as downloads are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import resample
from ctap.errors import UserError
from ctap.upstream.kmeans import KMeans
from ctap.upstream.pretrained import UnavailableError
from ctap.upstream.registry import UPSTREAMS, make_upstream

transformers = pytest.importorskip("transformers", reason="needs the extra `upstream`")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def centroids(models, tmp_path_factory, wave) -> Path:
    """Centroids of layer 2 of the tiny HuBERT: some of its own frames."""
    frames = make_upstream("hubert_frames", str(models / "hubert"), layer=2)
    path = tmp_path_factory.mktemp("kmeans") / "kmeans.npz"
    KMeans(frames.frames(wave)[::7].numpy(), frames.space).save(path)
    return path


@pytest.fixture(scope="session")
def made(models, centroids) -> dict:
    """One of each kind."""
    options = {"codec": {"bandwidth": 1.2}, "hubert": {"kmeans": centroids}, "hubert_frames": {"layer": 2}}
    return {
        kind: make_upstream(kind, str(models / kind.removesuffix("_frames")), **options.get(kind, {}))
        for kind in UPSTREAMS
    }


def normalized(models, wave):
    """The wave at 16 kHz as transformers' own extractor prepares it, [1, N]."""
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(models / "hubert")
    own = resample(wave, 24000, 16000)
    return extractor(own, sampling_rate=16000, return_tensors="pt").input_values


@torch.no_grad()
def test_codec_is_the_sum_of_the_embeddings_of_its_codes(made, models, wave):
    model = transformers.EncodecModel.from_pretrained(models / "codec").eval()
    codes = model.encode(torch.from_numpy(wave)[None, None], bandwidth=1.2).audio_codes[0, 0]  # [Q, n]
    tables = [layer.codebook.embed for layer in model.quantizer.layers]
    expected = sum(table[own] for table, own in zip(tables, codes, strict=False))
    found = made["codec"].frames(wave)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert len(codes) == made["codec"].codebooks == 4 and len(codes.unique()) > 4
    # 4 codebooks of 16 entries, 75 frames a second: what the model calls 1.2 kbit/s
    assert made["codec"].representation.bits_per_second == 1200
    # and it is what the model's own decoder starts from
    direct = model.decoder(found.T[None])
    through = model.decode(codes[None, None], [None]).audio_values
    torch.testing.assert_close(direct, through, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_wav2vec2_gives_the_code_vectors_its_pretraining_aims_at(made, models, wave):
    model = transformers.Wav2Vec2ForPreTraining.from_pretrained(models / "wav2vec2").eval()
    expected = model(normalized(models, wave)).projected_quantized_states[0]
    found = made["wav2vec2"].frames(wave)
    torch.testing.assert_close(model.project_q(found), expected, atol=1e-5, rtol=1e-5)
    table = model.quantizer.codevectors[0]
    left, right = found.split(4, dim=1)
    assert all((row == table[:6]).all(1).any() for row in left)
    assert all((row == table[6:]).all(1).any() for row in right)
    assert len(found.unique(dim=0)) > 4
    assert made["wav2vec2"].representation.bits_per_second == pytest.approx(2 * np.log2(6) * 50)


@pytest.mark.parametrize("name", ["hubert", "hubert_stable"])
@pytest.mark.parametrize("layer", [0, 1, 2, 3])
@torch.no_grad()
def test_hubert_frames_are_the_hidden_states_of_the_layer(models, wave, name, layer):
    model = transformers.HubertModel.from_pretrained(models / name).eval()
    outputs = model(normalized(models, wave), output_hidden_states=True)
    # the last one before its norm is of no use to anybody
    expected = (outputs.last_hidden_state if layer == 3 else outputs.hidden_states[layer])[0]
    found = make_upstream("hubert_frames", str(models / name), layer=layer).frames(wave)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


def test_hubert_replaces_each_frame_by_its_nearest_centroid(made, centroids, wave):
    frames, found = made["hubert_frames"].frames(wave), made["hubert"].frames(wave)
    table = torch.from_numpy(KMeans.load(centroids).centroids)
    assert (found == table[torch.cdist(frames.double(), table.double()).argmin(1)]).all()
    assert made["hubert"].codebook_size == len(table) and made["hubert"].codebooks == 1


@torch.no_grad()
def test_whisper_is_the_encoder_s_output_without_the_padding(made, models, wave):
    model = transformers.WhisperModel.from_pretrained(models / "whisper").eval()
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(models / "whisper")
    own = resample(wave, 24000, 16000)
    features = extractor(own, sampling_rate=16000, return_tensors="pt").input_features
    expected = model.get_encoder()(features).last_hidden_state[0]
    found = made["whisper"].frames(wave)
    assert len(found) == -(-len(own) // 320) < len(expected)
    torch.testing.assert_close(found, expected[: len(found)], atol=1e-5, rtol=1e-4)
    assert made["whisper"].representation.bits_per_second == 16 * 32 * 50


@pytest.mark.parametrize("kind", UPSTREAMS)
@settings(max_examples=12, deadline=None)
@given(length=st.one_of(st.integers(1, 1500), st.integers(1500, 20000)))
def test_frame_counts_are_the_toolkit_s_for_any_length(made, kind, length):
    upstream = made[kind]
    wave = 0.1 * np.random.default_rng(length).normal(size=length).astype(np.float32)
    found = upstream.encode(wave)
    assert found.shape == (num_frames(length, AudioSettings()), upstream.dim)
    assert found.dtype == np.float32 and np.isfinite(found).all()


@pytest.mark.parametrize("kind", UPSTREAMS)
def test_frames_are_repeated_in_time(made, wave, kind):
    upstream = made[kind]
    own, found = upstream.frames(wave).numpy(), upstream.encode(wave)
    rows = {row.tobytes() for row in own}
    assert all(row.tobytes() in rows for row in found)  # repeated, never mixed
    shift = 100 / upstream.frame_rate
    for t in range(0, len(found), 13):
        near = range(max(0, int(t / shift) - 2), min(len(own), int(t / shift) + 3))
        assert any((own[j] == found[t]).all() for j in near)


@pytest.mark.parametrize("kind", UPSTREAMS)
def test_silence_and_a_wave_that_does_not_change_are_finite(made, kind):
    for wave in (np.zeros(5000, np.float32), np.full(5000, 0.5, np.float32)):
        assert np.isfinite(made[kind].encode(wave)).all()


def test_an_empty_wave_is_refused(made):
    with pytest.raises(ValueError, match="N >= 1"):
        made["codec"].encode(np.zeros(0, np.float32))


@pytest.mark.parametrize("kind", ["hubert_frames", "whisper", "codec", "wav2vec2"])
def test_a_long_recording_is_read_in_windows_with_context(made, wave, kind, monkeypatch):
    upstream = made[kind]
    long = np.concatenate([wave * (0.5 + 0.1 * i) for i in range(5)])  # 6.4 s
    whole = upstream.frames(long)
    monkeypatch.setattr(upstream, "window_seconds", 2.0)  # as the tiny Whisper's is anyway
    found = upstream.frames(long)
    assert found.shape == whole.shape
    size = int(2 * upstream.frame_rate)
    context = size // 4
    keep, stride = size - 2 * context, upstream.timing.stride
    own = upstream.prepare(torch.from_numpy(resample(long, 24000, upstream.sample_rate)))
    start = (keep - context) * stride  # the second window keeps frames keep to 2 * keep - 1
    extra = max(0, upstream.timing.receptive - stride)
    with torch.no_grad():
        second = upstream.window_frames(own[start : start + size * stride + extra])
    assert len(second) == size
    torch.testing.assert_close(found[keep : 2 * keep], second[context : context + keep])
    if kind == "codec":  # sees little beyond a frame: windows hardly show
        assert torch.isclose(found, whole, atol=0.05, rtol=0.05).all(1).float().mean() > 0.8


def test_the_same_wave_gives_the_same_values(made, wave):
    for upstream in made.values():
        assert (upstream.encode(wave) == upstream.encode(wave)).all()


# What can go wrong on loading


def test_weights_in_an_old_bin_file_load_alike(models, wave, tmp_path):
    """The published Mandarin models are .bin files with torch's old names of weight normalization."""
    for name, kind, options in (
        ("hubert", "hubert_frames", {"layer": 3}),
        ("codec", "codec", {"bandwidth": 2.4}),
    ):
        folder = copy(models / name, tmp_path / name)
        to_old_bin(folder)
        found = make_upstream(kind, str(folder), **options)
        expected = make_upstream(kind, str(models / name), **options)
        assert (found.encode(wave) == expected.encode(wave)).all()
        assert found.representation.weights == expected.representation.weights


def test_half_precision_weights_are_run_in_float32(models, wave, tmp_path):
    model = transformers.WhisperModel.from_pretrained(models / "whisper").half()
    model.save_pretrained(tmp_path)
    transformers.WhisperFeatureExtractor.from_pretrained(models / "whisper").save_pretrained(tmp_path)
    found = make_upstream("whisper", str(tmp_path)).encode(wave)
    expected = make_upstream("whisper", str(models / "whisper")).encode(wave)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.02)


class Evil:
    """What a pickle may do on being read."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('ran code from a pickle')",))


def test_a_pickle_that_runs_code_is_refused(models, tmp_path):
    folder = copy(models / "hubert", tmp_path / "hubert")
    (folder / "model.safetensors").unlink()
    torch.save({"encoder.layer_norm.weight": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        make_upstream("hubert_frames", str(folder))
    assert "ran code" not in str(caught.value)
    assert caught.value.status == 1


def test_a_model_without_its_quantizer_is_refused_not_filled_up_at_random(models, tmp_path):
    config = transformers.Wav2Vec2Config.from_pretrained(models / "wav2vec2")
    transformers.Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"needed are not in it, such as quantizer.*fine-tuned"):
        make_upstream("wav2vec2", str(tmp_path))


def test_a_fine_tuned_hubert_has_all_that_is_needed(models, tmp_path, wave):
    config = transformers.HubertConfig.from_pretrained(models / "hubert")
    model = transformers.HubertForCTC(config)
    model.save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    with torch.no_grad():
        expected = model.eval().hubert(normalized(models, wave)).last_hidden_state[0]
    found = make_upstream("hubert_frames", str(tmp_path), layer=3).frames(wave)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


def test_another_kind_of_model_is_named(models):
    with pytest.raises(UserError, match="says 'whisper', expected 'hubert'"):
        make_upstream("hubert_frames", str(models / "whisper"))


def test_a_damaged_or_incomplete_directory_is_an_error(models, tmp_path):
    damaged = copy(models / "codec", tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"\0" * 100)
    bare = copy(models / "hubert", tmp_path / "bare")
    (bare / "preprocessor_config.json").unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    for kind, folder, options in (
        ("codec", damaged, {}),
        ("hubert_frames", bare, {"layer": 1}),
        ("whisper", empty, {}),
    ):
        with pytest.raises(UserError, match=f"{folder.name}: cannot be loaded") as caught:
            make_upstream(kind, str(folder), **options)
        assert caught.value.status == 1


def test_options_are_checked_by_kind(models, centroids, tmp_path):
    codec, hubert = str(models / "codec"), str(models / "hubert")
    with pytest.raises(UserError, match="unknown representation 'mfcc'; there are: codec, wav2vec2, hubert"):
        make_upstream("mfcc", codec)
    with pytest.raises(UserError, match="--layer is not an option of codec, which has --bandwidth"):
        make_upstream("codec", codec, layer=3)
    with pytest.raises(UserError, match=r"no bandwidth 6 kbit/s; it has 0\.6, 1\.2, 2\.4"):
        make_upstream("codec", codec)
    with pytest.raises(UserError, match="hubert needs --kmeans"):
        make_upstream("hubert", hubert)
    with pytest.raises(UserError, match="no layer 9; it has 3"):
        make_upstream("hubert_frames", hubert)
    with pytest.raises(UserError, match=r"weights is .*, expected"):
        make_upstream("hubert", str(models / "hubert_stable"), kmeans=centroids)
    with pytest.raises(UserError, match="not centroids"):
        make_upstream("hubert", hubert, kmeans=tmp_path / "missing.npz")


def test_a_path_that_is_not_there_is_told_from_a_mistake(tmp_path):
    with pytest.raises(UnavailableError, match="no such directory") as caught:
        make_upstream("whisper", str(tmp_path / "missing"))
    assert caught.value.status == 3


def test_the_command_ends_with_3_where_the_hub_cannot_be_reached(tmp_path):
    environment = {
        "PATH": "/usr/bin:/bin",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    command = ["-m", "ctap.bin.check_upstream", "--kind", "hubert_frames", "--model", "nobody/no-such-model"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment)
    assert done.returncode == 3, done.stderr
    assert "nobody/no-such-model: is not available from the Hugging Face hub" in done.stderr
    assert "Traceback" not in done.stderr


def copy(source: Path, target: Path) -> Path:
    """A model's directory with files of its own."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def to_old_bin(folder: Path) -> None:
    """Rewrite a directory's weights as torch.save and torch 1 would have them."""
    from safetensors.torch import load_file

    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    weights = {}
    for name, value in load_file(folder / "model.safetensors").items():
        for new, old in names.items():
            name = name.replace(new, old)
        weights[name] = value
    assert any(name.endswith("weight_g") for name in weights)
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
