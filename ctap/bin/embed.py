"""Speech embeddings as a Kaldi ark: ``python -m ctap.bin.embed --model DIR --scp wav.scp --out DIR``."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.batch import Recordings
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.kaldi.ark import MatrixWriter


def embed(model: Path, out: Path, recordings: Recordings, device: str = "auto") -> None:
    """Write speech embeddings S of recordings, one vector a frame, as a Kaldi ark.

    A frame is 10 ms with the default audio settings.

    Args:
        model: Model directory.
        out: Directory for embed.ark and embed.scp (float32, not compressed).
        recordings: Recordings to embed.
        device: cpu, cuda or auto.
    """
    import ctap

    set_up_logging()
    batch = recordings.batch("embedding", out)
    loaded = ctap.load(model, device)
    out.mkdir(parents=True, exist_ok=True)
    batch.check(lambda utt, path: loaded.check_source(path))
    name = f"embed{batch.ending}"
    with MatrixWriter(out / f"{name}.ark", out / f"{name}.scp", compression=None, growing=True) as writer:

        def write(utt: str, path: str) -> None:
            writer[utt] = loaded.embed(path).numpy()

        batch.run(write, lambda done: writer.save())
    batch.finish(out / f"{name}.scp")


main = command(embed)

if __name__ == "__main__":
    main()
