"""eSpeak NG through ctypes: Mandarin from pinyin, with the first sample of every phoneme.

The library and its data come from the PyPI package espeakng-loader. The interface is that of eSpeak NG's
``speak_lib.h`` (API revision 12). The library keeps one global state: what a call returns may depend on the
calls before it, so use one fresh process per stream of utterances that must come out the same every time.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass

import numpy as np

VOICE = "cmn-latn-pinyin"
_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x0001
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "pitch_range": 4}
_LIST_TERMINATED, _PHONEME = 0, 7
_STRESS = str.maketrans("", "", "',%=")


class _Identity(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Phoneme:
    """One phoneme event: its mnemonic without stress marks, and its samples ``[start, end)``."""

    mnemonic: str
    start: int
    end: int

    @property
    def is_pause(self) -> bool:
        """Whether it is one of the library's pauses (``_:``, ``_|``, ...)."""
        return self.mnemonic.startswith("_")


class Espeak:
    """The synthesiser; make one per process.

    Attributes:
        sample_rate: Hz of the samples that :meth:`say` returns.
    """

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 200, data, _PHONEME_EVENTS | _DONT_EXIT)
        if rate <= 0:
            raise RuntimeError(f"eSpeak NG does not start with the data in {data.decode()}")
        self.sample_rate = int(rate)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._samples: list[np.ndarray] = []
        self._events: list[tuple[str, int]] = []
        self._callback = _CALLBACK(self._collect)  # kept: the library holds the bare pointer
        self._library.espeak_SetSynthCallback(self._callback)
        self.voice("")

    def voice(self, variant: str, **parameters: int) -> None:
        """Choose a variant of the Mandarin voice ("" for the plain one) and set rate, pitch, volume, ..."""
        name = f"{VOICE}+{variant}" if variant else VOICE
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise RuntimeError(f"eSpeak NG has no voice {name}")
        for key, value in parameters.items():
            self._library.espeak_SetParameter(_PARAMETERS[key], int(value), 0)

    def say(self, text: str) -> tuple[np.ndarray, list[Phoneme]]:
        """Speak pinyin with tone digits.

        Returns:
            ``[N]`` int16 samples, and the phonemes and pauses in order, the last one up to ``N``.
        """
        self._samples.clear()
        self._events.clear()
        content = text.encode() + b"\0"
        status = self._library.espeak_Synth(content, len(content), 0, 1, 0, _CHARS_UTF8, None, None)
        if status != 0 or not self._samples:
            raise RuntimeError(f"eSpeak NG returned status {status} and no sound for {text!r}")
        wave = np.concatenate(self._samples)
        starts = [start for _, start in self._events]
        ends = [*starts[1:], len(wave)]
        names = [name.translate(_STRESS) for name, _ in self._events]
        return wave, [Phoneme(*item) for item in zip(names, starts, ends, strict=True)]

    def mnemonics(self, text: str) -> tuple[list[str], str]:
        """What the library reads in ``text``: phonemes without tone and stress, and the tones as digits."""
        pointer = ctypes.c_char_p(text.encode())
        parts = []
        while pointer.value is not None:
            part = self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _CHARS_UTF8, ord(" ") << 8)
            parts += part.decode().translate(_STRESS).split()
        tones = {"55": "1", "35": "2", "214": "3", "51": "4", "11": "5"}
        matches = [re.fullmatch(r"(.*?)(55|35|214|51|11)?", part) for part in parts if part[0] != "_"]
        return [m[1] for m in matches], "".join(tones[m[2]] for m in matches if m[2])

    def _collect(self, wave, count, event) -> int:
        if wave and count > 0:
            self._samples.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while event[i].type != _LIST_TERMINATED:
            if event[i].type == _PHONEME:
                self._events.append((bytes(event[i].id.string).decode(), event[i].sample))
            i += 1
        return 0
