"""Aligning a data directory in jobs, and joining what they found."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ctap.align.aligner import Aligner
from ctap.align.alignment import Alignment
from ctap.align.corpus import AlignCorpus
from ctap.align.durations import check, durations_writer
from ctap.align.features import Features
from ctap.align.outliers import Outlier, Usual
from ctap.align.registry import load_aligner
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.joins import rising_names, side_by_side
from ctap.files.tables import table_writer, write_table
from ctap.jobs import Share
from ctap.text.languages import language_in
from ctap.text.rules import TextRules


def align_part(
    data_dir: Path, model: Path, out_dir: Path, share: Share, *, max_seconds: float = 60.0
) -> tuple[int, int, float]:
    """Align the utterances of one job and write ``align.JOBofJOBS.jsonl``, whole or not at all.

    The settings of its frames go beside it, to ``audio.JOBofJOBS.json``.

    Returns:
        How many utterances were aligned, how many were not, and the seconds of audio aligned.

    Raises:
        UserError: the data directory or the model can't be used. An utterance that can't be aligned is no
            error: it is written with its reason.
    """
    aligner, settings = load_aligner(model, TextRules.load(data_dir))
    corpus = AlignCorpus(data_dir, settings, max_seconds)
    mine = share.places(len(corpus.utterances))
    done, frames = 0, 0
    settings.save(_settings_file(out_dir, share))
    with atomic_write(_job_file(out_dir, share)) as file:
        for utterance, features, total_frames, adapted in _read(
            corpus, corpus.utterances[mine.start : mine.stop], aligner
        ):
            phones = corpus.phones(utterance)
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
        left_out = 0
        for utterance, reason in sorted(corpus.left_out.items()):
            place = corpus.utterances.find(utterance)  # -1: in one table alone, which falls to the first job
            if place in mine or (place < 0 and share.job == 1):
                file.write(json.dumps({"utterance": utterance, "failed": reason}) + "\n")
                left_out += 1
    return done, left_out, frames * settings.frame_shift


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
            ``all``, those with an odd phone as well; a very long pause is not a reason.
        textgrid_dir: where to write TextGrids, if anywhere.

    Returns:
        Lines that say what came of it.

    Raises:
        UserError: a job's result is missing, or the results don't cover the data directory, or nothing could
            be aligned.
    """
    found = _Found(data_dir, out_dir, num_jobs)
    usual = Usual.of((alignment for _, alignment in found), language_in(data_dir), Path(out_dir))
    outliers = [o for utterance, alignment in found for o in usual.outliers(utterance, alignment)]
    doubtful = {o.utterance: f"{o.reason}: {o.detail}" for o in outliers if o.whole_utterance}
    odd = {o.utterance: f"{o.reason}: {o.detail}" for o in outliers if o.reason != "long-pause"}
    dropped: dict[str, str] = {}
    if drop_outliers:
        dropped = doubtful if drop_outliers == "doubtful" else odd | doubtful
        if len(dropped) == len(found):  # one stays
            dropped.popitem()
    _write(data_dir, (row for row in found if row[0] not in dropped))
    failed = found.failed | dropped
    write_table(data_dir / "align_failed", failed)
    _write_outliers(data_dir / "align_outliers", outliers)
    phones = sum(not o.whole_utterance for o in outliers)
    lines = [
        f"{data_dir}: {len(found) - len(dropped)} utterances aligned, {len(failed)} left out (align_failed), "
        f"{len(doubtful)} doubtful utterances and {phones} odd phones (align_outliers)"
    ]
    lines += [f"left out: {utterance}: {reason}" for utterance, reason in sorted(failed.items())]
    if textgrid_dir is not None:
        from ctap.align.textgrid import export_textgrids

        count = export_textgrids(data_dir, textgrid_dir, found.settings)
        lines.append(f"{textgrid_dir}: {count} TextGrids")
    return lines


class _Found:
    """What the jobs wrote, read from their files at each pass: alignments by rising utterance.

    Attributes:
        failed: utterance to the reason why there is no alignment.
        settings: of the frames.
    """

    def __init__(self, data_dir: Path, out_dir: Path, num_jobs: int) -> None:
        self._paths = []
        settings: AudioSettings | None = None
        for job in range(1, num_jobs + 1):
            share = Share(job, num_jobs)
            path = _job_file(out_dir, share)
            if not path.is_file():
                raise UserError(f"{path}: missing; run align with --job {job} --num_jobs {num_jobs} first")
            its = AudioSettings.load(_settings_file(out_dir, share))
            settings = settings or its
            settings.require_same(its, str(path))
            self._paths.append(path)
        assert settings is not None  # there is at least one job
        self.settings = settings
        self.failed: dict[str, str] = {}
        self._count = 0
        self._check(data_dir, out_dir)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, Alignment]]:
        for row in self._rows():
            if "failed" not in row:
                yield row.pop("utterance"), Alignment(**row)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for path in self._paths:
            with path.open(encoding="utf-8") as file:
                yield from map(json.loads, file)

    def _look(self, out_dir: Path) -> Iterator[str]:
        """The utterances that have an alignment, counted; the others are noted."""
        before = ""
        for row in self._rows():
            utterance = row["utterance"]
            if "failed" in row:
                self.failed[utterance] = row["failed"]
                continue
            if utterance <= before:
                raise UserError(
                    f"{out_dir}: the jobs' results are not in the order of the utterances: align again"
                )
            before = utterance
            self._count += 1
            yield utterance

    def _check(self, data_dir: Path, out_dir: Path) -> None:
        asked = (rising_names(data_dir / name) for name in ("wav.scp", "phones"))
        columns = side_by_side(*asked, self._look(out_dir))
        lone = {u for u, (heard, written, aligned) in columns if (heard or written) != aligned}
        lone ^= self.failed.keys()  # which are known when all is read
        if lone:
            raise UserError(
                f"{out_dir}: the jobs' results do not fit {data_dir}, e.g. {min(lone)!r} ({len(lone)} in "
                "all); the data changed since: align again"
            )
        if not self._count:
            first = next(iter(self.failed.items()))
            raise UserError(
                f"{data_dir}: no utterance could be aligned; the first reason: {first[0]}: {first[1]}"
            )


def _write(data_dir: Path, alignments: Iterable[tuple[str, Alignment]]) -> None:
    """Write the tables that have a row for each alignment."""
    with (
        durations_writer(data_dir) as durations,
        table_writer(data_dir / "align_score") as score,
        table_writer(data_dir / "align_confidence") as confidence,
    ):
        for utterance, found in alignments:
            durations(utterance, found.phones, found.durations)
            score(utterance, f"{found.score:.4f}")
            confidence(utterance, [f"{c:.2f}" for c in found.confidence])


def _read(
    corpus: AlignCorpus, names: list[str], aligner: Aligner
) -> Iterator[tuple[str, Features, int, Aligner]]:
    """Utterances with the aligner adapted to their speaker."""
    for part in corpus.by_speaker(names, aligner.everybody):
        examples = []
        for utterance, (features, _) in part.examples.items():
            # one whose phones or words are at fault is named when its turn comes
            with contextlib.suppress(UserError):
                examples.append((features, corpus.phones(utterance), corpus.starts(utterance)))
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
