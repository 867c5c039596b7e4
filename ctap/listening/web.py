"""The page that listeners see: one HTML file with style, script and, unless served, all sounds."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path

from ctap.errors import UserError
from ctap.listening.answers import EXPORT
from ctap.listening.plan import SCORES, Plan

__all__ = ["page"]

_HOME = Path(__file__).parent / "page"
_SCRIPTS = ("words.js", "session.js", "sender.js", "player.js", "screens.js")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _json(value: object) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def page(plan: Plan, sounds: Path | None) -> str:
    """The text of the page. It does not say which system made a sound.

    Args:
        plan: the test.
        sounds: directory of the sounds, to put them inside; None for the server's page, which fetches them.

    Raises:
        UserError: a sound is missing.
    """
    # the page keeps one sentence from following itself; a name could tell more than that
    number = {utt: i for i, utt in enumerate(sorted({t.utt for t in plan.trials.values()}))}
    test = {
        "id": plan.id,
        "title": plan.title,
        "language": plan.meta.get("language") or None,
        "server": sounds is None,
        "format": EXPORT,
        "scores": SCORES,
        "questions": [
            {"key": q, "take": plan.take[q], "sequence": list(names)} for q, names in plan.sequence.items()
        ],
        "trials": {
            name: {
                "sound": t.sound,
                "reference": t.reference,
                "text": t.text,
                "item": number[t.utt],
            }
            for name, t in plan.trials.items()
        },
    }
    style = (_HOME / "style.css").read_text(encoding="utf-8")
    script = '"use strict";\n' + "".join((_HOME / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    reach = "'self'" if sounds is None else "'none'"
    # nothing but this script runs, and it reaches nothing but the server that the page came from
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; media-src blob:; "
        f"connect-src {reach}; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "title": escape(plan.title),
        "policy": escape(policy, quote=True),
        "style": style,
        "script": script,
        "test": _json(test),
        "sounds": "" if sounds is None else "".join(_embedded(sounds, name) for name in plan.sounds),
    }
    text = (_HOME / "page.html").read_text(encoding="utf-8")
    # one pass, so that nothing in a part is taken for a place to fill
    pieces = text.split("%%")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def _embedded(folder: Path, name: str) -> str:
    try:
        data = (folder / f"{name}.flac").read_bytes()
    except OSError as error:
        raise UserError(
            f"{folder / name}.flac: cannot be read ({error.strerror}); build the test again"
        ) from None
    # an element for each sound: the script decodes the one it needs, not all of them
    return f'<script type="text/plain" id="sound-{name}">{base64.b64encode(data).decode("ascii")}</script>\n'
