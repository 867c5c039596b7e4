"""Token tables: phones to integers and back, saved beside every model.

A table on disk is ``tokens.txt``, one ``phone id`` a line in the order of the ids. The table that a model was
trained with is the only one it accepts; :meth:`TokenTable.require_same` names the difference otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ctap.errors import UserError
from ctap.files.atomic import atomic_write

PAD = "<pad>"
BLANK = "<blank>"


class TokenTable:
    """Bijection of token strings and the integers from 0.

    Args:
        tokens: all tokens; the first is :data:`PAD` (id 0), the second :data:`BLANK` (id 1).

    Raises:
        UserError: if a token is repeated, empty or holds white space, or the first two are not as said.
    """

    pad_id = 0
    blank_id = 1

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens: tuple[str, ...] = tuple(tokens)
        if self.tokens[:2] != (PAD, BLANK):
            raise UserError(f"token table: must start with {PAD} and {BLANK}, not {list(self.tokens[:2])}")
        self._ids: dict[str, int] = {}
        for index, token in enumerate(self.tokens):
            if not token or token.split() != [token]:
                raise UserError(f"token table: id {index}: {token!r} is empty or holds white space")
            if token in self._ids:
                raise UserError(f"token table: {token!r} has two ids, {self._ids[token]} and {index}")
            self._ids[token] = index

    @classmethod
    def of(cls, phones: Iterable[str]) -> TokenTable:
        """The table of an inventory of phones, in their order."""
        return cls((PAD, BLANK, *phones))

    @classmethod
    def load(cls, path: str | Path) -> TokenTable:
        """Read ``tokens.txt``.

        Raises:
            UserError: if the file is missing or a line is not ``token id`` with ids counting up from 0.
        """
        path = Path(path)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: can't read the token table: {error}") from error
        tokens = []
        for number, line in enumerate(lines):
            fields = line.split()
            if len(fields) != 2 or fields[1] != str(number):
                raise UserError(f"{path}:{number + 1}: expected 'token {number}', found {line!r}")
            tokens.append(fields[0])
        try:
            return cls(tokens)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write ``tokens.txt``, whole or not at all."""
        with atomic_write(path) as file:
            file.writelines(f"{token} {index}\n" for index, token in enumerate(self.tokens))

    def encode(self, phones: Iterable[str]) -> list[int]:
        """Ids of ``phones``.

        Raises:
            UserError: naming the first phone that is not in the table.
        """
        phones = list(phones)
        try:
            return [self._ids[phone] for phone in phones]
        except KeyError as error:
            raise UserError(
                f"phone {error.args[0]!r} is not in the token table of {len(self)}, in: {' '.join(phones)}"
            ) from None

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Tokens of ``ids``.

        Raises:
            UserError: if an id is outside the table.
        """
        out = []
        for index in ids:
            if not 0 <= index < len(self.tokens):
                raise UserError(f"token id {int(index)} is outside the table of {len(self)} tokens")
            out.append(self.tokens[index])
        return out

    def require_same(self, other: TokenTable, where: str) -> None:
        """Refuse ``other``, found at ``where``, unless it is this table.

        Raises:
            UserError: naming the first id at which the two differ.
        """
        if self.tokens == other.tokens:
            return
        for index in range(max(len(self), len(other))):
            mine, theirs = (t.tokens[index] if index < len(t) else "(none)" for t in (self, other))
            if mine != theirs:
                raise UserError(
                    f"{where}: token table does not fit: id {index} is {mine!r} here and {theirs!r} there "
                    f"({len(self)} and {len(other)} tokens)"
                )

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenTable) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"TokenTable({len(self)} tokens)"
