"""Score generated speech against recordings: pitch, cepstra, whose voice it is, predicted quality."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctap.errors import UserError, cli


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m ctap.bin.score_speech", description=__doc__, allow_abbrev=False
    )
    add = parser.add_argument
    add("--hypothesis", required=True, help="wav.scp of the generated speech")
    add("--reference", help="wav.scp of what it should be like: the recording (default: --source_scp)")
    add(
        "--msep_hypothesis",
        help="wav.scp of speech made with the reference's durations, for MSEP "
        "(default: the converted speech, where the source is the reference)",
    )
    add("--vocoded", help="wav.scp of the reference's mel through the vocoder, scored beside it as ceiling")
    add("--target_speaker_scp", help="wav.scp of recordings of the target speaker")
    add("--source_scp", "--source", help="wav.scp of the source of every converted utterance (same names)")
    add(
        "--speakers",
        type=Path,
        help="recordings of speakers: a data directory (spk2utt, wav.scp), or what ctap.bin.embed_speakers "
        "made of them (the target's are used if --target_speaker_scp is not given)",
    )
    add("--target_speaker", default="", help="name of the target speaker in SPK2UTT")
    add("--max_refs", type=int, default=30, help="recordings per speaker for the speaker encoder")
    add("--speaker_encoder", default="resemblyzer", help="speaker encoder, or none")
    add("--quality", default="dnsmos", help="predictor of speech quality: dnsmos, where installed, or none")
    add("--settings", type=Path, help="audio settings (dump/audio.json); the paper's by default")
    add("--out", type=Path, required=True, help="scores.json to write")
    add("--name", help="name of the experiment (default: the directory of --out)")
    add("--task", help="tts or vc (default: what the name starts with)")
    add("--config", default="", help="the configuration behind the speech, noted with the scores")
    add("--seed", type=int, default=0, help="seed of the experiment, and of the bootstrap")
    add("--nj", type=int, default=1, help="processes for pitch and cepstra")
    return parser


def _embeddings_of_speakers(folder: Path, limit: int, encoder: Any) -> dict[str, dict]:
    from ctap.files.tables import read_table
    from ctap.kaldi.ark import MatrixReader
    from ctap.metrics.speaker_metrics import embed_list

    groups = {speaker: utts.split() for speaker, utts in read_table(folder / "spk2utt").items()}
    is_embedded = (folder / "embeddings.scp").exists()
    scp = folder / ("embeddings.scp" if is_embedded else "wav.scp")
    known: Mapping[str, Any] = MatrixReader(scp) if is_embedded else read_table(scp)
    speakers = {}
    for speaker, utts in groups.items():
        absent = [utt for utt in utts if utt not in known]
        if absent:
            raise UserError(f"{scp}: no {absent[0]}, which {folder}/spk2utt gives to {speaker}")
        if is_embedded:
            speakers[speaker] = {utt: known[utt][0] for utt in utts[:limit]}
        else:
            waves = {utt: known[utt] for utt in utts[:limit]}
            speakers[speaker] = embed_list(waves, encoder, f"speaker {speaker}")
    return speakers


def _speakers(arguments: argparse.Namespace, encoder: Any, hypothesis: dict[str, str], seed: int) -> dict:
    from ctap.files.tables import read_table
    from ctap.metrics.results import SIMILARITIES
    from ctap.metrics.speaker import centroid
    from ctap.metrics.speaker_metrics import embed_list, metrics_of_speakers, write_similarities

    limit = arguments.max_refs

    def embed(waves: dict[str, str], what: str) -> dict:
        return embed_list(waves, encoder, what)

    target: dict | None = None
    if arguments.target_speaker_scp:
        waves = list(read_table(arguments.target_speaker_scp).items())[:limit]
        target = embed(dict(waves), "target speaker")
    others = {}
    if arguments.speakers:
        speakers = _embeddings_of_speakers(arguments.speakers, limit, encoder)
        if arguments.target_speaker and arguments.target_speaker not in speakers and target is None:
            raise UserError(
                f"{arguments.speakers}/spk2utt: no speaker {arguments.target_speaker!r}; "
                f"there are {', '.join(speakers)}"
            )
        own = speakers.pop(arguments.target_speaker, None)
        target = target or own
        others = {speaker: centroid(embeddings.values()) for speaker, embeddings in speakers.items()}
    source = None
    if arguments.source_scp:
        waves = read_table(arguments.source_scp)
        source = embed({utt: waves[utt] for utt in hypothesis if utt in waves}, "sources")
    if target is None and not source and not others:
        return {}
    own = embed(hypothesis, "hypothesis")
    if others:
        named = {arguments.target_speaker or "target": centroid(target.values())} if target else {}
        write_similarities(arguments.out.parent / SIMILARITIES, own, named | others)
    return metrics_of_speakers(own, target, source=source, others=others, name=encoder.name, seed=seed)


def _quality(arguments: argparse.Namespace, hypothesis: dict[str, str], reference_scp: str | None) -> dict:
    from ctap.files.tables import read_table
    from ctap.metrics.quality import load_quality_predictor, metrics_of_quality, predict_list

    predictor = load_quality_predictor(arguments.quality)
    if predictor is None:
        return {}
    against = {}
    for label, scp in (("recording", reference_scp), ("vocoded recording", arguments.vocoded)):
        waves = {utt: wave for utt, wave in read_table(scp).items() if utt in hypothesis} if scp else {}
        against[label] = predict_list(waves, predictor, label)
    scores = predict_list(hypothesis, predictor)
    return metrics_of_quality(scores, predictor, against=against, seed=arguments.seed)


def _say(metrics: dict) -> None:
    from ctap.report.markdown import figure, label

    for key, metric in metrics.items():
        low_high = ""
        if metric.interval is not None:
            low_high = f"  [{figure(metric.interval[0])}, {figure(metric.interval[1])}]"
        beside = "".join(f"  ({name} {figure(value)})" for name, value in metric.against.items())
        print(f"{label(key, metric)}: {figure(metric.value)}{low_high}  n = {metric.n}{beside}")


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    arguments = build_parser().parse_args(argv)
    from ctap.audio.settings import AudioSettings
    from ctap.files.tables import read_table
    from ctap.metrics.provenance import collect_meta
    from ctap.metrics.results import SIMILARITIES, write_scores
    from ctap.metrics.speaker import load_speaker_encoder
    from ctap.metrics.speech import PAIR_KEYS, TIMED_KEYS, metrics_of_pairs, score_list

    if arguments.msep_hypothesis and not (arguments.reference or arguments.source_scp):
        raise UserError("--msep_hypothesis needs --reference, the recordings to compare with")
    if not arguments.config:
        raise UserError("--config is missing: no result goes without the configuration behind it")
    settings = AudioSettings.load(arguments.settings) if arguments.settings else AudioSettings()
    hypothesis = read_table(arguments.hypothesis)
    options = {"settings": settings, "nj": arguments.nj}
    seed = arguments.seed
    metrics: dict = {}
    reference_scp, timed_scp, note = arguments.reference, arguments.msep_hypothesis, ""
    if reference_scp is None and arguments.source_scp:
        # conversion keeps the timing of its source
        reference_scp, timed_scp = arguments.source_scp, timed_scp or arguments.hypothesis
        note = "against the source recording, another voice"
    if reference_scp:
        reference = read_table(reference_scp)
        vocoded = read_table(arguments.vocoded) if arguments.vocoded else {}

        def against(scored: dict, same_length: bool) -> dict:
            if not vocoded:
                return {}
            waves = {utt: wave for utt, wave in vocoded.items() if utt in scored}
            found = score_list(reference, waves, same_length=same_length, what="vocoded", **options)
            return {"vocoded recording": found}

        if timed_scp:
            waves = read_table(timed_scp)
            timed = score_list(reference, waves, same_length=True, what="msep_hypothesis", **options)
            metrics |= metrics_of_pairs(timed, TIMED_KEYS, against=against(timed, True), note=note, seed=seed)
        scores = score_list(reference, hypothesis, same_length=False, **options)
        metrics |= metrics_of_pairs(scores, PAIR_KEYS, against=against(scores, False), note=note, seed=seed)
    encoder = None
    (arguments.out.parent / SIMILARITIES).unlink(missing_ok=True)  # of an earlier run
    if arguments.speaker_encoder != "none":
        encoder = load_speaker_encoder(arguments.speaker_encoder)
    if encoder is not None:
        metrics |= _speakers(arguments, encoder, hypothesis, seed)
    if arguments.quality != "none":
        metrics |= _quality(arguments, hypothesis, reference_scp)
    if not metrics:
        raise UserError(
            "nothing to compare with: give --reference, --source_scp, --speakers or --target_speaker_scp"
        )
    name = arguments.name or arguments.out.resolve().parent.name
    meta = collect_meta(seed=seed, config=arguments.config, settings=settings.as_dict())
    write_scores(arguments.out, name, metrics, meta, task=arguments.task)
    _say(metrics)


if __name__ == "__main__":
    main()
