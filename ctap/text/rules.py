"""How the texts of a corpus are read: recorded beside its tables, and beside every model trained on them.

``text.json`` lies in a data directory and goes with it into parts, dumps and model directories, so that a
model is given the phones that it was trained on. A directory without one is of the time before there was any:
its hanzi were read with the values that :class:`TextRules` has by default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ctap.errors import UserError
from ctap.files.atomic import atomic_write

RULES_FILE = "text.json"
LANGUAGES = ("mandarin", "english", "custom", "espeak:VOICE")
"""What ``language`` may be; VOICE is one of eSpeak NG's."""

NORMALIZATIONS = ("wetext",)


@dataclass(frozen=True)
class TextRules:
    """How text becomes phones.

    Pinyin is what was said and stays as it is, in a corpus as in synthesis; only hanzi are read.

    Attributes:
        language: Which language it is, one of :data:`LANGUAGES`, or several of them set apart by blanks;
            :mod:`ctap.text.languages` makes it.
        sandhi: Tone sandhi where hanzi are read, see :mod:`ctap.text.sandhi`.
        normalization: What writes out digits, dates and units, see :mod:`ctap.text.normalize`.
        spell_latin: Whether Latin letters are read by their names, see :mod:`ctap.text.latin`; text that has
            any is refused otherwise.
        phones: Of a language whose inventory is collected from the corpus: each phone and its class, in the
            order of the token table. Empty where the language has its own.
        phone_map: Phones that are not in ``phones`` (or not wanted) to those that replace them. It changes
            how texts are read and not what a model knows, so rules compare equal whatever it is.
    """

    language: str = "mandarin"
    sandhi: bool = False
    normalization: str = "wetext"
    spell_latin: bool = False
    phones: tuple[tuple[str, str], ...] = ()
    phone_map: tuple[tuple[str, str], ...] = ()

    def save(self, folder: str | Path) -> None:
        """Write ``folder/text.json``, whole or not at all."""
        with atomic_write(Path(folder) / RULES_FILE) as file:
            file.write(self.as_json())

    def as_json(self) -> str:
        """What ``text.json`` holds."""
        values = asdict(self)
        if not self.spell_latin:
            del values["spell_latin"]  # unset, so that versions without it know all that is there
        for name in _MAPPINGS:
            values[name] = dict(values[name])
            if not values[name]:
                del values[name]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, folder: str | Path) -> TextRules:
        """Read ``folder/text.json``; the default where there is none.

        Raises:
            UserError: The file can't be read, or holds what this version does not know.
        """
        path = Path(folder) / RULES_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: can't read how text is read: {error}") from None
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not values.keys() <= known:
            raise UserError(f"{path}: expected the keys {', '.join(sorted(known))}, found {values!r}")
        for name in _MAPPINGS:
            mapping = values.get(name, {})
            if not isinstance(mapping, dict) or not all(isinstance(value, str) for value in mapping.values()):
                raise UserError(f"{path}: {name}: expected phones to {_MAPPINGS[name]}, found {mapping!r}")
            values[name] = tuple(mapping.items())
        rules = cls(**values)
        if not is_language(rules.language):
            listed = ", ".join(LANGUAGES)
            raise UserError(f"{path}: language {json.dumps(rules.language)}: this version knows {listed}")
        for name, allowed in _ALLOWED.items():
            if (value := getattr(rules, name)) not in allowed:
                listed = ", ".join(map(json.dumps, allowed))
                raise UserError(f"{path}: {name} {json.dumps(value)}: this version knows {listed}")
        return rules

    def require_same(self, other: TextRules, where: str, whose: str) -> None:
        """Refuse ``other``, found at ``where``, unless it reads as this does, which is ``whose``.

        Raises:
            UserError: Naming what differs, with both values.
        """
        mine, theirs = ({**asdict(rules), "phone_map": ()} for rules in (self, other))
        different = [k for k in mine if mine[k] != theirs[k]]
        if different == ["phones"]:
            own, others = dict(self.phones), dict(other.phones)
            lone = sorted(own.items() ^ others.items())[0][0]
            raise UserError(
                f"{where}: its phones are not those of {whose}: {lone!r} is of one of them only. Prepare the "
                "data again with the phones of the other (stage 0, --phones_of, --phone_map)."
            )
        if different:
            mine, theirs = ({k: v for k, v in x.items() if k != "phones"} for x in (mine, theirs))
            different = [k for k in different if k != "phones"]
            listed = "; ".join(f"{k} {json.dumps(theirs[k])}, not {json.dumps(mine[k])}" for k in different)
            raise UserError(
                f"{where}: its text is read in another way than that of {whose}: {listed}. Prepare the data "
                "again with the options of the other (stage 0), or train a model on it from the start."
            )


_MAPPINGS = {"phones": "their classes", "phone_map": "those that stand for them"}


def is_language(name: object) -> bool:
    """Whether ``name`` is one of :data:`LANGUAGES`, or several set apart by blanks, none of them custom."""
    if not isinstance(name, str):
        return False
    names = name.split(" ")
    known = all(own in LANGUAGES[:-1] or re.fullmatch(r"espeak:[\w-]+", own) for own in names)
    return (
        known
        and len(set(map(short_name, names))) == len(names)
        and ("custom" not in names or name == "custom")
    )


def short_name(language: str) -> str:
    """What tokens carry where there are several languages: ``en-us`` of ``espeak:en-us``."""
    return language.removeprefix("espeak:")


_ALLOWED: dict[str, tuple[str | bool, ...]] = {
    "sandhi": (True, False),
    "normalization": NORMALIZATIONS,
    "spell_latin": (True, False),
}


def common_rules(folders: Sequence[str | Path]) -> TextRules:
    """The rules of several directories, which must be the same.

    Raises:
        UserError: They are not; the message names the directory and the difference.
    """
    first, *others = folders
    rules = TextRules.load(first)
    for folder in others:
        rules.require_same(TextRules.load(folder), str(Path(folder) / RULES_FILE), str(first))
    return rules
