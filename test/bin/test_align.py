"""The aligner from a flat start, through its commands, on sounds whose boundaries are known."""

import json

import numpy as np
import pytest

from ctap.align.corpus import AlignCorpus
from ctap.align.durations import read_durations, strip_pauses
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import save_wave, utterance_frames
from ctap.bin import align, import_durations, plot_alignments, score_durations, train_aligner
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.metrics.results import read_scores

RATE = 16000
SYLLABLES = ["m a1", "sh a4", "l i3", "t u2", "s ou1", "j ie4", "m u3", "l ou2", "a1", "sh i4", "t i1", "u4"]
CONSONANTS = {"m": (250, 0), "l": (360, 0), "sh": (2500, 1), "s": (5500, 1), "t": (4000, 1), "j": (3200, 1)}
VOWELS = {"a": (800, 1300), "i": (300, 2300), "u": (330, 700), "ou": (480, 900), "ie": (430, 1900)}


def sound(phone, count, rng, pitch):
    """``count`` samples: voiced harmonics round formants, or noise of a band; t and j start with silence."""
    time = np.arange(count) / RATE
    if phone.rstrip("12345") in VOWELS and phone not in CONSONANTS:
        formants, noise = VOWELS[phone.rstrip("12345")], 0
    else:
        centre, noise = CONSONANTS[phone]
        formants = (centre,)
    if noise:
        spectrum = np.fft.rfft(rng.normal(size=count))
        frequency = np.fft.rfftfreq(count, 1 / RATE)
        shape = np.exp(-0.5 * ((frequency - formants[0]) / 500) ** 2)
        wave = np.fft.irfft(spectrum * shape, count)
        wave *= 0.05 / (wave.std() + 1e-9)
        if phone in ("t", "j"):
            wave[: int(0.035 * RATE)] = 0
        return wave
    wave = np.zeros(count)
    for k in range(1, int(6000 / pitch)):
        level = sum(np.exp(-0.5 * ((k * pitch - f) / 150) ** 2) for f in formants) + 1e-3
        wave += level * np.sin(2 * np.pi * k * pitch * time + k)
    return wave * (0.1 if len(formants) > 1 else 0.04) / (wave.std() + 1e-9)


