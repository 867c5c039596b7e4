"""Aligning a data directory in jobs, and joining what they found."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ctap.align.aligner import Aligner
from ctap.align.alignment import Alignment
from ctap.align.corpus import AlignCorpus
from ctap.align.durations import check, write_durations
from ctap.align.features import Features
from ctap.align.outliers import Outlier, find_outliers
from ctap.align.registry import load_aligner
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.tables import read_table, write_table
from ctap.jobs import Share
from ctap.text.languages import language_in
from ctap.text.rules import TextRules


def align_part(
    data_dir: Path, model: Path, out_dir: Path, share: Share, *, max_seconds: float = 60.0
) -> tuple[int, int, float]:
    """Align the utterances of one job and write ``align.JOBofJOBS.jsonl``, whole or not at all.

    The settings of its frames stand beside it, in ``audio.JOBofJOBS.json``.

    Returns:
        How many utterances were aligned, how many were not, and the seconds of audio aligned.

    Raises:
        UserError: the data directory or the model can't be used. An utterance that can't be aligned is no
            error: it is written with its reason.
    """
    aligner, settings = load_aligner(model, TextRules.load(data_dir))
    corpus = AlignCorpus(data_dir, settings, max_seconds)
    names = share.of(corpus.utterances)
    done, frames = 0, 0
    settings.save(_settings_file(out_dir, share))
    with atomic_write(_job_file(out_dir, share)) as file:
        for utterance, features, total_frames, adapted in _read(corpus, names, aligner):
            phones = corpus.phones[utterance]
            try:
                alignment = adapted.align(features, phones, total_frames, corpus.starts(utterance))
            except UserError as error:
                corpus.left_out[utterance] = str(error)
                continue
            problem = check(
                alignment.phones,
                alignment.durations,
                phones=phones,
                total_frames=total_frames,
                known=corpus.language.phone_tables["aligned_phones"],
            )
            if problem:
                raise RuntimeError(f"{utterance}: {problem}")
            file.write(json.dumps({"utterance": utterance, **asdict(alignment)}) + "\n")
            done += 1
            frames += total_frames
        mine = set(names) if share.job > 1 else corpus.left_out.keys() - set(corpus.utterances) | set(names)
        failed = {u: reason for u, reason in sorted(corpus.left_out.items()) if u in mine}
        for utterance, reason in failed.items():
            file.write(json.dumps({"utterance": utterance, "failed": reason}) + "\n")
    return done, len(failed), frames * settings.frame_shift


def combine(
    data_dir: Path,
    out_dir: Path,
    num_jobs: int,
    *,
    drop_outliers: str | None = None,
    textgrid_dir: Path | None = None,
) -> list[str]:
    """Join the jobs' results into ``data_dir``.

    Args:
        data_dir: where ``aligned_phones``, ``durations``, ``align_score``, ``align_confidence``,
            ``align_failed`` and ``align_outliers`` go.
        out_dir: where the jobs wrote.
        num_jobs: how many jobs there were.
        drop_outliers: move utterances to ``align_failed``: ``doubtful``, those that are so as a whole, or
            ``all``, those with an odd phone as well; a very long pause is no reason.
        textgrid_dir: where to write TextGrids, if anywhere.

    Returns:
        Lines that say what came of it.

    Raises:
        UserError: a job's result is missing, or the results don't cover the data directory, or nothing could
            be aligned.
    """
    alignments, failed, settings = _found(data_dir, out_dir, num_jobs)
    outliers = find_outliers(alignments, language_in(data_dir))
    doubtful = {o.utterance: f"{o.reason}: {o.detail}" for o in outliers if o.whole_utterance}
    odd = {o.utterance: f"{o.reason}: {o.detail}" for o in outliers if o.reason != "long-pause"}
    if drop_outliers:
        for utterance, reason in (doubtful if drop_outliers == "doubtful" else odd | doubtful).items():
            if len(alignments) > 1:
                del alignments[utterance]
                failed[utterance] = reason
    write_durations(data_dir, {u: (a.phones, a.durations) for u, a in alignments.items()})
    write_table(data_dir / "align_score", {u: f"{a.score:.4f}" for u, a in alignments.items()})
    write_table(
        data_dir / "align_confidence",
        {u: [f"{c:.2f}" for c in a.confidence] for u, a in alignments.items()},
    )
    write_table(data_dir / "align_failed", failed)
    _write_outliers(data_dir / "align_outliers", outliers)
    lines = [f"{data_dir}: {len(alignments)} utterances aligned, {len(failed)} left out (align_failed), "
             f"{len(doubtful)} doubtful utterances and {len(outliers) - len(doubtful)} odd phones "
             "(align_outliers)"]  # fmt: skip
    lines += [f"left out: {utterance}: {reason}" for utterance, reason in sorted(failed.items())]
    if textgrid_dir is not None:
        from ctap.align.textgrid import export_textgrids

        count = export_textgrids(data_dir, textgrid_dir, settings)
        lines.append(f"{textgrid_dir}: {count} TextGrids")
    return lines


def _found(
    data_dir: Path, out_dir: Path, num_jobs: int
) -> tuple[dict[str, Alignment], dict[str, str], AudioSettings]:
    """What the jobs wrote: alignments, reasons where there is none, and the settings of the frames."""
    alignments: dict[str, Alignment] = {}
    failed: dict[str, str] = {}
    settings: AudioSettings | None = None
    for job in range(1, num_jobs + 1):
        share = Share(job, num_jobs)
        path = _job_file(out_dir, share)
        if not path.is_file():
            raise UserError(f"{path}: missing; run align with --job {job} --num_jobs {num_jobs} first")
        its = AudioSettings.load(_settings_file(out_dir, share))
        settings = settings or its
        settings.require_same(its, str(path))
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            utterance = row.pop("utterance")
            if "failed" in row:
                failed[utterance] = row["failed"]
            else:
                alignments[utterance] = Alignment(**row)
    expected = read_table(data_dir / "wav.scp").keys() | read_table(data_dir / "phones").keys()
    if expected != alignments.keys() | failed.keys():
        lone = sorted(expected ^ (alignments.keys() | failed.keys()))
        raise UserError(
            f"{out_dir}: the jobs' results do not fit {data_dir}, e.g. {lone[0]!r} ({len(lone)} in all); "
            "the data changed since: align again"
        )
    if not alignments:
        first = next(iter(failed.items()))
        raise UserError(
            f"{data_dir}: no utterance could be aligned; the first reason: {first[0]}: {first[1]}"
        )
    assert settings is not None  # there is at least one job
    return alignments, failed, settings


def _read(
    corpus: AlignCorpus, names: list[str], aligner: Aligner
) -> Iterator[tuple[str, Features, int, Aligner]]:
    """Utterances with the aligner adapted to their speaker."""
    for part in corpus.by_speaker(names, aligner.everybody):
        examples = []
        for utterance, (features, _) in part.examples.items():
            # one whose phones or words are at fault is named when its turn comes
            with contextlib.suppress(UserError):
                examples.append((features, corpus.phones[utterance], corpus.starts(utterance)))
        adapted = aligner.adapt(examples)
        for utterance, features, total_frames in part.read():
            yield utterance, features, total_frames, adapted


def _job_file(out_dir: Path, share: Share) -> Path:
    return Path(out_dir) / f"align.{share.job}of{share.num_jobs}.jsonl"


def _settings_file(out_dir: Path, share: Share) -> Path:
    return Path(out_dir) / f"audio.{share.job}of{share.num_jobs}.json"


def _write_outliers(path: Path, outliers: list[Outlier]) -> None:
    with atomic_write(path) as file:
        file.write("utterance\treason\tdetail\n")
        file.writelines(f"{o.utterance}\t{o.reason}\t{o.detail}\n" for o in outliers)
