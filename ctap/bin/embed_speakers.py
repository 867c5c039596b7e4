"""Speaker embeddings of recordings of every speaker, once for all scores that need them."""

from __future__ import annotations

import logging
from pathlib import Path

from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.device import choose_device
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, keep_apart
from ctap.files.tables import read_table, write_table
from ctap.ranges import POSITIVE, require


def embed_speakers(
    spk2utt: list[Path],
    wav_scp: list[Path],
    out_dir: Path,
    max_refs: int = 30,
    speaker_encoder: str = "resemblyzer",
    device: str = "auto",
) -> None:
    """Embed the first recordings of every speaker.

    Args:
        spk2utt: Tables of speakers and their utterances.
        wav_scp: Tables of the files of these utterances.
        out_dir: Where spk2utt and embeddings.scp/.ark (a row of length 1 for each utterance) go.
        max_refs: Recordings a speaker.
        speaker_encoder: Its name. Where it is not installed, the directory holds no embeddings.
        device: cpu, cuda or auto.
    """
    from tqdm import tqdm

    from ctap.audio.wave import load_wave
    from ctap.kaldi.ark import MatrixWriter
    from ctap.metrics.speaker import NoSpeechError, load_speaker_encoder

    set_up_logging()
    keep_apart(out_dir, *(table.parent for table in [*spk2utt, *wav_scp]))
    require("--max_refs", max_refs, POSITIVE)
    waves = {utt: path for table in wav_scp for utt, path in read_table(table).items()}
    speakers: dict[str, list[str]] = {}
    for table in spk2utt:
        for speaker, utterances in read_table(table).items():
            absent = [utt for utt in utterances.split() if utt not in waves]
            if absent:
                raise UserError(f"{wav_scp[0]}: no wave of {absent[0]}, which {table} gives to {speaker}")
            speakers.setdefault(speaker, []).extend(utterances.split())
    if not speakers:
        raise UserError(f"{spk2utt[0]}: no speaker")
    encoder = load_speaker_encoder(speaker_encoder, device=choose_device(device))
    with atomic_dir(out_dir, own=("spk2utt", "embeddings.*")) as out:
        embedded: dict[str, list[str]] = {}
        with MatrixWriter(out / "embeddings.ark", out / "embeddings.scp", compression=None) as writer:
            for speaker, utterances in tqdm(
                sorted(speakers.items()) if encoder else [], desc="speakers", unit="spk", mininterval=2.0
            ):
                for utt in sorted(set(utterances))[:max_refs]:
                    try:
                        writer[utt] = encoder(load_wave(waves[utt], encoder.sample_rate))[None]
                    except NoSpeechError as error:
                        logging.warning("%s: left out: %s", utt, error)
                        continue
                    embedded.setdefault(speaker, []).append(utt)
        scp = out / "embeddings.scp"
        offsets = {utt: spec.rpartition(":")[2] for utt, spec in read_table(scp).items()}
        write_table(scp, {utt: f"embeddings.ark:{offset}" for utt, offset in offsets.items()})
        write_table(out / "spk2utt", {speaker: " ".join(utts) for speaker, utts in embedded.items()})
    logging.info("%s: %d speakers, %d recordings", out_dir, len(embedded), sum(map(len, embedded.values())))


main = command(embed_speakers)

if __name__ == "__main__":
    main()
