"""Score the durations of a data directory against true boundaries."""

from __future__ import annotations

from pathlib import Path

from ctap.align import edges
from ctap.align.durations import read_durations, strip_pauses
from ctap.align.events import read_reference
from ctap.align.score import format_table, score
from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import write_json
from ctap.files.tables import read_table
from ctap.metrics.boundaries import metrics_of_boundaries
from ctap.metrics.provenance import collect_meta
from ctap.metrics.results import write_scores
from ctap.text.languages import language_in


def score_durations(
    reference: Path,
    hypothesis: Path,
    settings: Path | None = None,
    own_silence: bool = False,
    json: Path | None = None,
    scores: Path | None = None,
) -> None:
    """Score the durations of a data directory against true boundaries.

    Args:
        reference: Phoneme events (TSV), word boundaries (TSV), or a directory of TextGrids.
        hypothesis: Data directory with aligned_phones and durations.
        settings: Audio settings; without, 24 kHz and 10 ms.
        own_silence: Of word boundaries: measure how long the joined recordings are silent at their edges
            (needs wav.scp and utt2spk in --hypothesis), and score the edges without it, too.
        json: Write the figures here too.
        scores: Write those of all boundaries as scores.json, for the results page:
            exp/durations/scores.json.
    """
    audio = AudioSettings.load(settings)
    durations = read_durations(hypothesis)
    phones = {utterance: strip_pauses(labels) for utterance, (labels, _) in durations.items()}
    truth = read_reference(reference, phones)
    silence = None
    if own_silence:
        if not truth.words:
            raise UserError(f"--own_silence: {reference} holds no word boundaries")
        aligned = {u: words for u, words in truth.words.items() if u in durations}
        waves, speakers = (read_table(hypothesis / name) for name in ("wav.scp", "utt2spk"))
        silence = edges.own_silence(aligned, waves, speakers)
    result = score(truth, durations, audio, language_in(hypothesis), silence)
    if json:
        write_json(json, result)
    if not result["boundaries"]:
        reasons = sorted(set(result["skipped"].values()))
        raise UserError(
            f"{hypothesis}: no utterance could be scored against {reference}: " + "; ".join(reasons[:3])
        )
    print(format_table(result))
    if scores:
        meta = collect_meta(seed=0, config=audio.as_dict())
        name = scores.resolve().parent.name
        write_scores(scores, name, metrics_of_boundaries(result), meta, task="durations")


main = command(score_durations)

if __name__ == "__main__":
    main()
