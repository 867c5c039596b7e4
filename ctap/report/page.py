"""results.html: tables, pictures and sounds on one page that needs no network, no server and no script."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from ctap.report import markdown
from ctap.report.collect import ROLES, Collection, Experiment, Sample
from ctap.report.markdown import Results, Section
from ctap.report.page_style import STYLE

__all__ = ["page"]

_SHOWN = 8  # utterances with sounds that are open at first
_HEARD_FIRST = 4  # experiments that are heard at the top of the page
_OWN = ("value", "figure")  # headings of the column that a table is about
_ROLE_NAMES = {
    "prompt": "prompt",
    "source": "source",
    "recording": "recording",
    "vocoded": "recording, vocoded",
    "tts": "text to speech",
    "vc": "converted",
    "from_phonemes": "from the source's phonemes",
}


def _section(section: Section) -> str:
    text = f'<p class="note">{escape(section.text)}</p>' if section.text else ""
    table = _table(section.rows, section.to_the_right) if section.rows else ""
    return f'<section class="card"><h3>{escape(section.title)}</h3>{text}{table}</section>\n'


def _embedded(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _wide(path: Path) -> bool:
    """Whether a PNG is so much wider than high that it needs the whole width (its size is in the header)."""
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) < 24 or head[12:16] != b"IHDR":
        return False
    width, height = (int.from_bytes(head[i : i + 4], "big") for i in (16, 20))
    return width > 2.2 * height


def _table(rows: Sequence[Sequence[str]], numbers: Sequence[str]) -> str:
    """Rows as a table; the first is its heading, columns headed as in ``numbers`` stand to the right."""
    head, *body = rows
    classes = [("number value" if name in _OWN else "number") if name in numbers else "" for name in head]
    heads = "".join(
        f'<th scope="col" class="{css}">{escape(name)}</th>' for name, css in zip(head, classes, strict=True)
    )
    lines = ""
    for first, *cells in body:
        lines += f'<tr><th scope="row">{escape(first)}</th>'
        for text, css in zip(cells, classes[1:], strict=True):
            lines += f'<td class="{css}">{escape(text)}</td>'
        lines += "</tr>\n"
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n<tbody>{lines}</tbody></table></div>\n'
    )


def _sound(sample: Sample, address: Callable[[Path], str], preload: str) -> str:
    name = _ROLE_NAMES.get(sample.role, sample.role)
    speaker = f" · {escape(sample.speaker)}" if sample.speaker else ""
    ours = " ours" if sample.role in ("tts", "vc") else ""
    wav = escape(address(sample.wav), quote=True)
    mel = ""
    if sample.mel is not None:
        picture = escape(address(sample.mel), quote=True)
        caption = f"Mel-spectrogram: {name}, {sample.utt}"
        mel = (
            f'<details><summary>mel-spectrogram</summary><figure><a href="{picture}">'
            f'<img loading="lazy" src="{picture}" alt="{escape(caption, quote=True)}"></a></figure></details>'
        )
    return (
        f'<div class="sound{ours}"><div class="role"><b>{escape(name)}</b>{speaker}</div>'
        f'<audio controls preload="{preload}" src="{wav}"></audio>{mel}</div>\n'
    )


def _utterances(samples: Sequence[Sample], address: Callable[[Path], str]) -> list[str]:
    """Each utterance with its sounds side by side."""
    utterances: dict[str, list[Sample]] = {}
    for sample in samples:
        utterances.setdefault(sample.utt, []).append(sample)
    # asking for the length of hundreds of files would stall a phone
    preload = "metadata" if len(samples) <= 60 else "none"
    blocks = []
    for utt, members in utterances.items():
        members.sort(key=lambda s: ROLES.index(s.role) if s.role in ROLES else len(ROLES))
        text, code = next(((s.text, s.language) for s in members if s.text), ("", ""))
        language = f' lang="{escape(code, quote=True)}"' if code else ""
        blocks.append(
            f'<div class="utterance"><span class="text"{language}>{escape(text)}</span> '
            f'<span class="id">{escape(utt)}</span><div class="sounds">'
            + "".join(_sound(sample, address, preload) for sample in members)
            + "</div></div>\n"
        )
    return blocks


def _first(collection: Collection, address: Callable[[Path], str]) -> str:
    """What can be heard, before anything that has to be read: an utterance of each experiment that speaks."""
    blocks = []
    for experiment in collection.experiments:
        if {sample.role for sample in experiment.samples} & {"tts", "vc"}:
            first = experiment.samples[0].utt
            own = [sample for sample in experiment.samples if sample.utt == first]
            blocks.append(f"<h4>{escape(experiment.name)}</h4>" + "".join(_utterances(own, address)))
    if not blocks:
        return ""
    return f'<section class="card" id="listen"><h3>Listen</h3>{"".join(blocks[:_HEARD_FIRST])}</section>\n'


def _sounds(samples: Sequence[Sample], address: Callable[[Path], str]) -> str:
    blocks = _utterances(samples, address)
    shown, rest = blocks[:_SHOWN], blocks[_SHOWN:]
    more = f"<details><summary>{len(rest)} more</summary>{''.join(rest)}</details>" if rest else ""
    return f"<h4>Listen</h4>{''.join(shown)}{more}"


def _experiment(experiment: Experiment, address: Callable[[Path], str]) -> str:
    parts = [f'<section class="card"><h3>{escape(experiment.name)}</h3>']
    if experiment.scores:
        parts.append(_table(markdown.rows(experiment), ("value", "n")))
    for path in experiment.similarities:
        where, name = escape(address(path), quote=True), escape(path.name, quote=True)
        parts.append(
            f'<p class="note">{markdown.SIMILAR}: <a href="{where}" download="{name}">{name}</a></p>'
        )
    seen = []
    for scores in experiment.scores:
        rows = markdown.provenance(scores.meta)
        if rows in seen:
            continue
        seen.append(rows)
        brief = " · ".join(f"{escape(k)} {escape(v)}" for k, v in rows if k in ("seed", "commit"))
        whole = "".join(f"<dt>{escape(k)}</dt><dd><code>{escape(v)}</code></dd>" for k, v in rows)
        parts.append(f'<details class="meta"><summary>{brief}</summary><dl>{whole}</dl></details>')
    if experiment.samples:
        parts.append(_sounds(experiment.samples, address))
    if experiment.pictures:
        figures = ""
        for picture in experiment.pictures:
            source, caption = escape(address(picture.path), quote=True), escape(picture.caption, quote=True)
            wide = ' class="wide"' if _wide(picture.path) else ""
            figures += (
                f'<figure{wide}><a href="{source}"><img loading="lazy" src="{source}" alt="{caption}"></a>'
                f"<figcaption>{caption}</figcaption></figure>\n"
            )
        parts.append(f'<h4>Pictures</h4><div class="pictures">{figures}</div>')
    return "".join(parts) + "</section>\n"


def page(results: Results, out: Path, *, embed: bool = False, heading: str = "CTAP results") -> str:
    """The text of results.html, or of another page of this kind.

    Args:
        results: what it shows.
        out: where the page will lie (addresses are relative to it).
        embed: put pictures and sounds inside, so that the one file can be sent; larger.
        heading: of the page.
    """
    collection, command, lead = results.collection, results.command, results.lead

    def address(path: Path) -> str:
        return _embedded(path) if embed else markdown.link(path, out)

    # what can be heard stands before curves and figures of what can't
    groups = dict(sorted(collection.by_task().items(), key=lambda g: not any(e.samples for e in g[1])))
    # of a heading, what stands before its explanation: all links have to fit side by side
    words = {task: markdown.title(task).partition(":")[0] for task in groups}
    links = "".join(f'<a href="#{escape(t, quote=True)}">{escape(word)}</a>' for t, word in words.items())
    body = [_first(collection, address), *(_section(section) for section in lead)]
    for task, experiments in groups.items():
        body.append(f'<h2 id="{escape(task, quote=True)}">{escape(markdown.title(task))}</h2>\n')
        compared = markdown.overview(experiments)
        if compared:
            body.append(
                f'<section class="card"><h3>Side by side</h3>{_table(compared, compared[0][1:])}</section>\n'
            )
        body += [_experiment(experiment, address) for experiment in experiments]
    if not groups and not lead:
        body.append("<p>No scores yet.</p>")
    if collection.problems:
        items = "".join(f"<li>{escape(problem)}</li>" for problem in collection.problems)
        body.append(
            f'<h2 id="left-out">Left out</h2><section class="card problems"><ul>{items}</ul></section>'
        )
        links += '<a href="#left-out">Left out</a>'
    made = f"<footer>Made by <code>{escape(command)}</code></footer>" if command else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(heading)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        f'<header><h1>{escape(heading)}</h1><p class="note">{escape(markdown.NOTE)}</p></header>\n'
        f"<nav><div>{links}</div></nav>\n<main>\n{''.join(body)}</main>\n{made}\n</body>\n</html>\n"
    )
