"""Choose sounds for the page of results, and draw their mels: ``samples.json`` beside an experiment."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave
from ctap.bin.common import labelled
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import write_json
from ctap.files.lists import spread
from ctap.files.tables import read_table
from ctap.ranges import POSITIVE, require
from ctap.report.plots import plot_mels, save_figure
from ctap.text.languages import language_in


def list_samples(
    out: Path,
    waves: list[str],
    speaker: str,
    text: Path | None = None,
    settings: Path | None = None,
    count: int = 4,
) -> None:
    """Choose the sounds that the page of results plays, and draw their mels.

    Args:
        out: samples.json to write.
        waves: Lists of sounds, each "role=wav.scp" (recording, vocoded, tts, vc, source,
            from_phonemes).
        speaker: Whose voice is wanted; that of sources stands in the utt2spk beside their list.
        text: Kaldi text file of the utterances; text.json beside it says in which language.
        settings: Audio settings (audio.json of a dump directory); without, the default ones.
        count: Utterances to show, spread evenly over the list.
    """
    require("--count", count, POSITIVE)
    tables = labelled(waves, "--waves", "role=wav.scp")
    lists = {role: read_table(scp) for role, scp in tables.items()}
    common = sorted(set.intersection(*(set(rows) for rows in lists.values())))
    if not common:
        raise UserError(f"--waves: {', '.join(waves)} have no utterance in common")
    beside = tables["source"].parent / "utt2spk" if "source" in tables else None
    sources = read_table(beside) if beside is not None and beside.is_file() else {}
    texts = read_table(text) if text is not None else {}
    language = language_in(text.parent).code if text is not None else ""
    audio = AudioSettings.load(settings)
    samples = []
    for utt in spread(common, count):
        mels = {}
        picture = out.parent / "samples" / f"{utt}.png"
        for role, rows in lists.items():
            mels[role] = log_mel(torch.from_numpy(load_wave(rows[utt], audio.sample_rate)), audio)
            sample = {"utt": utt, "text": texts.get(utt, ""), "language": language, "role": role}
            who = sources.get(utt, "") if role == "source" else speaker
            place = os.path.relpath(Path(rows[utt]).resolve(), out.resolve().parent)
            sample |= {"speaker": who, "wav": place}
            samples.append(sample | {"mel_png": f"samples/{utt}.png"})
        save_figure(plot_mels(mels, hop=audio.frame_shift), picture)
    write_json(out, samples, indent=1)


main = command(list_samples)

if __name__ == "__main__":
    main()
