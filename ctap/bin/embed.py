"""Speech embeddings as a Kaldi ark: ``python -m ctap.bin.embed --model DIR --scp wav.scp --out DIR``."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.batch import Batch, read_waves
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.kaldi.ark import MatrixWriter


def embed(
    model: Path,
    out: Path,
    wav: list[Path] | None = None,
    scp: Path | None = None,
    device: str = "auto",
    job: int = 1,
    num_jobs: int = 1,
) -> None:
    """Write speech embeddings S of recordings, one vector for every 10 ms, as a Kaldi ark.

    Args:
        model: Model directory.
        out: Directory for embed.ark and embed.scp (float32, not compressed).
        wav: Recordings.
        scp: Or a list of them: "id path" a line.
        device: cpu, cuda or auto.
        job: This job's number, from 1.
        num_jobs: Jobs that share the recordings.
    """
    import ctap

    set_up_logging()
    batch = Batch("embedding", *read_waves(wav, scp), out, job, num_jobs)
    loaded = ctap.load(model, device)
    out.mkdir(parents=True, exist_ok=True)
    batch.check(lambda utt, path: loaded.check_source(path))
    name = "embed" if num_jobs == 1 else f"embed.{job}"
    with MatrixWriter(out / f"{name}.ark", out / f"{name}.scp", compression=None, growing=True) as writer:

        def write(utt: str, path: str) -> None:
            writer[utt] = loaded.embed(path).numpy()

        batch.run(write, lambda done: writer.save())
    batch.finish(out / f"{name}.scp")


main = command(embed)

if __name__ == "__main__":
    main()
