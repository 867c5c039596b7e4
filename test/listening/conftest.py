"""A small listening test in the layout of recipes: two speakers, three systems, tones for speech."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ctap.audio.wave import save_wave
from ctap.files.tables import write_table
from ctap.listening.build import Built, build
from ctap.listening.material import gather, parse_systems
from ctap.listening.plan import QUESTIONS

SPEAKERS = ("SSB0001", "SSB0002")
UTTS = 3
SECONDS = 0.4


def tone(path: Path, pitch: float, seconds: float = SECONDS, amplitude: float = 0.1) -> str:
    """Write a tone whose every file differs."""
    time = np.arange(int(seconds * 16000)) / 16000
    path.parent.mkdir(parents=True, exist_ok=True)
    save_wave(path, amplitude * np.sin(2 * np.pi * pitch * time), 16000)
    return str(path)


def write_results(root: Path) -> None:
    """``exp/`` as stages 4 and 5 leave it: speech generated and vocoded, recordings, prompts, voices."""
    pitch = iter(range(200, 2000, 7))
    voices: dict[str, str] = {}
    for speaker in SPEAKERS:
        utts = [f"{speaker}{i:04d}" for i in range(UTTS)]
        for folder in (f"tts_{speaker}/test", f"eval/target_{speaker}", f"eval/target_{speaker}_vocoded"):
            waves = {utt: tone(root / folder / "wav" / f"{utt}.wav", next(pitch)) for utt in utts}
            write_table(root / folder / "wav.scp", waves)
        write_table(root / f"eval/target_{speaker}" / "text", dict.fromkeys(utts, "今天天气很好"))
        (root / f"tts_{speaker}_decoder/model").mkdir(parents=True)
        voices |= {
            f"{speaker}9{i}": tone(root / f"rec/{speaker}9{i}.wav", next(pitch), 0.3 + i) for i in (0, 4)
        }
        (root / "prompts").mkdir(exist_ok=True)
        (root / "prompts" / speaker).write_text(voices[f"{speaker}94"] + "\n")
    write_table(root / "voices/wav.scp", voices)
    write_table(root / "voices/spk2utt", {s: [u for u in voices if u.startswith(s)] for s in SPEAKERS})


@pytest.fixture(scope="session")
def exp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of results."""
    root = tmp_path_factory.mktemp("listening") / "exp"
    write_results(root)
    return root


@pytest.fixture
def make_test(exp: Path, tmp_path: Path) -> Callable[..., Built]:
    """Builds a test in ``tmp_path / "test"``; keyword arguments as of :func:`build`."""

    def make(**options: object) -> Built:
        systems = parse_systems(
            [
                f"tts={exp}/tts_{{speaker}}/test",
                f"vocoded={exp}/eval/target_{{speaker}}_vocoded",
                f"recording={exp}/eval/target_{{speaker}}",
            ]
        )
        material = gather(
            systems, reference=f"{exp}/eval/target_{{speaker}}", target=f"{exp}/prompts/{{speaker}}"
        )
        options.setdefault("anchors", dict.fromkeys(QUESTIONS, "recording"))
        return build(tmp_path / "test", material, **options)

    return make


@pytest.fixture
def make_tone() -> Callable[..., str]:
    """:func:`tone`."""
    return tone


os.environ.setdefault("SE_OFFLINE", "true")  # selenium looks for nothing on the network
