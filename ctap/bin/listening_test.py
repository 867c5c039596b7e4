"""Make a listening test of several systems (build), and give it to listeners (serve)."""

from __future__ import annotations

import argparse
import logging
import secrets
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from ctap.errors import UserError, cli
from ctap.listening.guard import MAX_JOINS, Guard


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m ctap.bin.listening_test", description=__doc__, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_build(commands)
    _add_serve(commands)
    return parser


def _add_build(commands: Any) -> None:
    making = commands.add_parser(
        "build",
        help="write the test: page.html (self-contained), test.json, sounds/",
        description="Write a listening test. A PATH is a wav.scp, a directory with one, or a directory of "
        "audio files; {speaker} in it stands for every target speaker.",
        allow_abbrev=False,
    )
    add = making.add_argument
    add("--out", type=Path, required=True, help="directory of the test")
    add(
        "--system",
        nargs="+",
        action="extend",
        required=True,
        metavar="NAME=PATH",
        help="sounds to rate, such as ctap=exp/tts_{speaker}/test; a name may have several paths",
    )
    add("--reference", metavar="PATH", help="recordings of the same sentences: asks for prosody similarity")
    add(
        "--target",
        metavar="PATH",
        help="recordings of the wanted speakers (with spk2utt, if of several), or a file with the path of "
        "one, such as exp/prompts/{speaker}: asks for speaker similarity",
    )
    add("--questions", nargs="+", help="some of quality, prosody, speaker (default: all that is possible)")
    add("--speakers", nargs="+", help="what {speaker} stands for (default: whom all paths have)")
    add(
        "--utts",
        type=int,
        default=20,
        help="utterances of each speaker, 0: all (default: 20, as in the paper)",
    )
    add(
        "--max_trials",
        type=int,
        default=0,
        help="ratings of one listener at most; 0: everybody rates everything",
    )
    add(
        "--recording",
        nargs="*",
        metavar="NAME[:QUESTION,...]",
        help="system whose sounds are recordings, to check listeners by (default: recording, if there is)",
    )
    add("--title", default="Listening test", help="shown to listeners; should not give systems away")
    add("--sample_rate", type=int, default=24000, help="Hz, of all sounds; 0 keeps each (default: 24000)")
    add("--level", default="-26", help="dB of full scale, of all sounds; none keeps each (default: -26)")
    add(
        "--max_seconds",
        type=float,
        default=30.0,
        help="utterances with longer sounds are left out (default: 30)",
    )
    add("--seed", type=int, default=777, help="of the choice of utterances and the order (default: 777)")


def _add_serve(commands: Any) -> None:
    serving = commands.add_parser(
        "serve", help="give the page to listeners and store their answers", allow_abbrev=False
    )
    add = serving.add_argument
    add("--test", type=Path, required=True, help="directory that build wrote")
    add(
        "--host",
        default="127.0.0.1",
        help="address to bind to; 0.0.0.0 for the whole network (default: 127.0.0.1)",
    )
    add("--port", type=int, default=8080, help="0 takes a free one (default: 8080)")
    add(
        "--token",
        nargs="?",
        const=True,
        default="",
        metavar="WORD",
        help="stands in the address, so that only who was sent it gets in; without WORD one is drawn",
    )
    add(
        "--max_joins",
        type=int,
        default=MAX_JOINS,
        metavar="N",
        help=f"new listeners from one address, 0: any number, for a proxy (default: {MAX_JOINS})",
    )
    add(
        "--allow_host",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="how else listeners reach this server, such as the name of a proxy; its addresses are known",
    )
    add("--answers", type=Path, help="SQLite file (default: TEST/answers.sqlite)")
    add("--verbose", action="store_true", help="log every request")


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
                raise UserError(f"--recording {word}: {question!r} is none of {', '.join(questions)}")
            found[question] = name
    return found


def make(arguments: argparse.Namespace, command: str) -> None:
    """``build``."""
    from ctap.listening.build import build
    from ctap.listening.material import gather, parse_systems
    from ctap.listening.plan import QUESTIONS
    from ctap.metrics.provenance import collect_meta

    try:
        level = None if arguments.level == "none" else float(arguments.level)
    except ValueError:
        raise UserError(f"--level {arguments.level}: expected dB, such as -26, or none") from None
    if level is not None and not -60 <= level < 0:
        raise UserError(f"--level {level:g}: expected -60 to 0 dB of full scale")
    if min(arguments.utts, arguments.max_trials, arguments.sample_rate) < 0:
        raise UserError("--utts, --max_trials and --sample_rate can't be negative")
    systems = parse_systems(arguments.system)
    anchors = recordings(arguments.recording, list(systems), QUESTIONS)
    material = gather(
        systems, reference=arguments.reference, target=arguments.target, speakers=arguments.speakers
    )
    built = build(
        arguments.out,
        material,
        questions=arguments.questions,
        title=arguments.title,
        utts=arguments.utts,
        max_trials=arguments.max_trials,
        anchors=anchors,
        sample_rate=arguments.sample_rate,
        level=level,
        max_seconds=arguments.max_seconds,
        seed=arguments.seed,
        meta=collect_meta(seed=arguments.seed, config={"systems": systems}, command=command),
    )
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
        print("that is much for a phone: serve it, or take fewer --utts")
    print(f"serve it: python -m ctap.bin.listening_test serve --test {shlex.quote(str(arguments.out))}")


def serve(arguments: argparse.Namespace) -> None:
    """``serve``, until interrupted or terminated."""
    from ctap.listening.build import ANSWERS
    from ctap.listening.plan import read_plan
    from ctap.listening.server import ListeningServer, addresses
    from ctap.listening.store import Store

    logging.basicConfig(
        level=logging.DEBUG if arguments.verbose else logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    guard = Guard(
        allow_hosts=arguments.allow_host,
        token=secrets.token_hex(8) if arguments.token is True else arguments.token,
        max_joins=arguments.max_joins,
    )
    plan = read_plan(arguments.test)
    answers = arguments.answers or arguments.test / ANSWERS
    store = Store(answers, plan)
    try:
        server = ListeningServer(
            arguments.test, plan, store, host=arguments.host, port=arguments.port, guard=guard
        )
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for address in addresses(arguments.host, server.server_address[1], guard.path):
            print(f"listening test at {address}", flush=True)
        print(f"answers go to {answers}; Ctrl-C ends", flush=True)
        stop.wait()
        server.shutdown()
        server.server_close()
        listeners, count = store.counts()
        print(f"{count} answers of {listeners} listeners in {answers}")
    finally:
        store.close()


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    arguments = build_parser().parse_args(argv)
    if arguments.command == "build":
        words = sys.argv[1:] if argv is None else argv
        make(arguments, shlex.join(["python", "-m", "ctap.bin.listening_test", *words]))
    else:
        serve(arguments)


if __name__ == "__main__":
    main()
