import json
import shutil

import numpy as np
import pytest
import soundfile

from ctap.audio import headers
from ctap.bin import prepare_text
from ctap.files import joins
from ctap.files.tables import read_table, write_table
from ctap.kaldi.validate import validate
from ctap.text.languages import older
from ctap.text.mandarin import Mandarin


@pytest.fixture
def corpus(tmp_path):
    """A directory as a recipe writes it: five recordings of two speakers."""
    wave = (0.1 * np.random.default_rng(0).standard_normal(16000)).astype(np.float32)
    utts = ["ann-1", "ann-2", "ann-3", "bob-1", "bob-2"]
    for utt in utts:
        soundfile.write(tmp_path / f"{utt}.wav", wave, 16000)
    source = tmp_path / "source"
    write_table(source / "wav.scp", {utt: str(tmp_path / f"{utt}.wav") for utt in utts})
    write_table(source / "utt2spk", {utt: utt[:3] for utt in utts})
    write_table(source / "spk2gender", {"ann": "female", "bob": "M"})
    write_table(
        source / "text", {"ann-1": "你好！", "ann-2": "有3个", "ann-3": "OK", "bob-1": "你好", "bob-2": "好"}
    )
    return source


def run(source, *options):
    prepare_text.main(["--in_dir", str(source), "--out_dir", str(source.parent / "local" / "all"), *options])
    return source.parent / "local" / "all"


def reasons(out):
    return {
        line.split("\t")[0]: line.split("\t")[1]
        for line in (out.parent / "skipped.tsv").read_text().splitlines()[1:]
    }


def test_hanzi_are_completed(corpus, capsys):
    out = run(corpus)
    assert validate(out, phones=older().phone_tables, audio=True) == []
    assert read_table(out / "text") == {
        "ann-1": "你好",
        "ann-2": "有三个",
        "bob-1": "你好",
        "bob-2": "好",
    }
    assert read_table(out / "pinyin")["ann-2"] == "you3 san1 ge4"
    assert read_table(out / "phones")["ann-2"] == "iou3 s an1 g e4"
    assert read_table(out / "utt2dur")["bob-1"] == "1.000000"
    assert read_table(out / "spk2gender") == {"ann": "f", "bob": "m"}
    assert reasons(out) == {"ann-3": "unreadable text"}
    printed = capsys.readouterr().out
    assert "1  unreadable text: ann-3" in printed and "4 utterances of 2 speakers" in printed


def test_recordings_of_a_relative_path_are_found_from_anywhere(corpus, tmp_path, monkeypatch):
    (tmp_path / "recipe").mkdir()
    rows = read_table(corpus / "wav.scp")
    monkeypatch.chdir(tmp_path / "recipe")
    write_table(corpus / "wav.scp", {utt: f"../{utt}.wav" for utt in rows})
    out = run(corpus)
    monkeypatch.chdir("/")
    assert validate(out, phones=older().phone_tables, audio=True) == []
    assert read_table(out / "wav.scp")["ann-1"].startswith(f"{tmp_path}/")


def test_given_pinyin_wins_and_sandhi_is_for_the_rest(corpus):
    write_table(corpus / "pinyin", {"bob-1": "ni3 hao3"})
    out = run(corpus, "--sandhi", "true")
    assert read_table(out / "pinyin") == {
        "ann-1": "ni2 hao3",
        "ann-2": "you3 san1 ge4",
        "bob-1": "ni3 hao3",
        "bob-2": "hao3",
    }


