"""Names of utterances and speakers: they become names of files and directories, so not every word will do."""

from __future__ import annotations

import re

from ctap.errors import UserError

#: Bytes of a name. File systems allow 255, of which endings (``.TextGrid``), prefixes (``target_<speaker>_``)
#: and the temporary name of a file that is being written (host and process) want their part.
MOST_BYTES = 120

#: Blanks end a table's key; control characters and line separators would break tables, logs and terminals.
_WORD = re.compile(r"[^\s/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def name_fault(name: str) -> str:
    """Why ``name`` can't name a file ``<name>.wav`` or a directory ``tts_<name>``; ``""`` if it can."""
    if not name:
        return "is empty"
    if "/" in name:
        return "holds '/', so it can't name a file"
    if name in (".", ".."):
        return "means a directory, so it can't name a file"
    if not _WORD.fullmatch(name):
        return "holds a blank, a control character or half a character, so it can't name a file"
    # no character has more than 4 bytes, so most names need not be encoded
    if len(name) > MOST_BYTES // 4 and (size := len(name.encode("utf-8"))) > MOST_BYTES:
        return f"has {size} bytes, too many for a file's name (at most {MOST_BYTES})"
    return ""


def check_name(name: str, where: object) -> str:
    """``name``, if it can name a file.

    Args:
        name: of an utterance or a speaker, from outside.
        where: file and line, option, or directory it comes from.

    Raises:
        UserError: it can't; the message begins with ``where``.
    """
    if fault := name_fault(name):
        shown = repr(name if len(name) <= 80 else f"{name[:77]}...")
        raise UserError(f"{where}: {shown} {fault}; give it another name")
    return name
