"""Export to ONNX: ``ctap.bin.export_onnx --model DIR --out DIR``."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.models.vocoder import DEFAULT


def export_onnx(model: Path, out: Path, vocoder: str = DEFAULT, check: bool = True) -> None:
    """Write a model's parts and a vocoder as ONNX files, which run without PyTorch.

    OUT/manifest.json lists the inputs and outputs of each file; docs/export.md shows how to make speech with
    them.

    Args:
        model: Model directory.
        out: Directory to write.
        vocoder: pretrained, or the directory of a vocoder that this toolkit trained; others are left out.
        check: Compare every part with PyTorch, on random utterances of several lengths; needs onnxruntime.
    """
    import ctap
    from ctap.models import onnx_export

    loaded = ctap.load(model, "cpu", vocoder)
    names = onnx_export.export(loaded, out)
    apart = onnx_export.check(loaded, out) if check else {}
    for name in names:
        said = f"   differs from PyTorch by {apart[name]:.1g} at most" if check else ""
        print(f"{out / name}.onnx{said}")


main = command(export_onnx)

if __name__ == "__main__":
    main()