def test_traditional_text_is_kept_read_and_counted(corpus, capsys):
    write_table(
        corpus / "text",
        {"ann-1": "銀行在重慶", "ann-2": "有3個", "ann-3": "妈妈#1好#4", "bob-1": "長城", "bob-2": "音樂"},
    )
    write_table(corpus / "pinyin", {"bob-2": "yin1 yue4"})
    out = run(corpus)
    assert read_table(out / "text")["ann-1"] == "銀行在重慶" and read_table(out / "text")["ann-2"] == "有三個"
    assert read_table(out / "phones")["ann-1"] == "in2 h ang2 z ai4 ch ong2 q ing4"
    assert read_table(out / "pinyin")["ann-3"] == "ma1 ma1 hao3"
    noted = (out.parent / "notices.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in noted] == ["ann-1", "ann-2", "bob-1"]  # bob-2 has its pinyin
    assert "3  traditional characters, read as simplified ones: ann-1" in capsys.readouterr().out


def test_letters_are_read_by_their_names_if_asked(corpus):
    out = run(corpus, "--spell_latin", "true")
    assert reasons(out) == {}
    assert read_table(out / "text")["ann-3"] == "OK"
    assert read_table(out / "pinyin")["ann-3"] == "ou1 kei4"
    assert json.loads((out / "text.json").read_text())["spell_latin"] is True


def test_pinyin_alone_is_enough(corpus, capsys):
    (corpus / "text").unlink()
    write_table(corpus / "pinyin", {"ann-1": "ni3 hao3", "bob-1": "nü3 er2"})
    out = run(corpus)
    assert read_table(out / "text") == {"ann-1": "ni3hao3", "bob-1": "nv3er2"}
    assert "no hanzi" in capsys.readouterr().out
    assert set(reasons(out).values()) == {"recording without text"}


def test_every_loss_is_named(corpus):
    (corpus / "skipped.tsv").write_text("utt\treason\tdetail\nold-1\tfound by the recipe\t-\n")
    write_table(corpus / "pinyin", {"ann-1": "ni3 haw3", "bob-1": "ni3 hao3 a5", "cat-1": "ma1"})
    write_table(corpus / "utt2spk", {utt: utt[:3] for utt in ("ann-1", "ann-2", "ann-3", "bob-1")})
    out = run(corpus)
    assert reasons(out) == {
        "old-1": "found by the recipe",
        "ann-1": "unknown pinyin",
        "ann-3": "unreadable text",
        "bob-1": "wrong number of pinyin",
        "bob-2": "no speaker in utt2spk",
        "cat-1": "text without recording",
    }
    assert list(read_table(out / "phones")) == ["ann-2"]


def test_text_must_fit_into_the_recording(corpus, tmp_path):
    hum = 0.1 * np.sin(np.arange(160 * 11) / 20)
    soundfile.write(tmp_path / "ann-2.wav", hum, 16000)
    soundfile.write(tmp_path / "ann-1.wav", hum[: 160 * 5], 16000)
    out = run(corpus, "--min_seconds", "0.01")  # ann-1: 6 frames for 4 phones and 2 silences
    assert "ann-2" in read_table(out / "phones") and "ann-1" in read_table(out / "phones")
    soundfile.write(tmp_path / "ann-1.wav", hum[: 160 * 4], 16000)
    assert reasons(run(corpus, "--min_seconds", "0.01"))["ann-1"] == "recording too short for its text"


@pytest.mark.parametrize(
    ("table", "rows", "message"),
    [
        ("utt2spk", {"ann-1": "zoe"}, "'ann-1' doesn't start with the name of its speaker 'zoe'"),
        ("spk2gender", {"ann": "x", "bob": "m"}, "'ann' has 'x', expected m or f"),
        ("text", {"zoe-1": "好"}, "no utterance can be used"),
    ],
)
def test_mistakes_stop_it(corpus, capsys, table, rows, message):
    write_table(corpus / table, rows)
    with pytest.raises(SystemExit) as stop:
        run(corpus)
    assert stop.value.code == 1
    assert message in capsys.readouterr().err
    assert not (corpus.parent / "local" / "all").exists()


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_order_of_lines_and_the_size_of_blocks_change_nothing(corpus, monkeypatch):
    write_table(corpus / "pinyin", {"ann-1": "ni3 haw3", "bob-1": "ni3 hao3", "cat-1": "ma1"})
    write_table(corpus / "utt2part", {"ann-1": "test", "bob-1": "train"})
    with monkeypatch.context() as patch:
        patch.setattr(joins, "read_table", None)  # sorted tables are never held
        first = contents(run(corpus).parent)
    shutil.rmtree(corpus.parent / "local")
    for path in corpus.iterdir():
        path.write_text("".join(path.read_text().splitlines(keepends=True)[::-1]))
    monkeypatch.setattr(headers, "_AT_ONCE", 2)
    assert contents(run(corpus).parent) == first


def test_repeated_it_keeps_what_later_stages_wrote(corpus):
    out = run(corpus)
    first = contents(out.parent)
    (out / "durations").write_text("kept\n")
    run(corpus)
    assert (out / "durations").read_text() == "kept\n"
    run(corpus, "--sandhi", "true")
    assert not (out / "durations").exists()
    run(corpus)
    assert contents(out.parent) == first


def test_stopped_midway_it_changes_nothing(corpus, monkeypatch):
    first = contents(run(corpus).parent)
    (corpus / "text").write_text((corpus / "text").read_text().replace("你", "我"))
    read = Mandarin.read

    def stop(self, given):
        if given["text"] == "好":
            raise KeyboardInterrupt
        return read(self, given)

    monkeypatch.setattr(Mandarin, "read", stop)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(corpus)
    assert contents(corpus.parent / "local") == first


def test_a_table_of_texts_without_one_that_is_used_is_left_out(corpus):
    write_table(corpus / "pinyin", {"cat-1": "ma1"})
    write_table(corpus / "word_phones", {"ann-1": "2 2", "ann-3": "1"})
    out = run(corpus)
    assert read_table(out / "pinyin")["ann-1"] == "ni3 hao3"
    assert read_table(out / "word_phones") == {"ann-1": "2 2"}  # not of this language: as it was given
