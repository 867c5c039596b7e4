"""English as it is written to English as it is said: amounts, times, abbreviations and the like in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ctap.text.forms import plain_form
from ctap.text.pieces import split_sentences

DOT = "\u2024"  # a full stop that ends no sentence; it can't be a user's, which plain_form makes full stops


def _table(rows: str) -> dict[str, str]:
    """What is written to what is said, from rows of both."""
    return dict(row.split(maxsplit=1) for row in rows.replace("\n", "|").split("|") if row)


_ABBREVIATIONS = _table("""
mr mister|mrs missus|messrs messers|jr junior|sr senior|esq esquire|prof professor|hon honorable
rev reverend|fr father|gov governor|sen senator|rep representative|pres president|gen general
col colonel|maj major|capt captain|cmdr commander|adm admiral|lt lieutenant|sgt sergeant|cpl corporal
pvt private|ft fort|mt mount|ave avenue|blvd boulevard|rd road|dept department|co company
corp corporation|inc inc|ltd limited|bros brothers|approx approximately|vs versus|etc et cetera|ms ms
feb February|aug August|sept September|oct October|nov November|dec December
""")
"""Abbreviations to their words; a full stop follows."""

_BEFORE_NUMBERS = _table("""
No number|Nos numbers|no number|nos numbers|p page|pp pages|Vol volume|vol volume|Fig figure|fig figure
Ch chapter|ch chapter|Jan January|Mar March|Apr April|Jun June|Jul July|Sep September
""")
"""The same of those that are words, or their ends, where no number follows."""

_UNITS = _table("""
km kilometer|m meter|cm centimeter|mm millimeter|μm micrometer|mi mile|ft foot|yd yard|kg kilogram|g gram
mg milligram|lb pound|lbs pound|oz ounce|L liter|ml milliliter|mL milliliter|tsp teaspoon|tbsp tablespoon
h hour|hr hour|hrs hour|min minute|sec second|ms millisecond|mph mile per hour|Hz hertz|kHz kilohertz
MHz megahertz|GHz gigahertz|kB kilobyte|KB kilobyte|MB megabyte|GB gigabyte|TB terabyte|kW kilowatt
MW megawatt|kWh kilowatt-hour|°C degree Celsius|°F degree Fahrenheit|° degree|¢ cent
""")
_PER = _UNITS | {"s": "second", "day": "day"}
_POWERS = {None: "", "²": "square ", "³": "cubic "}
_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", "sen")}
_LANDS = {None: "", "US": f"U{DOT}S{DOT} ", "A": "Australian ", "C": "Canadian "}
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_PLURALS = {
    "foot": "feet",
    **{f"{of}hertz": f"{of}hertz" for of in ("", "kilo", "mega", "giga")},
    "yen": "yen",
    "sen": "sen",
    "penny": "pence",
    "half": "halves",
}
_FRACTIONS = _table(
    "2 half|3 third|4 quarter|5 fifth|6 sixth|7 seventh|8 eighth|9 ninth|10 tenth|16 sixteenth"
    "|100 hundredth|1000 thousandth"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_RULERS = "Charles|Edward|Elizabeth|Francis|Frederick|George|Henry|James|John|Louis|Napoleon|Paul|Philip|Pius"
_RULERS += "|Richard|William"
_ROMAN = "(?=[IVX]{2})(?:X{1,3}(?:IX|IV|V?I{0,3})|IX|IV|V?I{1,3})"
_COUNT = r"\d+(?:[.,:]\d+)*"
_BEHIND = rf"\s?(?:{'|'.join(_UNITS)}|[AaPp]\.?[Mm]\.?)|s|st|nd|rd|th"  # in ranges, on both sides
# Capitalised words that begin a sentence where others are names: "in the U.S. He", "the U.S. Army".
_FIRST = (
    r"(?:A|An|After|And|As|At|But|For|He|Her|His|How|I|If|In|It|Its|My|No|On|Our|She|So|That|The|Their|Then"
    r"|There|These|They|This|Those|We|What|When|Where|Who|Why|Yes|You|Your)\b(?!\.)"
)
_NAME = rf"(?=\s+(?!{_FIRST})[A-Z])"
_ENDED = re.compile(rf"\s*(?:$|\s{_FIRST})")


def _stop(match: re.Match[str]) -> str:
    """The full stop of an abbreviation, where it ends the sentence besides."""
    return "." if _ENDED.match(match.string, match.end()) else ""


def _letters(match: re.Match[str]) -> str:
    return match[1].replace(".", DOT) + DOT + _stop(match)


def _plural(name: str, count: str = "") -> str:
    """``name`` for so many of it, whose first word has the plural."""
    first, *rest = name.split()
    return name if count == "1" else " ".join([_PLURALS.get(first, first + "s"), *rest])


def _ordinal(count: int) -> str:
    return f"{count}{'th' if count // 10 % 10 == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def _phone_number(match: re.Match[str]) -> str:
    return ", ".join(" ".join(own) for own in re.findall(r"\d+", match[0]))


def _numbers(match: re.Match[str]) -> str:
    """A range; numbers in a row if there are more than two."""
    parts = re.split("[-–]", match[0])
    if len(parts) > 2:
        return " ".join(parts)
    first, last = parts
    if first[0] in _CURRENCIES:  # $5-10: 5 to 10 dollars
        first, last = first[1:], first[0] + last.lstrip(first[0])
    return f"{first} to {last}"


def _fraction(match: re.Match[str]) -> str:
    whole, above, below = match.groups()
    if below not in _FRACTIONS or not 0 < int(above) < int(below):
        return f"{whole or ''} {above} {below}"  # 24/7
    part = _plural(_FRACTIONS[below], above)
    return f"{whole} and {'a' if above == '1' else above} {part}" if whole else f"{above} {part}"


def _money(match: re.Match[str]) -> str:
    article, land, sign, whole, part, scale = match.groups()
    name, small = _CURRENCIES[sign]
    cents = str(int(part)) if part and len(part) == 2 and not scale else ""
    if whole == "0" and cents.strip("0"):
        return f"{article or ''}{cents} {_plural(small, '1' if article else cents)}"
    count = whole if cents or not part else f"{whole}.{part}"
    scale = f" {_SCALES.get(scale.lower(), scale)}" if scale else ""
    number = "1" if article else count + scale  # a $5 bill
    said = f"{article or ''}{count}{scale} {_LANDS[land]}{_plural(name, number)}"
    return said + (f" and {cents} {_plural(small, cents)}" if cents.strip("0") else "")


def _measure(match: re.Match[str]) -> str:
    count, joint, unit, power, per = match.groups()
    one = joint == "-" or re.fullmatch(r"1|\d+/\d+", count)  # a 5-km run, ½ km
    name = _UNITS[unit] if one else _plural(_UNITS[unit])
    return f"{count} {_POWERS[power]}{name}" + (f" per {_PER[per]}" if per else "")


def _time(match: re.Match[str]) -> str:
    hour, minutes, seconds, half = match.groups()
    hour = hour.lstrip("0") or "0"
    if minutes == "00" and not seconds:
        return hour if half else f"{hour} hundred" if int(hour) > 12 else f"{hour} o'clock"
    return " ".join(
        [hour, f"oh {minutes[1]}" if minutes[0] == "0" else minutes, *([seconds] if seconds else [])]
    )


def _year(match: re.Match[str]) -> str:
    """A year in two halves, as 1999, 1905 and 1900 are said, or the years of a century or decade."""
    century, year, many = match.groups()
    if century in ("10", "20") and year[0] == "0":
        return match[0]
    if year == "00":
        return f"{century} hundred{many or ''}"
    return f"{century} {f'oh {year[1]}' if year[0] == '0' else year}{many or ''}"


def _value(roman: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in roman]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


_Said = str | Callable[[re.Match[str]], str]
_SAID: list[tuple[re.Pattern[str], _Said]] = [
    (re.compile(pattern), said)
    for pattern, said in (
        # Numbers, those with more about them first.
        (
            r"(?<![\w.-])(?:\+?1[-. ])?(?!\d00-\d+00\b)(?:(?:\(\d{3}\) ?|\d{3}[- ])?\d{3}-\d{4}"
            r"|\d{3}\.\d{3}\.\d{4})(?![\w-])",
            _phone_number,
        ),
        (r"(?<![\w.)%-])[-–](?=[$£€¥]?\.?\d)", "minus "),
        (r"(?<=[$£€¥])\.(?=\d)", "0."),
        (r"(?<![\w.])\.(\d+)", lambda m: "point " + " ".join(m[1])),
        (rf"(?<![\w.-])({_COUNT}(?:{_BEHIND}))\s?[-–]\s?(?={_COUNT}(?:{_BEHIND})(?!\w))", r"\1 to "),
        (
            rf"(?<![$£€¥\w.,])((?:(?:\d+ +)?\d+/)?{_COUNT})(\s*|-)({'|'.join(_UNITS)})([²³])?"
            rf"(?:/({'|'.join(_PER)}))?(?!\w|[/'-]\w)(?:\.(?=\s+[a-z\d]))?",
            _measure,
        ),
        (r"\b(\d\d?)/(\d\d?)/(\d{4}|\d\d)\b(?!/)", r"\1 \2 \3"),
        (r"(?<![\d/.,])(?:(\d+)[ -]+)?(\d+)/(\d+)(?![\d/])", _fraction),
        (rf"(?<![\w.-])[$£€¥]?{_COUNT}%?(?:[-–][$£€¥]?{_COUNT}%?)+", _numbers),
        (r"(?<![$£€¥\w.,])(\d[\d,]*(?:\.\d+)?) ?([$£€¥])(?!\d)", r"\2\1"),  # a sign behind its amount
        (
            r"(\b[Aa]n? )?(?:\b(US|A|C))?(?<!\d)([$£€¥])\s?(\d+(?:,\d{3})*)(?:\.(\d+))?"
            r"(?:\s?(thousand|million|billion|trillion|[kKmMbB]n?)(?!\w))?",
            _money,
        ),
        (r"(?<![\d:.,])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])(?=(\s?[AaPp]\.?[Mm]\b)?)", _time),
        (r"(\d):(?=\d)", r"\1 to "),
        (r"(?<=\d)(\s?)([AaPp])\.?([Mm])\b(?:\.(?!\w))?", lambda m: f" {m[2]}{DOT}{m[3]}{DOT}{_stop(m)}"),
        (r"(\d)'\s?(\d\d?)\"", r"\1 foot \2"),
        (rf"({_COUNT} (?:foot|feet)) (\d+)\s?in\.(?!\w)", r"\1 \2 inches"),
        (
            r"(?:(?<=\d|\)|\b[A-Za-z])|(?<=\b[A-Za-z]{2}))[²³](?![⁰-⁹])",
            lambda m: " squared" if m[0] == "²" else " cubed",
        ),
        (
            r"(?<=\d)(⁻?)([⁰¹²³⁴-⁹]+)",
            lambda m: f" to the {'minus ' * bool(m[1])}{_ordinal(int(m[2].translate(_RAISED)))}",
        ),
        ("[⁰¹²³⁴-⁻]", ""),  # of footnotes
        (r"#(?=\d)", "number "),
        # Abbreviations.
        (r"\be\.\s?g\.", "for example"),
        (r"\bi\.\s?e\.", "that is"),
        (
            rf"(\b[A-Z][\w'’]*|\d(?:st|nd|rd|th))\s+(Dr|St)\b(?:\.|(?![.\w]))(?!\s+(?!{_FIRST})[A-Z])",
            lambda m: f"{m[1]} {'Drive' if m[2] == 'Dr' else 'Street'}{_stop(m)}",
        ),
        (rf"\b(?:DR|Dr)(?:\.(?!\w)|{_NAME})", "Doctor"),
        (rf"\b(?:ST|St)(?:\.(?!\w)|{_NAME})", "Saint"),
        (rf"\b({'|'.join(_BEFORE_NUMBERS)})\.\s?(?=\d)", lambda m: f"{_BEFORE_NUMBERS[m[1]]} "),
        (
            rf"(?<![\w.'])(?:(?=[A-Z]|vs|etc|app)(?i:({'|'.join(_ABBREVIATIONS)}))\.(?!\w)|(Lt|Capt|Prof|Sgt){_NAME})",
            lambda m: _ABBREVIATIONS[(m[1] or m[2]).lower()] + _stop(m),
        ),
        (rf"(?<![\w.{DOT}])((?:[A-Za-z]\.)+[A-Za-z]|[Pp]h\.[Dd])\b\.?", _letters),
        (r"(?<![\w.])([A-HJ-Z])\.(?=\s|$)", _letters),
        (
            r"(?<![\w.])US(?!\w)",
            lambda m: f"U{DOT}S{DOT}" if re.search("[a-z]", m.string) else m[0],  # else it may be us
        ),
        (r"\b[Aa]/(?=[A-Za-z]\b)", f"A{DOT} "),  # the letter, no article
        (r"\b[Aa](?=\))|(?<!\w)A(?=[-+]?(?:$|[\"',;:!?.]))", f"A{DOT}"),
        (rf"\b([Vv]itamin|[Hh]epatitis|[Ii]nfluenza|[Aa]n) A(?![\w'{DOT}])", rf"\1 A{DOT}"),
        (r"\bA(?= (?:and|or|to) [B-HJ-Z]\b)", f"A{DOT}"),
        (r"\bCO(?=[2₂]\b)", f"C{DOT}O{DOT} "),
        (r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
        # Days, years, and numerals of kings.
        (
            rf"\b({_MONTHS})\s+(3[01]|[12]\d|0?[1-9])(?![\w%]|[.,:/-]\d)",
            lambda m: f"{m[1]} {_ordinal(int(m[2]))}",
        ),
        (r"(?<![\w.,:$£€])(1\d|20)(\d\d)(?:'?(s))?(?!\w|[.,:]\d)", _year),
        (rf"\b({_RULERS})\s+({_ROMAN}|V|X)\b(?!\.\w)", lambda m: f"{m[1]} the {_ordinal(_value(m[2]))}"),
        (rf"\b{_ROMAN}\b", lambda m: str(_value(m[0]))),
        (r"\bWorld War I\b", "World War 1"),
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    )
]


def _numeral(char: str) -> str:
    """A fraction, a Roman number, or one in a circle or the like in plain letters; not what is raised."""
    if unicodedata.category(char) not in ("No", "Nl") or re.match("[²³¹⁰-⁹]", char):
        return char
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain == char or "₀" <= char <= "₉" else f" {plain.replace('⁄', '/')} "


def said(text: str) -> str:
    """``text`` in plain characters, and written as it is said.

    >>> said("Dr. Brown paid $1,000 at 12:30.")
    'Doctor Brown paid 1000 dollars at 12 30.'
    """
    text = re.sub("[’‘ʼʻ]", "'", text).replace("−", " minus ")
    text = plain_form("".join(map(_numeral, text)))
    for pattern, as_said in _SAID:
        text = pattern.sub(as_said, text)
    return text


def ends_sentence(before: str, after: str) -> bool:
    """Whether the full stop at the end of ``before`` ends a sentence, and is not only an abbreviation's.

    Args:
        before: A sentence, or its end.
        after: What goes on; "" if it is in another language.
    """
    before, goes_on = before.strip(), " ".join(after.split()[:2]) or "Q"  # no more of a unit: "5 km. 谢谢"
    return len(split_sentences(said(f"{before} {goes_on}"))) > len(split_sentences(said(before)))
