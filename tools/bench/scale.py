#!/usr/bin/env python3
"""Time and memory of what reads whole tables, on synthetic directories of millions of utterances.

    python tools/bench/scale.py generate --utterances 1000000 DIR
    python tools/bench/scale.py dataset DIR

Or reader, prepare, split, validate, align, join_alignments, join_features, arrays, plan, share, digest,
bootstrap in the place of dataset, one a process. DIR is a data and a dump directory at once, and has what
the jobs of stages 1 and 2 leave; all utterances have one recording, half a second long, and the features of
those with one text are one matrix. Times are of the processor, so that others on the machine do not count;
memory is the most that the process had. Before arrays, dataset reads the tables, and after it the arrays
that it wrote; the time of reader is in part that of making its corpus.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from ctap.errors import UserError, cli
from ctap.files.tables import count_lines, read_rows

UTTERANCES_OF_SPEAKER = 400
SHAPES = 997  # different texts
RECORDING = "speech.wav"
BLOCK = 10_000  # lines that are written at a time


def generate(folder: Path, utterances: int) -> None:
    """Write the tables of so many utterances, long as AISHELL-3's: 12 syllables, 3.5 s in the mean."""
    from ctap.text.pinyin import syllable_to_phones

    folder.mkdir(parents=True)
    soundfile.write(folder / RECORDING, np.random.default_rng(0).normal(0, 0.1, 8000), 16000)
    rng = random.Random(0)
    syllables = ("jin1", "tian1", "qi4", "hen3", "hao3", "bei3", "jing1", "ren2", "shi4", "lai2")
    shapes: list[dict[str, str]] = []
    for _ in range(SHAPES):
        pinyin = [rng.choice(syllables) for _ in range(rng.randint(3, 21))]
        phones = [phone for syllable in pinyin for phone in syllable_to_phones(syllable)]
        spans = [rng.randint(5, 20) for _ in range(len(phones) + 2)]
        shapes.append({
            "text": "今天气很好"[: len(pinyin)],
            "pinyin": " ".join(pinyin),
            "phones": " ".join(phones),
            "aligned_phones": " ".join(["sil", *phones, "sil"]),
            "durations": " ".join(map(str, spans)),
            "utt2num_frames": str(sum(spans)),
            "utt2dur": f"{sum(spans) / 100:.6f}",
        })  # fmt: skip
    names = (*shapes[0], "wav.scp", "feats.scp", "utt2spk", "spk2utt", "spk2gender")
    of_jobs = ("feats.1.scp", "align.1of1.jsonl")
    # of ten million utterances, what is the same for many is put together once
    alignments = [alignment(shape["aligned_phones"], shape["durations"]) for shape in shapes]
    rows = [[(name, f" {value}\n") for name, value in shape.items()] for shape in shapes]
    recording = f" {folder.absolute() / RECORDING}\n"
    files = {name: (folder / name).open("w", encoding="utf-8") for name in (*names, *of_jobs)}
    lines: dict[str, list[str]] = {name: [] for name in files}
    features = write_jobs(folder, [int(shape["utt2num_frames"]) for shape in shapes], utterances)
    for number in range(utterances):
        speaker = f"S{number // UTTERANCES_OF_SPEAKER:06d}"
        utt = f"{speaker}-{number % UTTERANCES_OF_SPEAKER:04d}"
        for name, row in rows[number % SHAPES]:
            lines[name].append(utt + row)
        lines["wav.scp"].append(utt + recording)
        lines["feats.scp"].append(
            f"{utt} dump/train/feats.{number // 50_000}.ark:{number % 50_000 * 14_000}\n"
        )
        lines["feats.1.scp"].append(f"{utt} {features[number % SHAPES]}\n")
        lines["align.1of1.jsonl"].append(f'{{"utterance": "{utt}", {alignments[number % SHAPES]}')
        lines["utt2spk"].append(f"{utt} {speaker}\n")
        if number % UTTERANCES_OF_SPEAKER == 0:
            of = range(min(UTTERANCES_OF_SPEAKER, utterances - number))
            lines["spk2utt"].append(f"{speaker} {' '.join(f'{speaker}-{i:04d}' for i in of)}\n")
            lines["spk2gender"].append(f"{speaker} {'fm'[number // UTTERANCES_OF_SPEAKER % 2]}\n")
        if number % BLOCK == BLOCK - 1 or number == utterances - 1:
            for name, file in files.items():
                file.writelines(lines[name])
                lines[name].clear()
    for file in files.values():
        file.close()


def write_jobs(folder: Path, frames: list[int], utterances: int) -> list[str]:
    """What jobs write beside their tables: an ark with a matrix for each of ``frames``, settings, counts.

    Returns:
        Where in the ark each matrix is.
    """
    from ctap.audio.settings import AudioSettings
    from ctap.files.skips import SkipList
    from ctap.files.tables import read_table, write_table
    from ctap.kaldi.ark import MatrixWriter

    with MatrixWriter(folder / "feats.1.ark", folder / "shapes.scp") as writer:
        for number, count in enumerate(frames):
            writer[f"{number:04d}"] = np.ones((count, 1), np.float32)
    for name in ("audio.1of1.json", "audio.1.json"):
        AudioSettings().save(folder / name)
    SkipList().write(folder / "failed.1.tsv")
    write_table(folder / "count.1", {"asked": utterances})
    return list(read_table(folder / "shapes.scp").values())


