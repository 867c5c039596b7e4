"""Make a listening test of several systems (build), and give it to listeners (serve)."""

from __future__ import annotations

import logging
import secrets
import shlex
import signal
import threading
from pathlib import Path

from ctap.bin.common import set_up_logging
from ctap.bin.entry import command, commands
from ctap.errors import UserError
from ctap.listening.build import ANSWERS, Built
from ctap.listening.build import build as build_test
from ctap.listening.guard import MAX_JOINS, Guard
from ctap.listening.material import gather, parse_systems
from ctap.listening.plan import QUESTIONS, read_plan
from ctap.listening.server import ListeningServer, addresses
from ctap.listening.store import Store
from ctap.metrics.provenance import collect_meta
from ctap.text.languages import language_in


def build(
    out: Path,
    system: list[str],
    reference: str | None = None,
    target: str | None = None,
    questions: list[str] | None = None,
    speakers: list[str] | None = None,
    utts: int = 20,
    max_trials: int = 0,
    recording: list[str] | None = None,
    title: str = "Listening test",
    sample_rate: int = 24000,
    level: str = "-26",
    max_seconds: float = 30.0,
    seed: int = 777,
) -> None:
    """Write a listening test: page.html (self-contained), test.json, sounds/.

    A PATH is a wav.scp, a directory with one, or a directory of audio files; {speaker} in it stands for every
    target speaker.

    Args:
        out: Directory of the test.
        system: Sounds to rate, each NAME=PATH, such as ctap=exp/tts_{speaker}/test; a name may have several.
        reference: PATH of recordings of the same sentences: asks for prosody similarity.
        target: PATH of recordings of the wanted speakers (with spk2utt, if of several), or a file with the
            path of one, such as exp/prompts/{speaker}: asks for speaker similarity.
        questions: Some of quality, prosody, speaker (default: all that is possible).
        speakers: Values of {speaker} (default: the speakers that all paths have).
        utts: Utterances of each speaker, 0: all; 20 as in the paper.
        max_trials: Ratings of one listener at most; 0: everybody rates everything.
        recording: NAME[:QUESTION,...], systems whose sounds are recordings, to check listeners by (default:
            recording, if there is).
        title: Shown to listeners; should not reveal the systems.
        sample_rate: Hz, of all sounds; 0 keeps each.
        level: dB of full scale, of all sounds; none keeps each.
        max_seconds: Utterances with longer sounds are left out.
        seed: Of the choice of utterances and the order.
    """
    if min(utts, max_trials, sample_rate) < 0:
        raise UserError("--utts, --max_trials and --sample_rate can't be negative")
    systems, loudness = parse_systems(system), decibels(level)
    material = gather(systems, reference=reference, target=target, speakers=speakers)
    how = {"questions": questions, "anchors": recordings(recording, list(systems), QUESTIONS)}
    how |= {"title": title, "utts": utts, "max_trials": max_trials, "sample_rate": sample_rate}
    meta = collect_meta(seed=seed, config={"systems": systems})
    if material.texts is not None:
        meta["language"] = language_in(material.texts).code  # by it browsers choose letters, readers a voice
    show(build_test(out, material, **how, level=loudness, max_seconds=max_seconds, seed=seed, meta=meta), out)


def show(built: Built, out: Path) -> None:
    """Print what a test holds, and how to go on."""
    for note in built.notes:
        print(note)
    plan = built.plan
    for question, trials in plan.sequence.items():
        anchor = plan.anchors.get(question)
        print(
            f"{question}: {len(trials)} sounds, a listener rates {plan.take[question]}; "
            + (f"recording: {anchor}" if anchor else "no recording among them to check listeners by")
        )
    size = built.page.stat().st_size / 2**20
    print(f"{built.page}: {size:.1f} MB, self-contained; test {plan.id}")
    if size > 60:
        print("that is large for a phone: serve it, or take fewer --utts")
    print(f"serve it: python -m ctap.bin.listening_test serve --test {shlex.quote(str(out))}")


def decibels(text: str) -> float | None:
    """``--level`` as a number; None for none."""
    try:
        level = None if text == "none" else float(text)
    except ValueError:
        raise UserError(f"--level {text}: expected dB, such as -26, or none") from None
    if level is not None and not -60 <= level < 0:
        raise UserError(f"--level {level:g}: expected -60 to 0 dB of full scale")
    return level


def recordings(names: list[str] | None, systems: list[str], questions: tuple[str, ...]) -> dict[str, str]:
    """``--recording`` to question -> system.

    Raises:
        UserError: a system or question is unknown.
    """
    if names is None:
        names = ["recording"] if "recording" in systems else []
    found: dict[str, str] = {}
    for word in names:
        name, _, some = word.partition(":")
        if name not in systems:
            raise UserError(f"--recording {word}: no such system; there are {', '.join(systems)}")
        for question in some.split(",") if some else questions:
            if question not in questions:
                raise UserError(f"--recording {word}: {question!r} is not one of {', '.join(questions)}")
            found[question] = name
    return found


def serve(
    test: Path,
    host: str = "127.0.0.1",
    port: int = 8080,
    token: bool | str = "",
    max_joins: int = MAX_JOINS,
    allow_host: list[str] | None = None,
    answers: Path | None = None,
    verbose: bool = False,
) -> None:
    """Give the page to listeners and store their answers, until interrupted or terminated.

    Args:
        test: Directory that build wrote.
        host: Address to bind to; 0.0.0.0 for the whole network.
        port: 0 takes a free one.
        token: Word in the address, so that only people who have the address get in; random if no word is
            given.
        max_joins: New listeners from one address, 0: any number, for a proxy.
        allow_host: Other names of this server, such as that of a proxy; its addresses are known.
        answers: SQLite file (default: TEST/answers.sqlite).
        verbose: Log every request.
    """
    set_up_logging(logging.DEBUG if verbose else logging.INFO)
    word = secrets.token_hex(8) if token is True else token or ""
    guard = Guard(allow_hosts=allow_host or [], token=word, max_joins=max_joins)
    plan = read_plan(test)
    answers = answers or test / ANSWERS
    store = Store(answers, plan)
    try:
        server = ListeningServer(test, plan, store, host=host, port=port, guard=guard)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for address in addresses(host, server.server_address[1], guard.path):
            print(f"listening test at {address}", flush=True)
        print(f"answers go to {answers}; Ctrl-C ends", flush=True)
        stop.wait()
        server.shutdown()
        server.server_close()
        listeners, count = store.counts()
        print(f"{count} answers of {listeners} listeners in {answers}")
    finally:
        store.close()


main = commands(__doc__, build=command(build), serve=command(serve))

if __name__ == "__main__":
    main()
