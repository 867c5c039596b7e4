import shutil

import pytest

from ctap.bin import split_targets
from ctap.errors import UserError
from ctap.files import joins
from ctap.files.tables import read_table, write_table
from ctap.kaldi.validate import validate
from ctap.text.languages import older


@pytest.fixture
def corpus(tmp_path):
    utts = [f"{spk}{i:02d}" for spk in ("ann", "bob", "cat", "dan", "eve") for i in range(20)]
    path = tmp_path / "all"
    write_table(path / "wav.scp", {utt: f"/corpus/{utt}.wav" for utt in utts})
    write_table(path / "utt2spk", {utt: utt[:3] for utt in utts})
    write_table(path / "spk2gender", {"ann": "f", "bob": "m", "cat": "f", "dan": "m", "eve": "f"})
    write_table(path / "utt2dur", dict.fromkeys(utts, "30.0"))
    write_table(path / "text", dict.fromkeys(utts, "好"))
    write_table(path / "pinyin", dict.fromkeys(utts, "hao3"))
    write_table(path / "phones", dict.fromkeys(utts, "h ao3"))
    return path


def run(corpus, *options):
    out = corpus.parent / "data"
    split_targets.main(["--data_dir", str(corpus), "--out_dir", str(out), *options])
    return out


def contents(out):
    return {p.relative_to(out): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_sets_are_sound_and_speech_has_no_text(corpus, capsys):
    out = run(corpus, "--target_speakers", "eve bob", "--labeled_minutes", "2")
    assert (out / "target_speakers").read_text() == "bob\neve\n"
    assert sorted(p.name for p in out.iterdir()) == sorted(
        ["train", "dev", "test", "target_speakers"]
        + [f"target_{spk}_{kind}" for spk in ("bob", "eve") for kind in ("speech", "labeled", "test")]
    )
    for path in out.glob("*/"):
        if path.is_dir():
            speech = path.name.endswith("_speech")
            assert validate(path, phones=older().phone_tables, text=not speech) == []
            assert (
                any((path / name).exists() for name in ("text", "pinyin", "phones", "prosody")) is not speech
            )
    assert len(read_table(out / "target_eve_labeled" / "text")) == 4
    assert len(read_table(out / "target_eve_test" / "text")) == 2
    assert set(read_table(out / "train" / "utt2spk").values()) == {"ann", "cat", "dan"}
    printed = capsys.readouterr().out
    assert "target speakers: bob (m), eve (f)" in printed
    assert "target_eve_labeled           4         1      2.0" in printed


def test_repeated_it_gives_the_same_and_keeps_what_later_stages_wrote(corpus):
    first = contents(run(corpus))
    out = corpus.parent / "data"
    (out / "train" / "durations").write_text("kept\n")
    (out / "train" / "durations").unlink()
    (out / "train" / "feats.scp").write_text("ann00 x.ark:1\n")
    again = contents(run(corpus))
    assert again.pop((out / "train" / "feats.scp").relative_to(out)) and again == first
    assert contents(run(corpus, "--seed", "1")) != first


def test_sets_of_another_division_go(corpus, capsys):
    out = run(corpus, "--target_speakers", "ann")
    (out / "target_notes").mkdir()
    run(corpus, "--target_speakers", "bob")
    assert sorted(p.name for p in out.glob("target_*_*")) == [
        f"target_bob_{kind}" for kind in ("labeled", "speech", "test")
    ]
    assert (out / "target_notes").exists()
    assert "target_ann_speech: removed" in capsys.readouterr().out


def test_a_division_that_did_not_end_has_no_list_of_targets(corpus, monkeypatch):
    """By which later stages see that all sets are there."""
    out = run(corpus, "--target_speakers", "ann")

    def full(*_args, **_options):
        raise UserError("the disk is full")

    monkeypatch.setattr(split_targets, "write_subsets", full)
    with pytest.raises(SystemExit):
        run(corpus, "--target_speakers", "bob")
    assert not (out / "target_speakers").exists()


def test_no_targets(corpus):
    out = run(corpus, "--target_speakers", "none")
    assert (out / "target_speakers").read_text() == ""
    assert len(read_table(out / "train" / "text")) + len(read_table(out / "dev" / "text")) == 90


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target_speakers", "zoe"], "no speaker 'zoe'"),
        (["--target_speakers", " "], "expected auto, none, or names"),
        (["--dev_utts", "many"], "--dev_utts many: expected auto or a number"),
        (["--labeled_minutes", "0"], "--labeled_minutes 0: expected more than 0"),
    ],
)
def test_mistakes(corpus, capsys, options, message):
    with pytest.raises(SystemExit):
        run(corpus, *options)
    assert message in capsys.readouterr().err
    assert not (corpus.parent / "data" / "target_speakers").exists()


def test_strange_parts_are_refused(corpus, capsys):
    write_table(corpus / "utt2part", {"ann00": "valid"})
    with pytest.raises(SystemExit):
        run(corpus)
    assert "'ann00 valid': expected train, dev or test" in capsys.readouterr().err


def test_the_order_of_lines_changes_nothing_and_sorted_tables_are_never_held(corpus, monkeypatch):
    write_table(corpus / "utt2part", {"ann00": "test", "dan05": "dev"})
    with monkeypatch.context() as patch:
        patch.setattr(joins, "read_table", None)
        first = contents(run(corpus))
    shutil.rmtree(corpus.parent / "data")
    for path in corpus.iterdir():
        path.write_text("".join(path.read_text().splitlines(keepends=True)[::-1]))
    assert contents(run(corpus)) == first


def test_a_set_that_stays_is_left_alone_and_told_of_other_rules(corpus):
    out = run(corpus, "--target_speakers", "bob")
    (out / "train" / "durations").write_text("kept\n")
    before = (out / "train" / "wav.scp").stat().st_mtime_ns
    (corpus / "text.json").write_text('{"sandhi": true}')
    run(corpus, "--target_speakers", "bob")
    assert (out / "train" / "durations").exists()
    assert (out / "train" / "wav.scp").stat().st_mtime_ns == before
    assert (out / "train" / "text.json").read_text() == '{"sandhi": true}'
    assert not (out / "target_bob_speech" / "text.json").exists()


def test_a_fault_changes_no_set(corpus, capsys):
    first = contents(run(corpus))
    write_table(corpus / "text", dict.fromkeys(read_table(corpus / "utt2spk"), "坏"))
    with (corpus / "phones").open("a") as file:
        file.write("zoe00\n")
    with pytest.raises(SystemExit):
        run(corpus, "--seed", "1")
    assert "phones:101: 'zoe00' has no value" in capsys.readouterr().err
    assert contents(corpus.parent / "data") == first


@pytest.mark.parametrize(
    ("rows", "message"), [({"ann00": "1.0"}, "'ann01' has None"), ({"ann00": "1 s"}, "'ann00' has '1 s'")]
)
def test_every_utterance_has_a_length(corpus, capsys, rows, message):
    write_table(corpus / "utt2dur", rows)
    with pytest.raises(SystemExit):
        run(corpus)
    assert f"utt2dur: {message}, expected seconds" in capsys.readouterr().err