def alignment(phones: str, durations: str) -> str:
    """A line of an aligner's job after the utterance."""
    aligned = {"phones": phones.split(), "durations": [int(word) for word in durations.split()]}
    confidence = [-0.5 - 0.001 * frames for frames in aligned["durations"]]
    return json.dumps({**aligned, "confidence": confidence, "score": -0.5}).removeprefix("{") + "\n"


def validate(folder: Path) -> None:
    """Every line of all tables."""
    from ctap.kaldi.validate import validate
    from ctap.text.languages import older

    if validate(folder, phones=older().phone_tables):
        raise UserError(f"{folder}: not sound")


def dataset(folder: Path) -> None:
    """What a training reads at its start."""
    from ctap.data.dataset import FeatureSet
    from ctap.text.languages import language_of
    from ctap.text.rules import TextRules

    FeatureSet(folder, language_of(TextRules()).tokens)


def plan(folder: Path) -> None:
    """Which utterances make up the batches of one pass."""
    from ctap.data.batching import plan_pass

    lengths = np.random.default_rng(0).integers(80, 700, count_lines(folder / "utt2spk"))
    plan_pass(lengths, 8000, 8, np.random.default_rng(0))


def share(folder: Path) -> None:
    """One of 100 jobs that read their own part of wav.scp."""
    from ctap.jobs import Share

    Share(100, 100).of_lines(folder / "wav.scp")


def digest(folder: Path) -> None:
    """What tells a resumed training that its data are the same."""
    from ctap.tasks.build import Sources

    Sources(folder).fingerprints()


def prepare(folder: Path) -> None:
    """The whole corpus: recordings read, phones made of pinyin."""
    from ctap.bin.prepare_text import prepare_text

    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        (Path(out) / "given").mkdir()
        for name in ("wav.scp", "utt2spk", "spk2gender", "pinyin"):
            (Path(out) / "given" / name).symlink_to((folder / name).absolute())
        prepare_text(Path(out) / "given", Path(out) / "all")


def reader(folder: Path) -> None:
    """A recipe's own reader, on a corpus that is laid out as AISHELL-3 is; its recordings are empty files."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        part = Path(out) / "corpus" / "train"
        part.mkdir(parents=True)
        genders = read_rows(folder / "spk2gender")
        (part.parent / "spk-info.txt").write_text("".join(f"{spk} A {gender}\n" for spk, gender in genders))
        with (part / "content.txt").open("w") as content, (part / "label_train-set.txt").open("w") as labels:
            for utt, pinyin in read_rows(folder / "pinyin"):
                (part / "wav" / utt[:7]).mkdir(parents=True, exist_ok=True)
                (part / "wav" / utt[:7] / f"{utt}.wav").touch()
                words = pinyin.split()
                content.write(f"{utt}.wav\t{' '.join(f'今 {word}' for word in words)}\n")
                labels.write(f"{utt}|{' % '.join(words)} $|{'今' * len(words)}\n")
        given = ["--corpus", str(part.parent), "--out_dir", str(Path(out) / "tables")]
        path = Path(__file__).parents[2] / "egs/aishell3/ctap1/local/prepare_aishell3.py"
        runpy.run_path(str(path))["main"](given)


def arrays(folder: Path) -> None:
    """What stage 2 writes for trainings."""
    from ctap.data.arrays import write_arrays

    write_arrays(folder)


def split(folder: Path) -> None:
    """Train, dev, test and the target speakers' sets."""
    from ctap.bin.split_targets import split_targets

    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        split_targets(folder, Path(out))


def align(folder: Path) -> None:
    """What one of 100 jobs of stage 1 reads before its first recording."""
    from ctap.align.corpus import AlignCorpus

    corpus = AlignCorpus(folder)
    for utt in corpus.utterances[: len(corpus.utterances) // 100]:
        corpus.starts(utt)


def join_alignments(folder: Path) -> None:
    """The end of stage 1."""
    from ctap.align.jobs import combine

    combine(folder, folder, 1)


def join_features(folder: Path) -> None:
    """The end of stage 2, without the statistics of the features, which read all arks."""
    from ctap.bin.combine_features import combine_features

    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        combine_features(folder, folder, 1, Path(out) / "dump")


def bootstrap(folder: Path) -> None:
    """The interval of a mean over all utterances."""
    from ctap.metrics.intervals import bootstrap_mean

    bootstrap_mean(np.random.default_rng(0).normal(size=count_lines(folder / "utt2spk")), resamples=200)


MEASURED: dict[str, Callable[[Path], None]] = {
    work.__name__: work
    for work in (
        reader,
        prepare,
        split,
        validate,
        align,
        join_alignments,
        join_features,
        arrays,
        dataset,
        plan,
        share,
        digest,
        bootstrap,
    )
}


@cli
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["generate", *MEASURED])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--utterances", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.what == "generate":
        generate(options.folder, options.utterances)
    else:
        MEASURED[options.what](options.folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    count = count_lines(options.folder / "utt2spk")
    seconds, size = used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
    print(f"{options.what}: {count} utterances: {seconds:.1f} s of processor time, {size:.2f} GiB")


if __name__ == "__main__":
    main()
