"""Mels that a model predicts from the phones and durations of recordings, for adapting a vocoder."""

from __future__ import annotations

from pathlib import Path

import ctap
from ctap.bin.batch import Batch
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.files.tables import read_table
from ctap.jobs import ALONE, Share
from ctap.kaldi.ark import MatrixWriter
from ctap.kaldi.durations import whole_numbers


def predict_mels(model: Path, data_dir: Path, out: Path, device: str = "auto", share: Share = ALONE) -> None:
    """Predict the mels of recordings from their phones and durations, for adapting a vocoder.

    The mels match the recordings frame by frame; each recording is its own prompt.

    Args:
        model: Model directory with a decoder that reads phonemes: CTAP's, or a target speaker's.
        data_dir: Dump directory with wav.scp, aligned_phones and durations.
        out: Directory for feats.scp.
        device: cpu, cuda or auto.
        share: This job's share of the recordings.
    """
    set_up_logging()
    loaded = ctap.load(model, device)
    phones = read_table(data_dir / "aligned_phones")
    durations, waves = read_table(data_dir / "durations"), read_table(data_dir / "wav.scp")
    for table, rows in (("wav.scp", waves), ("durations", durations)):
        if missing := sorted(set(phones) - set(rows)):
            raise UserError(f"{data_dir}/{table}: nothing of {missing[0]} and {len(missing) - 1} more")
    out.mkdir(parents=True, exist_ok=True)
    batch = Batch("prediction", {utt: waves[utt] for utt in phones}, SkipList(), out, share)
    with MatrixWriter(out / f"feats{share.ending}.ark", batch.path("feats.scp"), 5) as writer:

        def predict(utt: str, wave: str) -> None:
            spans = whole_numbers(durations[utt])
            voice = loaded.prompt(wave, strict=False)
            writer[utt] = loaded.predict_mel(phones[utt].split(), spans, voice).numpy()

        batch.run(predict)
    batch.finish(batch.path("feats.scp"))


main = command(predict_mels)

if __name__ == "__main__":
    main()
