"""eSpeak NG's Mandarin from pinyin."""

from __future__ import annotations

import re

import ctap.text.espeak

VOICE = "cmn-latn-pinyin"
TONES = {"55": "1", "35": "2", "214": "3", "51": "4", "11": "5"}


class Espeak(ctap.text.espeak.Espeak):
    """The synthesiser of pinyin with tone digits; make one per process."""

    def __init__(self) -> None:
        super().__init__(VOICE)

    def mnemonics(self, text: str) -> tuple[list[str], str]:
        """What the library reads in ``text``: phonemes without tone and stress, and the tones as digits."""
        clauses, _ = self.read(text)
        parts = [
            ctap.text.espeak.without_stress(read.mnemonic)
            for clause in clauses
            for word in clause
            for read in word
        ]
        matches = [re.fullmatch(r"(.*?)(55|35|214|51|11)?", part) for part in parts if part]
        return [m[1] for m in matches], "".join(TONES[m[2]] for m in matches if m[2])
