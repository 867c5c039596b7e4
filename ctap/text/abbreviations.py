"""Full stops of abbreviations before capitals and numbers, where a voice takes them for a sentence's end."""

from __future__ import annotations

import re

_OF_ALL = "Dr Prof St"
_OTHERS_FOLLOW = {
    "de": "Hr Fr Hl Nr Abb Abs Bd Kap bzw bzgl ca evtl ggf inkl exkl sog vgl z d u i o",  # z. B. and its like
    "fr": "MM Pr Ste Mgr env p pp",
    "es": "Sr Sra Srta Sres Dra Dña Ud Uds aprox núm pág págs",
    "it": "Sig Dott Ing Avv ca pag",
    "pt": "Sr Sra Dra Profa aprox pág",
    "nl": "Dhr Mevr Drs Ir Mr blz ca nr",
}
"""Codes of languages to abbreviations behind which a sentence goes on, often with a capital or a number."""

_LETTERS = re.compile(r"(?<![\w.])(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}\.$")
_LAST = re.compile(r"(?<![\w.])([^\W\d_]+)\.$")
_DAY = re.compile(r"(?<![\w.,])\d\d?\.$")
_OF_DAYS = re.compile(
    "(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
    r"|Jahrhunderts?)\b"
)


def is_abbreviated(before: str, after: str, code: str) -> bool:
    """Whether the full stop at the end of ``before`` is that of an abbreviation, or of a German day.

    >>> is_abbreviated("Am 3.", "Mai", "de"), is_abbreviated("Il est là.", "Elle part.", "fr")
    (True, False)

    Args:
        before: A sentence, or what there is of it.
        after: What goes on; initials need a capital there.
        code: Of the language, two or three letters.
    """
    before, after = before.rstrip(), after.lstrip()
    if _LETTERS.search(before):
        return True
    if last := _LAST.search(before):
        listed = f"{_OF_ALL} {_OTHERS_FOLLOW.get(code, '')}".split()
        return last[1] in listed or (len(last[1]) == 1 and last[1].isupper() and after[:1].isupper())
    return code == "de" and bool(_DAY.search(before) and _OF_DAYS.match(after))
