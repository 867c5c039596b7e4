"""Pack a model directory into one zip file: ``ctap.bin.pack --model DIR --out NAME.zip``."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.metrics.provenance import collect_meta
from ctap.models.judge import JudgeParts
from ctap.models.model_dir import Parts, read_description
from ctap.models.vocoder import load_vocoder


def pack(model: Path, out: Path, prompt: Path | None = None, seed: int = 777) -> None:
    """Pack the directory of a model, judge or vocoder into one zip file, for use once it is unpacked.

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
    root = out.stem
    use = check(model).format(root)
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
    print(f"{out}: {out.stat().st_size / 2**20:.1f} MiB; unpack it and use {use}")


def check(model: Path) -> str:
    """Load the model, judge or vocoder in a directory once; gives how it is used, ``{}`` for its directory.

    Raises:
        UserError: ``model`` is not a model directory, or is broken.
    """
    kinds = read_description(model)["parts"]
    if "judge" in kinds:
        JudgeParts.load(model)
        return "ctap recognize --model {}"
    if "vocoder" in kinds or "onnx" in kinds:
        # in full: a directory could have the name of a vocoder
        load_vocoder(model.resolve(), AudioSettings.load(model / "audio.json"))
        return "--vocoder {}"
    Parts.load(model)
    return "ctap.load('{}')"


main = command(pack)

if __name__ == "__main__":
    main()
