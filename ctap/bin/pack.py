"""Pack a model directory into one zip file that ``ctap.load`` reads once unpacked."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.metrics.provenance import collect_meta
from ctap.models.model_dir import Parts


def pack(model: Path, out: Path, prompt: Path | None = None, seed: int = 777) -> None:
    """Pack a model directory into one zip file that ctap.load reads once unpacked.

    Args:
        model: Model directory; it is loaded first, so that nothing broken is packed.
        out: Zip file to write.
        prompt: Recording of the voice, to go with it.
        seed: Seed of the experiment, for the record.
    """
    if out.suffix != ".zip":
        raise UserError(f"--out {out}: expected the name of a zip file, such as {out}.zip")
    if out.resolve().is_relative_to(model.resolve()):
        raise UserError(f"{out}: lies in the model directory that is packed; name another place")
    Parts.load(model)
    root = out.stem
    about = collect_meta(seed=seed, config=str(model))
    old = {"strict_timestamps": False}  # files dated before 1980, which a zip can't say, count as of then
    with atomic_write(out, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **old) as archive:
        for path in sorted(p for p in model.iterdir() if p.is_file()):
            if path.name == "packed.json" or (prompt is not None and path.stem == "prompt"):
                continue  # of an earlier packing
            archive.write(path, f"{root}/{path.name}")
        if prompt is not None:
            archive.write(prompt, f"{root}/prompt{prompt.suffix}")
        archive.writestr(f"{root}/packed.json", json.dumps(about, indent=2, ensure_ascii=False))
    print(f"{out}: {out.stat().st_size / 2**20:.1f} MiB; unpack it and use ctap.load('{root}')")


main = command(pack)

if __name__ == "__main__":
    main()
