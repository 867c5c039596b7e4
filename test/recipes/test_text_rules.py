"""How text is read, from the corpus through every kind of data directory and a training to what is said."""

import json

import pytest
import soundfile

from ctap.audio.settings import AudioSettings
from ctap.audio.wave import utterance_frames
from ctap.bin import combine_features, dump_features, prepare_text, split_targets
from ctap.bin.merge_data_dirs import merge_data_dirs
from ctap.bin.subset_data_dir import subset_data_dir
from ctap.bin.synthesize import synthesize
from ctap.config import from_dict
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.datadir import DataDir
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.tasks.build import TRAININGS, Sources
from test import tiny

HANZI = {"ann-1": "你好。", "ann-2": "老鼠，我买了一本书", "bob-1": "有3个", "bob-2": "很好", "bob-3": "你好"}
SPOKEN = {"ann-1": "ni2 hao3", "ann-2": "lao2 shu3 wo2 mai3 le5 yi4 ben3 shu1", "bob-2": "hen2 hao3"}


TARGETS = ("--target_speakers", "bob", "--dev_utts", "1", "--targets_in_train", "true")


def run(command, *options):
    command.main.execute([str(option) for option in options])


def prepare(root, sandhi, pinyin):
    """Stages 0 to 2 of a corpus of five recordings, some or all of whose pinyin is given."""
    for utt in HANZI:
        soundfile.write(root / f"{utt}.wav", tiny.voice(1.0), 24000)
    source, data = root / "source", root / "data"
    write_table(source / "wav.scp", {utt: str(root / f"{utt}.wav") for utt in HANZI})
    write_table(source / "utt2spk", {utt: utt[:3] for utt in HANZI})
    write_table(source / "text", HANZI)
    if pinyin:
        write_table(source / "pinyin", pinyin)
    whole = data / "local" / "all"
    run(prepare_text, "--in_dir", source, "--out_dir", whole, "--sandhi", sandhi)
    run(split_targets, "--data_dir", whole, "--out_dir", data, *TARGETS)
    for name in ("train", "dev"):
        folder = DataDir(data / name)
        phones = {u: ["sil", *p.split(), "sil"] for u, p in folder.table("phones").items()}
        frames = {u: utterance_frames(folder.wav_scp[u], AudioSettings()) for u in phones}
        spans = {u: [*[4] * (len(p) - 1), frames[u] - 4 * (len(p) - 1)] for u, p in phones.items()}
        write_table(folder.path / "aligned_phones", phones)
        write_table(folder.path / "durations", spans)
        options = ["--data_dir", folder.path, "--parts_dir", root / "parts" / name, "--num_jobs", 1]
        run(dump_features, *options)
        stats = ["--stats_out", root / "dump" / "stats.json"] if name == "train" else []
        run(combine_features, *options, "--out_dir", root / "dump" / name, *stats)
    return whole, data, root / "dump"


@pytest.mark.parametrize("pinyin", [{}, SPOKEN], ids=["hanzi alone", "pinyin given"])
@pytest.mark.parametrize("sandhi", ["false", "true"])
def test_what_is_said_is_what_was_trained_on(tmp_path, sandhi, pinyin):
    whole, data, dump = prepare(tmp_path, sandhi, pinyin)
    merge_data_dirs([dump / "train", dump / "dev"], tmp_path / "merged")
    subset_data_dir(dump / "train", tmp_path / "subset", 2)
    for folder in (whole, data / "train", data / "target_bob_test", dump / "train", tmp_path / "merged"):
        rules = json.loads((folder / "text.json").read_text())
        assert rules == {"language": "mandarin", "sandhi": sandhi == "true", "normalization": "wetext"}
    assert (tmp_path / "subset" / "text.json").exists()
    assert not (data / "target_bob_speech" / "text.json").exists()  # it has no text

    config = from_dict(TRAININGS["pretrain"][0], {"model": tiny.MODEL, "data": tiny.DATA}, "test")
    parts = TRAININGS["pretrain"][1](config, Sources(dump / "train", dump / "dev")).parts
    parts.duration = DurationModel(8, 6, DurationConfig(layers=1, channels=4, predictor_channels=4), 1.0, 0.3)
    parts.save(tmp_path / "model")
    prompt = tmp_path / "ann-1.wav"
    labels = {u: line.split() for u, line in read_table(whole / "phones").items()}
    said = {}
    for kind, texts in (("hanzi", HANZI), ("pinyin", read_table(whole / "pinyin"))):
        out = tmp_path / kind
        write_table(tmp_path / f"{kind}.txt", texts)
        synthesize(tmp_path / "model", prompt, out, text_file=tmp_path / f"{kind}.txt", device="cpu")
        words = {u: line.split() for u, line in read_table(out / "aligned_phones").items()}
        said[kind] = {u: [p for p in ps if p not in ("sil", "sp")] for u, ps in words.items()}
    assert said["pinyin"] == labels
    # hanzi are read by the rules; where the corpus has pinyin of its own, that is what was trained on
    rules_suffice = [u for u in labels if u not in pinyin or sandhi == "true"]
    assert rules_suffice
    assert {u: said["hanzi"][u] for u in rules_suffice} == {u: labels[u] for u in rules_suffice}


def test_another_reading_of_the_same_tables_keeps_durations(tmp_path):
    """All pinyin is given: --sandhi changes what is recorded and no phone, so nothing made of them goes."""
    pinyin = {**dict.fromkeys(HANZI, "ni3 hao3"), "bob-1": "you3 san1 ge4"}
    whole, data, _ = prepare(tmp_path, "false", pinyin)
    run(prepare_text, "--in_dir", tmp_path / "source", "--out_dir", whole, "--sandhi", "true")
    run(split_targets, "--data_dir", whole, "--out_dir", data, *TARGETS)
    assert json.loads((data / "train" / "text.json").read_text())["sandhi"] is True
    assert (data / "train" / "durations").exists()


def test_directories_read_in_two_ways_are_not_merged(tmp_path):
    for name, sandhi in (("one", "false"), ("two", "true")):
        (tmp_path / name).mkdir()
        prepare(tmp_path / name, sandhi, {})
    other = tmp_path / "two" / "dump" / "dev"
    with pytest.raises(UserError, match=r"text\.json: .*sandhi true, not false"):
        merge_data_dirs([tmp_path / "one" / "dump" / "train", other], tmp_path / "merged")
