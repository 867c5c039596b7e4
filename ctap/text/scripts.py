"""In which scripts the languages of eSpeak NG's voices are written."""

from __future__ import annotations

SCRIPTS = {
    "LATIN": "bs en fa-latn hr kaa lfn sr ug uz",
    "CYRILLIC": "ba be bg bs cv hr kaa kk ky lfn mk nog ru sr tt uk uz",
    "ARABIC": "ar fa sd ug ur",
    "DEVANAGARI": "hi kok mr ne",
    "BENGALI": "as bn bpy",
    "CJK": "cmn ja yue",
    "IDEOGRAPHIC": "cmn ja yue",
    "BOPOMOFO": "cmn",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "ETHIOPIC": "am ti",
    "GREEK": "el grc",
    "ARMENIAN": "hy hyw",
    "GEORGIAN": "ka",
    "HEBREW": "he",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "MYANMAR": "my shn",
    "KHMER": "km",
    "SHAVIAN": "en",
}
"""Scripts, as Unicode names their letters, to the voices whose languages they write; Latin is the others'.

``chr`` is among the others: of Cherokee letters it reads the numbers in Unicode, or nothing.
"""
