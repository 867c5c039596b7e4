"""Hanzi to pinyin to phones; the token table; sentencepiece units."""
