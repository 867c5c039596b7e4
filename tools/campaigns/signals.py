#!/usr/bin/env python3
"""SIGINT and SIGTERM in the middle of every stage: all processes must be gone within five seconds.

    python tools/campaigns/signals.py WORK_DIR

SIGINT goes to the process group of the recipe, as Ctrl-C sends it, SIGTERM to the recipe's script alone, as
`kill` does. Then the stage is run to its end and compared with what an undisturbed run made.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

from harness import Workshop, alive, family, read_options, report, verdict

from ctap.errors import cli

MOST = 5.0  # seconds


@cli
def main() -> int:
    """Run the campaign; 0 if no process was left and every stage ended as undisturbed."""
    options = read_options(__doc__)
    # Ignored where the campaign runs in a shell's background, and all that it starts would ignore it as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng, stages, seed = random.Random(options.seed), options.stages, options.seed
    shop, lines, bad = Workshop(options.work, stages), [], 0
    for stage in stages:
        shop.restore(stage)
        for sent in (signal.SIGINT, signal.SIGTERM):
            took, status = hit(shop, stage, sent, rng.uniform(0.1, 0.5) * shop.seconds[stage])
            bad += took > MOST or status == 0
            lines.append(f"stage {stage}, {sent.name}: status {status}, all gone after {took:.1f} s")
            print(lines[-1], flush=True)
        shop.finish(stage)
        same, result = verdict(shop, stage)
        bad += not same
        lines.append(f"stage {stage}: then {result}")
        print(lines[-1], flush=True)
    lines.append(f"{bad} faults in {len(stages)} stages, seed {seed}")
    report("signals", lines, options.results)
    return 1 if bad else 0


def hit(shop: Workshop, stage: int, sent: signal.Signals, moment: float) -> tuple[float, int]:
    """As :func:`end`, earlier where the stage has ended by then: the machine was slower when it was timed."""
    while (ended := end(shop, stage, sent, moment)) is None:
        shop.restore(stage)
        moment /= 2
    return ended


def end(shop: Workshop, stage: int, sent: signal.Signals, moment: float) -> tuple[float, int] | None:
    """Start a stage and signal it after ``moment`` seconds; the seconds until all is gone, and the status.

    Nothing if the stage had ended by itself.
    """
    process = shop.start(stage)
    try:
        process.communicate(timeout=moment)
        return None
    except subprocess.TimeoutExpired:
        members = family(process.pid)
        began = time.monotonic()
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        while alive(members) and time.monotonic() - began < 60:
            process.poll()
            time.sleep(0.02)
        took = time.monotonic() - began
        process.stdout.close()
        return took, process.wait()


if __name__ == "__main__":
    sys.exit(main())
