"""Stages 0 to 2 of a recipe with TextGrids from elsewhere, labels of their own, and other mel settings."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.frames import num_frames, resampled_length
from ctap.audio.settings import AudioSettings
from ctap.files.tables import read_table
from test import corruption

CONF = Path(__file__).parents[2] / "egs/TEMPLATE/ctap1/conf/audio/hifigan.yaml"


def test_labels_of_ones_own_at_settings_of_ones_own(recipe, tmp_path):
    corpus, grids = tmp_path / "corpus", tmp_path / "grids"
    corruption.make_corpus(corpus)
    for path in (corpus / "grids").rglob("*.TextGrid"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('"j"', '"J@"').replace('"ian1"', '"YEN_1"'), encoding="utf-8")
    for name in ("train", "dev", "test"):
        (grids / name).parent.mkdir(exist_ok=True)
        (grids / name).symlink_to(corpus / "grids")
    asked = ("--target_speakers", "none", "--corpus", str(corpus), "--durations", str(grids))
    asked = (*asked, "--audio_config", str(CONF), "--align_pictures", "0", "--vocoder", "griffin_lim")

    recipe.run(*asked, "--stop_stage", "0")
    unread = recipe.run(*asked, "--stage", "1", "--stop_stage", "1", check=False)
    failed = read_table(recipe.path / "data/train/align_failed")
    texts = read_table(recipe.path / "data/train/phones")
    assert set(failed) == {utt for utt, phones in texts.items() if "j" in phones.split()}
    assert failed and "labels that stand for no phone (times): J@ (6), YEN_1 (3)" in unread.stdout
    assert unread.returncode != 0  # not one utterance of the test part can be used

    (tmp_path / "labels").write_text("j     J@\nian1  YEN_1\n", encoding="utf-8")
    recipe.run(*asked, "--label_table", str(tmp_path / "labels"), "--stage", "1", "--stop_stage", "2")
    settings = AudioSettings.load(CONF)
    frames = num_frames(resampled_length(int(corruption.SECONDS * 16000), 16000, 22050), settings)
    spans = read_table(recipe.path / "data/train/durations")
    assert set(spans) == set(texts)
    assert corruption.keys(recipe.path / "data/train/align_failed") == set()
    assert {sum(map(int, row.split())) for row in spans.values()} == {frames}
    assert set(read_table(recipe.path / "dump/train/utt2num_frames").values()) == {str(frames)}
