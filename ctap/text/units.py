"""Sentencepiece units of text, for the CTC recogniser.

Id 0 is the CTC blank (sentencepiece's padding piece, which no text yields), id 1 the unknown piece.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path

from ctap.errors import UserError
from ctap.files.atomic import atomic_write

MODEL_TYPES = ("char", "unigram", "bpe")
UNKNOWN = "⁇"  # sentencepiece's own sign

_UNSPACED = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U000323af"
# Blanks beside hanzi, kana or their punctuation: these are written without, or count the same.
_NO_BLANK = re.compile(f"(?<=[{_UNSPACED}]) +| +(?=[{_UNSPACED}])")


def train_units(
    sentences: Iterable[str],
    path: str | Path,
    *,
    vocab_size: int = 5000,
    model_type: str = "char",
) -> Units:
    """Train a sentencepiece model on ``sentences`` and write it, whole or not at all.

    The same set of sentences gives the same model, whatever their order (one thread, no sampling).

    Args:
        sentences: as they are written; blanks are units too.
        path: the model file to write.
        vocab_size: upper bound of the number of units, blank and unknown included.
        model_type: ``char``, ``unigram`` or ``bpe``.

    Raises:
        UserError: no sentences, an unknown ``model_type``, or sentencepiece can't train on this.
    """
    import sentencepiece

    if model_type not in MODEL_TYPES:
        raise UserError(f"units: model type {model_type!r}: expected one of {', '.join(MODEL_TYPES)}")
    lines = sorted(line for line in map(str.strip, sentences) if line)
    if not lines:
        raise UserError(f"{path}: no sentences to train sentencepiece units on")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            model_type=model_type,
            vocab_size=vocab_size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            max_sentence_length=1 << 20,
            num_threads=1,
            pad_id=0,
            pad_piece="<blank>",
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            minloglevel=2,
        )
    except (RuntimeError, OSError) as error:
        raise UserError(f"{path}: sentencepiece can't train on {len(lines)} sentences: {error}") from error
    with atomic_write(path, "wb") as file:
        file.write(model.getvalue())
    return Units(path)


class Units:
    """A sentencepiece model.

    Args:
        path: the model file.

    Raises:
        UserError: the file is missing or not a model, or its blank isn't id 0.
    """

    blank_id = 0
    unk_id = 1

    def __init__(self, path: str | Path) -> None:
        import sentencepiece

        self.path = Path(path)
        try:
            data = self.path.read_bytes()
            self._model = sentencepiece.SentencePieceProcessor(model_proto=data)
        except (OSError, RuntimeError) as error:
            raise UserError(f"{path}: can't read the sentencepiece model: {error}") from error
        if self._model.pad_id() != self.blank_id or self._model.unk_id() != self.unk_id:
            raise UserError(f"{path}: expected a sentencepiece model whose blank is id 0 and unknown id 1")

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, never the blank."""
        return self._model.encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ``ids``: CTC blanks say nothing, the unknown unit is ``⁇``, words are one space apart.

        No space stands beside hanzi.

        Raises:
            UserError: an id is outside the model.
        """
        ids = [int(index) for index in ids]
        outside = next((index for index in ids if not 0 <= index < len(self)), None)
        if outside is not None:
            raise UserError(f"{self.path}: unit id {outside} is outside the model's {len(self)} units")
        # not sentencepiece's decoding, which sets the unknown unit apart from the word that it is in
        pieces = (
            self._model.id_to_piece(i) if i != self.unk_id else UNKNOWN for i in ids if i != self.blank_id
        )
        return _NO_BLANK.sub("", " ".join("".join(pieces).replace("▁", " ").split()))

    def __len__(self) -> int:
        return self._model.get_piece_size()
