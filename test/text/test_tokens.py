import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.text.languages import older
from ctap.text.phones import PHONES
from ctap.text.tokens import BLANK, PAD, TokenTable

MANDARIN_SHA256 = "e46ae7a6082641668436ba3ff75b1ed21bf64655e88177056dbce931c0845abb"


def test_the_table_never_moves(tmp_path):
    older().tokens.save(tmp_path / "tokens.txt")
    written = (tmp_path / "tokens.txt").read_bytes()
    assert written.startswith(b"<pad> 0\n<blank> 1\nsil 2\nsp 3\nb 4\n")
    # A model trained with an earlier version must read the same ids: new phones go to the end.
    assert hashlib.sha256(b"".join(written.splitlines(keepends=True)[:241])).hexdigest() == MANDARIN_SHA256


def test_save_and_load(tmp_path):
    older().tokens.save(tmp_path / "tokens.txt")
    assert TokenTable.load(tmp_path / "tokens.txt") == older().tokens


@given(st.lists(st.sampled_from(PHONES)))
def test_decode_undoes_encode(phones):
    table = older().tokens
    ids = table.encode(phones)
    assert table.decode(ids) == phones
    assert all(1 < index < len(table) for index in ids)


def test_unknown_phone_is_named():
    with pytest.raises(UserError, match="'uang9' is not in the token table"):
        older().tokens.encode(["sil", "uang9"])
    with pytest.raises(UserError, match="-1 is outside"):
        older().tokens.decode([-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<pad> 0\n<blank> 1\na1 3\n", r"tokens.txt:3: expected 'token 2', found 'a1 3'"),
        ("<pad> 0\n<blank> 1\na1 2\na1 3\n", "'a1' has two ids, 2 and 3"),
        ("<blank> 0\n<pad> 1\n", "must start with"),
        ("<pad> 0\n<blank> 1\n\n", r":3: expected"),
    ],
)
def test_broken_tables_are_refused(tmp_path, content, message):
    (tmp_path / "tokens.txt").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        TokenTable.load(tmp_path / "tokens.txt")


def test_missing_table_is_refused(tmp_path):
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "none"))):
        TokenTable.load(tmp_path / "none")


def test_difference_is_named():
    one, other = TokenTable([PAD, BLANK, "a1", "a2"]), TokenTable([PAD, BLANK, "a1"])
    one.require_same(TokenTable(one.tokens), "here")
    with pytest.raises(UserError, match=r"exp/x: .* id 3 is 'a2' here and '\(none\)' there"):
        one.require_same(other, "exp/x")