def make_corpus(folder, utterances, seed):
    """A data directory and, beside it, its true events."""
    rng = np.random.default_rng(seed)
    tables = {name: {} for name in ("wav.scp", "phones", "utt2spk")}
    events = ["utterance\tphone\tindex\tmnemonic\tstart\tend"]
    folder.mkdir(parents=True)
    for number in range(utterances):
        speaker = f"S{number % 2}"
        name = f"{speaker}{number:03d}"
        plan = [("sil", 0.15)]
        for k, syllable in enumerate(rng.choice(SYLLABLES, 7)):
            if k == 3:
                plan.append(("sp", 0.2))
            for phone in str(syllable).split():
                plan.append(
                    (phone, rng.uniform(0.07, 0.1) if phone in CONSONANTS else rng.uniform(0.1, 0.18))
                )
        plan.append(("sil", 0.15))
        pieces, at = [], 0
        for index, (phone, seconds) in enumerate(plan):
            count = int(seconds * RATE)
            quiet = phone in ("sil", "sp")
            pieces.append(np.zeros(count) if quiet else sound(phone, count, rng, (120, 210)[number % 2]))
            events.append(f"{name}\t{phone}\t{index}\t_\t{at / RATE:.5f}\t{(at + count) / RATE:.5f}")
            at += count
        wave = np.concatenate(pieces)
        save_wave(folder / f"{name}.wav", wave + rng.normal(0, 3e-4, len(wave)), RATE)
        tables["wav.scp"][name] = folder / f"{name}.wav"
        tables["utt2spk"][name] = speaker
        tables["phones"][name] = strip_pauses([phone for phone, _ in plan])
    for table, rows in tables.items():
        write_table(folder / table, rows)
    (folder / "events.tsv").write_text("\n".join(events) + "\n")
    return folder


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A corpus, another one, and an aligner trained on the first."""
    root = tmp_path_factory.mktemp("align")
    make_corpus(root / "data", 30, seed=0)
    make_corpus(root / "other", 6, seed=1)
    train_aligner.main(["--data_dir", str(root / "data"), "--out", str(root / "model"), "--threads", "2"])
    return root


def run(data, model, out, jobs):
    for job in range(1, jobs + 1):
        align.main(["--data_dir", str(data), "--model", str(model), "--out_dir", str(out), "--job", str(job),
                    "--num_jobs", str(jobs)])  # fmt: skip
    align.main(["--data_dir", str(data), "--out_dir", str(out), "--num_jobs", str(jobs), "--combine"])


@pytest.mark.parametrize("name", ["data", "other"])
def test_boundaries_and_pauses_are_found(work, tmp_path, name, capsys):
    data = work / name
    run(data, work / "model", tmp_path, 1)
    score_durations.main(["--reference", str(data / "events.tsv"), "--hypothesis", str(data),
                          "--json", str(tmp_path / "s.json"),
                          "--scores", str(tmp_path / "durations" / "scores.json")])  # fmt: skip
    result = json.loads((tmp_path / "s.json").read_text())
    assert result["utterances"] == (30 if name == "data" else 6)
    assert result["pauses"]["missed"] == result["pauses"]["invented"] == 0
    assert result["boundaries"]["all"]["median"] <= 10
    assert result["boundaries"]["all"]["p90"] <= 25
    assert "fricative" in capsys.readouterr().out
    scores = read_scores(tmp_path / "durations" / "scores.json")
    assert (scores.name, scores.task) == ("durations", "durations")
    median, near = (scores.metrics[key] for key in ("boundary_error/median", "boundaries_within/20_ms"))
    assert (median.value, median.unit) == (result["boundaries"]["all"]["median"], "ms")
    assert (near.value, near.n) == (result["boundaries"]["all"]["within_20"], result["utterances"])
    for utterance, (labels, frames) in read_durations(data).items():
        assert labels[0] == labels[-1] == "sil"
        assert sum(frames) == utterance_frames(data / f"{utterance}.wav", AudioSettings())


def test_the_number_of_jobs_changes_nothing(work, tmp_path):
    run(work / "data", work / "model", tmp_path / "one", 1)
    names = ("aligned_phones", "durations", "align_score")
    one = [(work / "data" / name).read_bytes() for name in names]
    run(work / "data", work / "model", tmp_path / "three", 3)
    assert [(work / "data" / name).read_bytes() for name in names] == one


def test_same_seed_same_model(work, tmp_path):
    train_aligner.main(["--data_dir", str(work / "data"), "--out", str(tmp_path / "again"), "--threads", "1"])
    first, again = (np.load(folder / "model.npz") for folder in (work / "model", tmp_path / "again"))
    assert all(np.array_equal(first[name], again[name]) for name in first.files)


def test_few_utterances_are_aligned_better_from_another_aligner_than_from_a_flat_start(work, tmp_path):
    data = make_corpus(tmp_path / "data", 2, seed=5)
    errors = {}
    for name, more in (("flat", ()), ("init", ("--init", str(work / "model")))):
        train_aligner.main(["--data_dir", str(data), "--out", str(tmp_path / name), "--threads", "1", *more])
        run(data, tmp_path / name, tmp_path / f"{name}_out", 1)
        words = ["--reference", str(data / "events.tsv"), "--hypothesis", str(data)]
        score_durations.main([*words, "--json", str(tmp_path / f"{name}.json")])
        errors[name] = json.loads((tmp_path / f"{name}.json").read_text())["boundaries"]["all"]["mean"]
    assert errors["init"] < 0.7 * errors["flat"]


def test_another_aligner_to_start_from_must_fit(work, tmp_path):
    AudioSettings(hop_length=300).save(tmp_path / "other.json")
    words = [
        "--data_dir",
        str(work / "data"),
        "--out",
        str(tmp_path / "x"),
        "--settings",
        str(tmp_path / "other.json"),
    ]
    with pytest.raises(UserError, match="hop_length is 240, expected 300"):
        train_aligner.main.execute([*words, "--init", str(work / "model")])
    assert not (tmp_path / "x").exists()


def test_what_cannot_be_aligned_is_named(work, tmp_path, capsys):
    data = make_corpus(tmp_path / "data", 6, seed=2)
    (data / "S0000.wav").unlink()
    save_wave(data / "S1001.wav", np.full(800, 0.1), RATE)
    (data / "S0002.wav").write_bytes(b"")
    phones = (data / "phones").read_text().replace("S1003 ", "S1003 qq9 ")
    (data / "phones").write_text(phones)
    save_wave(data / "S0004.wav", np.full(RATE * 61, 0.1), RATE)
    counts = {utt: "1 " * len(said.split()) for utt, said in read_table(data / "phones").items()}
    write_table(data / "word_phones", {**counts, "S0002": "1"})
    run(data, work / "model", tmp_path / "out", 2)
    assert list(read_durations(data)) == ["S1005"]
    failed = dict(line.split(" ", 1) for line in (data / "align_failed").read_text().splitlines())
    assert failed.keys() == {"S0000", "S1001", "S0002", "S1003", "S0004"}
    assert "no such audio" in failed["S0000"]
    assert "phones do not fit into 6 frames" in failed["S1001"]
    assert "empty" in failed["S0002"]
    assert "'qq9'" in failed["S1003"]
    assert "61.0 s is longer" in failed["S0004"]
    assert "left out: S0002" in capsys.readouterr().out


def test_words_that_do_not_fit_are_named_and_teach_nobody(work, tmp_path):
    data = make_corpus(tmp_path / "data", 6, seed=2)
    counts = {utt: "1 " * len(said.split()) for utt, said in read_table(data / "phones").items()}
    write_table(data / "word_phones", {**counts, "S1003": "1"})
    run(data, work / "model", tmp_path / "out", 1)
    assert len(read_durations(data)) == 5
    assert "expected numbers that sum to" in read_table(data / "align_failed")["S1003"]


def test_what_is_too_long_to_be_read_takes_no_time_from_the_training(tmp_path):
    data = make_corpus(tmp_path / "data", 4, seed=2)
    for utterance in ("S0000", "S1001"):
        save_wave(data / f"{utterance}.wav", np.full(RATE * 61, 0.1), RATE)
    for seed in range(4):
        corpus = AlignCorpus(data)
        chosen = corpus.choose(60.0, np.random.default_rng(seed))
        assert chosen == ["S0002", "S1003"]
        assert corpus.left_out["S0000"] == "61.0 s is longer than 60 s"


def test_speakers_take_turns_in_the_training(tmp_path):
    corpus = AlignCorpus(make_corpus(tmp_path / "data", 8, seed=2))
    for seed in range(4):
        chosen = corpus.choose(6.0, np.random.default_rng(seed))
        of_first = sum(name.startswith("S0") for name in chosen)
        assert 2 <= len(chosen) < 8 and abs(2 * of_first - len(chosen)) <= 1


def test_textgrids_go_out_and_come_back(work, tmp_path):
    data = work / "other"
    run(data, work / "model", tmp_path / "out", 1)
    before = read_durations(data)
    align.main(["--data_dir", str(data), "--out_dir", str(tmp_path / "out"), "--combine",
                "--textgrid_dir", str(tmp_path / "grids")])  # fmt: skip
    import_durations.main(["--data_dir", str(data), "--durations", str(tmp_path / "grids")])
    assert read_durations(data) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--job", "3", "--num_jobs", "2", "--model", "MODEL"], "--job 3: expected 1 to 2"),
        (["--num_jobs", "4", "--combine"], "--job 1 --num_jobs 4 first"),
        (["--model", "nowhere"], "no aligner here"),
        ([], "--model is missing"),
    ],
)
def test_mistakes_are_named(work, tmp_path, capsys, arguments, says):
    arguments = [str(work / "model") if a == "MODEL" else a for a in arguments]
    with pytest.raises(SystemExit):
        align.main(["--data_dir", str(work / "other"), "--out_dir", str(tmp_path), *arguments])
    assert says in capsys.readouterr().err


def test_unknown_aligner_and_damaged_model(work, tmp_path, capsys):
    with pytest.raises(SystemExit):
        train_aligner.main(["--data_dir", str(work / "data"), "--out", str(tmp_path), "--aligner", "mfa"])
    assert "no aligner 'mfa'; there are: gmm" in capsys.readouterr().err
    broken = tmp_path / "model"
    broken.mkdir()
    (broken / "aligner.json").write_bytes((work / "model/aligner.json").read_bytes())
    (broken / "model.npz").write_bytes((work / "model/model.npz").read_bytes()[:500])
    with pytest.raises(SystemExit):
        align.main(["--data_dir", str(work / "other"), "--out_dir", str(tmp_path), "--model", str(broken)])
    assert "not a readable aligner" in capsys.readouterr().err


def test_confidence_of_every_aligned_phone(work, tmp_path):
    import json

    data = work / "other"
    run(data, work / "model", tmp_path / "out", 2)
    confidence = read_table(data / "align_confidence")
    aligned = read_durations(data)
    assert confidence.keys() == aligned.keys()
    jobs = [
        line for job in (1, 2) for line in (tmp_path / f"out/align.{job}of2.jsonl").read_text().splitlines()
    ]
    for row in map(json.loads, jobs):
        values = [float(value) for value in confidence[row["utterance"]].split()]
        assert len(values) == len(aligned[row["utterance"]][0])
        assert values == pytest.approx(row["confidence"], abs=0.0051)
        assert max(values) <= 0


def test_a_wrong_text_is_less_sure_is_an_outlier_and_can_be_dropped(work, tmp_path):
    data = make_corpus(tmp_path / "data", 24, seed=3)
    rows = read_table(data / "phones")
    rows["S0000"] = " ".join(["sh", "i4", "t", "u2"] * 5)
    write_table(data / "phones", rows)
    run(data, work / "model", tmp_path / "out", 1)
    score = {u: float(s) for u, s in read_table(data / "align_score").items()}
    assert min(score, key=score.get) == "S0000"
    report = (data / "align_outliers").read_text()
    assert "S0000\tlow-score\t" in report
    assert report.count("low-score") == 1
    align.main(["--data_dir", str(data), "--out_dir", str(tmp_path / "out"), "--combine", "--drop_outliers"])
    assert "S0000" not in read_durations(data)
    assert read_table(data / "align_failed")["S0000"].startswith("low-score")
    assert "S0000" not in read_table(data / "align_confidence")


def test_imported_durations_bring_no_confidence(work, tmp_path):
    data = make_corpus(tmp_path / "data", 2, seed=4)
    run(data, work / "model", tmp_path / "out", 1)
    given = tmp_path / "given"
    given.mkdir()
    for name in ("aligned_phones", "durations"):
        (given / name).write_bytes((data / name).read_bytes())
    import_durations.main(["--data_dir", str(data), "--durations", str(given)])
    assert not any((data / name).exists() for name in ("align_score", "align_confidence", "align_outliers"))


def test_pictures(work, tmp_path, capsys):
    data = work / "other"
    run(data, work / "model", tmp_path / "out", 1)
    plot_alignments.plot_alignments(data, tmp_path / "pictures", count=2, reference=data / "events.tsv")
    names = sorted(path.stem for path in (tmp_path / "pictures").glob("*.png"))
    score = {u: float(s) for u, s in read_table(data / "align_score").items()}
    assert len(names) == 2
    assert min(score, key=score.get) in names
    plot_alignments.plot_alignments(data, tmp_path / "pictures", utterances=["S1005"])
    assert (tmp_path / "pictures/S1005.png").is_file()
    with pytest.raises(UserError, match="no durations of 'S9'"):
        plot_alignments.plot_alignments(data, tmp_path, utterances=["S9"])


def test_all_outliers_are_dropped_if_asked(work, tmp_path):
    import json

    data, out = work / "other", tmp_path / "out"
    run(data, work / "model", out, 1)
    path = out / "align.1of1.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[2]["confidence"][3] = -99.0
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    combine = ["--data_dir", str(data), "--out_dir", str(out), "--combine", "--drop_outliers"]
    align.main(combine)
    assert rows[2]["utterance"] in read_durations(data)
    align.main([*combine, "all"])
    assert read_durations(data).keys() == {row["utterance"] for row in rows} - {rows[2]["utterance"]}
    assert read_table(data / "align_failed")[rows[2]["utterance"]].startswith("low-phone: ")
