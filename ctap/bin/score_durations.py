"""Score the durations of a data directory against true boundaries."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ctap.align.durations import read_durations, strip_pauses
from ctap.align.edges import own_silence
from ctap.align.events import read_reference
from ctap.align.score import WITHIN, format_table, score
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_write
from ctap.files.tables import read_table
from ctap.metrics.provenance import collect_meta
from ctap.metrics.results import Metric, write_scores
from ctap.text.languages import language_in


def get_parser() -> argparse.ArgumentParser:
    """Options of the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="phoneme events (TSV), word boundaries "
                        "(TSV), or a directory of TextGrids")  # fmt: skip
    parser.add_argument("--hypothesis", type=Path, required=True, help="data directory with aligned_phones "
                        "and durations")  # fmt: skip
    parser.add_argument("--settings", type=Path, help="audio settings; default: 24 kHz, 10 ms")
    parser.add_argument(
        "--own_silence",
        action="store_true",
        help="of word boundaries: measure how long the joined recordings are silent at their edges "
        "(needs wav.scp and utt2spk in --hypothesis), and score the edges without it, too",
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument(
        "--scores",
        type=Path,
        help="write those of all boundaries as scores.json, for the results page: exp/durations/scores.json",
    )
    return parser


def metrics_of_boundaries(result: dict) -> dict[str, Metric]:
    """Figures of all boundaries, from what :func:`ctap.align.score.score` gives."""
    found = result["boundaries"]["all"]
    note = f"{found['count']} boundaries of {result['kind']}"
    metrics = {
        f"boundary_error/{key}": Metric(found[key], result["utterances"], "ms", "lower", note=note)
        for key in ("median", "mean", "p90", "p99")
    }
    for limit in WITHIN:
        share = found[f"within_{1000 * limit:.0f}"]
        metrics[f"boundaries_within/{1000 * limit:.0f}_ms"] = Metric(
            share, result["utterances"], better="higher", note=f"share of {note}"
        )
    return metrics


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = get_parser().parse_args(argv)
    settings = AudioSettings.load(args.settings) if args.settings else AudioSettings()
    hypothesis = read_durations(args.hypothesis)
    phones = {utterance: strip_pauses(labels) for utterance, (labels, _) in hypothesis.items()}
    reference = read_reference(args.reference, phones)
    silence = None
    if args.own_silence:
        if not reference.words:
            raise UserError(f"--own_silence: {args.reference} holds no word boundaries")
        aligned = {u: words for u, words in reference.words.items() if u in hypothesis}
        waves, speakers = (read_table(args.hypothesis / name) for name in ("wav.scp", "utt2spk"))
        silence = own_silence(aligned, waves, speakers)
    result = score(reference, hypothesis, settings, silence, language_in(args.hypothesis))
    if args.json:
        with atomic_write(args.json) as file:
            file.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    if not result["boundaries"]:
        reasons = sorted(set(result["skipped"].values()))
        raise UserError(
            f"{args.hypothesis}: no utterance could be scored against {args.reference}: "
            + "; ".join(reasons[:3])
        )
    print(format_table(result))
    if args.scores:
        meta = collect_meta(seed=0, config=settings.as_dict())
        name = args.scores.resolve().parent.name
        write_scores(args.scores, name, metrics_of_boundaries(result), meta, task="durations")


if __name__ == "__main__":
    main()
