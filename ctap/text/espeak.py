"""eSpeak NG through ctypes: what it reads in a text, and its speech with the first sample of every phoneme.

The library and its data come from the PyPI package espeakng-loader. The interface is that of eSpeak NG's
``speak_lib.h`` (API revision 12). The library keeps one global state: what :meth:`Espeak.say` returns may
depend on the calls before it, so use one fresh process per stream of utterances that must come out the same
every time. What it reads in a text does not.
"""

from __future__ import annotations

import ctypes
import difflib
import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctap.errors import UserError
from ctap.text.portions import portions

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x0001
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_IPA = 0x02
_SEPARATOR = "\x1f"
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "pitch_range": 4}
_LIST_TERMINATED, _PHONEME = 0, 7
_STRESS = str.maketrans("", "", "',%=")
_MARKS = {
    ";": "ʲ",
    "I^": "ʲ",
    ">": "ː",
    ":0": "ː",
    "<h>": "ʰ",
}  # mnemonics that may only add to the sound before them
_OTHER_NAMES = {"zh": "cmn", "no": "nb", "nn": "nb", "jp": "ja", "kr": "ko", "ua": "uk", "cz": "cs"}
_SWITCH = re.compile(r"\([\w-]+\)$")
_RARE_LATIN = re.compile("[\u1e00-\u1eff]")
_LONGEST_READING = 9  # phonemes of ka, a letter and a, if the voice knows the letter
_TWO_DOTS = re.compile(r"(?<!\.)\.\.(?=\s*$)")  # the second would be said before the next text
_PAUSE_BEFORE = re.compile(r"_[!|:]+(?=\w)")  # written into the mnemonic of the sound behind it


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


class _Voice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p))


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
        return is_pause(self.mnemonic)


@dataclass(frozen=True)
class Read:
    """One phoneme that is read in a text.

    Attributes:
        mnemonic: As events name it (of at most 8 bytes), but with its tone.
        ipa: The same in IPA, as the library writes it; "" of what has no sound of its own.
        table: The phonemes that the library changed to last (``en`` at an English word); "" if not yet.
    """

    mnemonic: str
    ipa: str
    table: str = ""


