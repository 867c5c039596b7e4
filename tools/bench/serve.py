#!/usr/bin/env python3
"""The server under visitors: errors, times to the first sound, and its memory, for some minutes.

    python tools/bench/serve.py exp/tts_SSB7009/model --prompt prompt.wav --visitors 10 --seconds 120

Starts ``ctap serve`` on this machine. Every visitor asks for a sentence, waits for its sound, thinks for a
second or two, and asks again; every third request is a conversion of the prompt. A sound comes whole, so the
time to the first sound is that of the answer. Memory is the resident set of the server's process.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from ctap.errors import cli

SENTENCES = [
    "今天天气很好。",
    "请问图书馆怎么走?",
    "我们明天上午九点开会。",
    "他喜欢在河边散步。",
    "谢谢你的帮助。",
]


def resident(process: int) -> float:
    """MiB that a process holds in memory."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


class Visitors:
    """Some visitors at once, and what they saw.

    Args:
        address: Where the server listens.
        model: The model's name.
        prompt: A recording, source of conversions.
    """

    def __init__(self, address: str, model: str, prompt: Path) -> None:
        self.address, self.model = address, model
        self.source = base64.b64encode(prompt.read_bytes()).decode("ascii")
        self.voice = prompt.stem
        self.times: dict[str, list[float]] = {"synthesize": [], "convert": []}
        self.errors: list[str] = []
        self.end = 0.0

    def visit(self, number: int, first_wait: float) -> None:
        """One visitor, until the end."""
        think, count = random.Random(number), number
        time.sleep(first_wait)
        while time.monotonic() < self.end:
            verb = "convert" if count % 3 == 2 else "synthesize"
            text = SENTENCES[count % len(SENTENCES)]
            asked = {"source": self.source} if verb == "convert" else {"text": text, "seed": count}
            started = time.monotonic()
            try:
                self.ask(verb, {**asked, "voice": self.voice})
                self.times[verb].append(time.monotonic() - started)
            except (OSError, ValueError) as error:
                detail = error.read().decode() if isinstance(error, urllib.error.HTTPError) else ""
                self.errors.append(f"{verb}: {error} {detail}")
            count += 1
            time.sleep(think.uniform(1.0, 2.0))

    def ask(self, verb: str, body: dict) -> bytes:
        """A sound."""
        request = urllib.request.Request(
            f"{self.address}api/models/{self.model}/{verb}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Accept": "audio/wav"},
        )
        with urllib.request.urlopen(request, timeout=120) as reply:
            wave = reply.read()
        if wave[:4] != b"RIFF":
            raise ValueError("no sound came back")
        return wave


def run(visitors: Visitors, server: int, count: int, seconds: float) -> list[float]:
    """Let ``count`` visitors in; the server's memory at every tenth of the time, MiB."""
    visitors.ask("synthesize", {"text": SENTENCES[0], "voice": visitors.voice})  # what is loaded but once
    visitors.end = time.monotonic() + seconds
    threads = [threading.Thread(target=visitors.visit, args=(i, i / count)) for i in range(count)]
    for thread in threads:
        thread.start()
    held = []
    for _ in range(10):
        time.sleep(seconds / 10)
        held.append(resident(server))
    for thread in threads:
        thread.join()
    return held


@cli
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--prompt", type=Path, required=True, help="recording of the voice")
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    command = [sys.executable, "-m", "ctap.bin.serve", str(options.model), "--voices", str(options.prompt)]
    server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"serving (\S+) at (\S+)", server.stdout.readline())
        if not found:
            raise SystemExit("the server did not start; what it said stands above")
        visitors = Visitors(found[2], found[1], options.prompt)
        held = run(visitors, server.pid, options.visitors, options.seconds)
    finally:
        server.terminate()
        server.wait()
    print(f"{options.visitors} visitors, {options.seconds:g} s: {len(visitors.errors)} errors")
    for error in visitors.errors[:5]:
        print(f"  {error}")
    for verb, times in visitors.times.items():
        if len(times) > 1:
            slow = statistics.quantiles(times, n=20)[-1]
            middle = statistics.median(times)
            print(f"{verb:10} {len(times):5} answers, median {middle:.2f} s, 95% within {slow:.2f} s")
    print(f"memory, MiB: {' '.join(f'{m:.0f}' for m in held)}")


if __name__ == "__main__":
    main()
