"""Mels that a model predicts of recordings' phones and durations: what a vocoder is to be adapted to."""

from __future__ import annotations

from pathlib import Path

import ctap
from ctap.bin.common import over, set_up_logging
from ctap.bin.entry import command
from ctap.bin.synthesize import read_durations, whole_numbers
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.jobs import share_table
from ctap.kaldi.ark import MatrixWriter


def predict_mels(
    model: Path,
    data_dir: Path,
    out: Path,
    device: str = "auto",
    job: int = 1,
    num_jobs: int = 1,
) -> None:
    """Predict the mels of recordings from their phones and durations, for adapting a vocoder.

    Frame by frame with the recording, which is its own prompt.

    Args:
        model: Model directory with a decoder that reads phonemes: CTAP's, or a target speaker's.
        data_dir: Dump directory with wav.scp, aligned_phones and durations.
        out: Directory for feats.scp.
        device: cpu, cuda or auto.
        job: This job's number, from 1.
        num_jobs: Jobs that share the recordings.
    """
    set_up_logging()
    loaded = ctap.load(model, device)
    phones = read_table(data_dir / "aligned_phones")
    durations, waves = read_durations(data_dir / "durations", phones), read_table(data_dir / "wav.scp")
    if missing := sorted(set(phones) - set(waves)):
        raise UserError(f"{data_dir}/wav.scp: no recording of {missing[0]} and {len(missing) - 1} more")
    out.mkdir(parents=True, exist_ok=True)
    own = "" if num_jobs == 1 else f".{job}"
    with MatrixWriter(out / f"feats{own}.ark", out / f"feats.scp{own}", 5) as writer:

        def predict(utt: str, wave: str) -> None:
            spans = whole_numbers(durations[utt])
            writer[utt] = loaded.predict_mel(phones[utt].split(), spans, wave).numpy()

        over(share_table({utt: waves[utt] for utt in phones}, job, num_jobs), "prediction", predict)


main = command(predict_mels)

if __name__ == "__main__":
    main()