@functools.cache
def _library() -> tuple[Any, int]:
    """The library, started, and the rate of its samples in Hz."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 200, data, _PHONEME_EVENTS | _DONT_EXIT)
    if rate <= 0:
        raise UserError(f"eSpeak NG does not start with the data in {data.decode()}; run 'make env' again")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    return library, int(rate)


def voices() -> list[str]:
    """Names of the voices, one or more of every language: ``en-us``, ``de``, ``yue`` ..."""
    return sorted(_listed())


def listed_voice(name: str) -> str:
    """A voice's name as :func:`voices` has it, or its file (``fr``), in whatever case it is given.

    The library also takes the names of its folders (``gmw``), with which it crashes, and titles (``German``),
    by which a language's script, tones and code are not found.

    Raises:
        UserError: there is no such voice; the message names those like it.
    """
    files = [file for file, _ in _listed().values()]
    known, wanted = {own.lower(): own for own in (*files, *_listed())}, name.lower()
    if wanted not in known:
        near = [_OTHER_NAMES[wanted]] if wanted in _OTHER_NAMES else []
        near += [own for own, (_, title) in _listed().items() if wanted in re.findall(r"\w+", title.lower())]
        near += difflib.get_close_matches(wanted, voices(), 5, 0.3)
        listed = ", ".join(dict.fromkeys(near)) or "none"
        raise UserError(f"eSpeak NG has no voice {name!r}; near it: {listed}")
    return known[wanted]


@functools.cache
def _listed() -> dict[str, tuple[str, str]]:
    """Names of the voices to those of their files (it lists ``fr-fr``, and finds it as ``fr``) and titles."""
    found = _library()[0].espeak_ListVoices(None)
    names, i = {}, 0
    while found[i]:
        voice = found[i].contents
        name = ctypes.string_at(voice.languages + 1).decode()  # after a byte of priority
        names.setdefault(name, (voice.identifier.decode().rpartition("/")[2], voice.name.decode()))
        i += 1
    return names


class Espeak:
    """The library with a voice.

    Attributes:
        sample_rate: Hz of the samples that :meth:`say` returns.

    Args:
        voice: such as ``en-us``, see :func:`listed_voice`.

    Raises:
        UserError: there is no such voice.
    """

    def __init__(self, voice: str) -> None:
        self.name = self._file = listed_voice(voice)
        self._library, self.sample_rate = _library()
        self._samples: list[np.ndarray] = []
        self._events: list[tuple[str, int]] = []
        self._legible: dict[str, str] = {}
        self._callback = _CALLBACK(self._collect)  # kept: the library holds the bare pointer
        self.voice("")

    def voice(self, variant: str, **parameters: int) -> None:
        """Choose a variant of the voice ("" for the plain one) and set rate, pitch, volume, ...

        Raises:
            UserError: there is no such variant.
        """
        taken = self._take(variant)
        if not taken:
            self._file = _listed().get(self.name, (self.name, ""))[0]
            taken = self._take(variant)
        if not taken:
            raise UserError(f"eSpeak NG has no variant {variant!r} of the voice {self.name}")
        for key, value in parameters.items():
            self._library.espeak_SetParameter(_PARAMETERS[key], int(value), 0)

    def _take(self, variant: str) -> bool:
        name = f"{self._file}+{variant}" if variant else self._file
        return self._library.espeak_SetVoiceByName(name.encode()) == 0

    def say(self, text: str) -> tuple[np.ndarray, list[Phoneme]]:
        """Speak ``text``.

        Returns:
            ``[N]`` int16 samples, and the phonemes and pauses in order, the last one up to ``N``.

        Raises:
            RuntimeError: there is no sound.
        """
        self._samples.clear()
        self._events.clear()
        self._library.espeak_SetSynthCallback(self._callback)
        content = text.encode() + b"\0"
        status = self._library.espeak_Synth(content, len(content), 0, 1, 0, _CHARS_UTF8, None, None)
        if status != 0 or not self._samples:
            raise RuntimeError(f"eSpeak NG returned status {status} and no sound for {text!r}")
        wave = np.concatenate(self._samples)
        starts = [start for _, start in self._events]
        ends = [*starts[1:], len(wave)]
        names = [without_stress(name) for name, _ in self._events]
        return wave, [Phoneme(*item) for item in zip(names, starts, ends, strict=True)]

    def read(self, text: str) -> tuple[list[list[list[Read]]], bool]:
        """What the library reads in ``text``.

        Returns:
            Clauses of words of phonemes, none of them empty, without pauses; and whether the library took
            part of the text for another language than its voice's.
        """
        found: list[list[list[Read]]] = []
        switched = False
        for portion in portions(_RARE_LATIN.sub(lambda letter: self._known(letter[0]), text)):
            clauses, foreign = self._read(portion)
            if found and clauses:
                found[-1] += clauses.pop(0)  # it was cut inside a clause
            found, switched = found + clauses, switched or foreign
        return found, switched

    def _known(self, letter: str) -> str:
        """``letter``, or what is left of it without marks if the voice would read its number in Unicode."""
        if letter not in self._legible:
            plain = unicodedata.normalize("NFD", letter)
            word = [read for clause in self._read(f"ka{letter}a")[0] for word in clause for read in word]
            by_number = len(word) > _LONGEST_READING and len(plain) > 1
            less = unicodedata.normalize("NFC", plain[:-1])
            self._legible[letter] = letter if not by_number else self._known(less)
        return self._legible[letter]

    def _read(self, text: str) -> tuple[list[list[list[Read]]], bool]:
        text = _TWO_DOTS.sub(".", text)
        mnemonics, written = (self._translate(text, mode) for mode in (0, _IPA))
        clauses, table = [], ""
        for own, ipa in zip(mnemonics, written, strict=True):
            words = []
            for names, symbols in zip(own.split(" "), ipa.split(" "), strict=True):
                word = []
                for read in _pairs(names.split(_SEPARATOR), symbols.split(_SEPARATOR)):
                    if _SWITCH.match(read.mnemonic):
                        table = read.mnemonic[1:-1]
                    elif not is_pause(read.mnemonic):
                        word.append(Read(read.mnemonic, read.ipa, table))
                words.append(word)
            clauses.append([word for word in words if word])
        return [clause for clause in clauses if clause], table != ""

    def _translate(self, text: str, mode: int) -> list[str]:
        pointer = ctypes.c_char_p(text.encode())
        clauses = []
        while pointer.value is not None:
            clause = self._library.espeak_TextToPhonemes(
                ctypes.byref(pointer), _CHARS_UTF8, ord(_SEPARATOR) << 8 | mode
            )
            clauses.append(clause.decode())
        return clauses

    def _collect(self, wave: Any, count: int, event: Any) -> int:
        if wave and count > 0:
            self._samples.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while event[i].type != _LIST_TERMINATED:
            if event[i].type == _PHONEME:
                self._events.append((bytes(event[i].id.string).decode(errors="replace"), event[i].sample))
            i += 1
        return 0


def without_stress(mnemonic: str) -> str:
    """A mnemonic without marks of stress."""
    return mnemonic.translate(_STRESS)


def is_pause(mnemonic: str) -> bool:
    """Whether a mnemonic is that of a pause; a glide such as ``_j`` is not."""
    return mnemonic[:1] == "_" and not mnemonic[1:].isalpha()


def _pairs(names: list[str], symbols: list[str]) -> list[Read]:
    """Phonemes of a word; the IPA of glides and marks may be written into the sound before them.

    Raises:
        UserError: the two do not go together.
    """
    if len(names) > len(symbols):
        for i, name in enumerate(names):
            mark = _MARKS.get(without_stress(name))
            if (mark and i and symbols[i - 1].endswith(mark)) or (name[:1] == "_" and name[1:].isalpha()):
                symbols.insert(i, "")
    if len(names) != len(symbols):
        raise UserError(f"eSpeak NG writes a word as {' '.join(names)} and as {' '.join(symbols)}")
    names = [
        _PAUSE_BEFORE.sub("", name) if symbol.strip("_|") else name
        for name, symbol in zip(names, symbols, strict=True)
    ]
    return [Read(*pair) for pair in zip(names, symbols, strict=True) if pair[0]]
