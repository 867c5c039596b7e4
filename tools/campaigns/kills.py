#!/usr/bin/env python3
"""SIGKILL at random moments over all stages of a tiny corpus; each must end as if nothing had happened.

    python tools/campaigns/kills.py WORK_DIR --kills 100

Each stage is started and killed again and again, then run to its end; what it made is compared with what an
undisturbed run made: tables, arks, durations, weights and sounds byte by byte, scores figure by figure. Kills
are shared out over the stages by how long these take. Each hits one of: the recipe's script alone, all of its
processes at once, one of them drawn at random.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter

from harness import Workshop, family, kill, read_options, report, verdict

from ctap.errors import cli

VICTIMS = ("script", "all", "one")


@cli
def main() -> int:
    """Run the campaign; 0 if every stage ended as undisturbed."""
    options = read_options(__doc__, kills=100)
    rng, stages, kills, seed = random.Random(options.seed), options.stages, options.kills, options.seed
    shop = Workshop(options.work, stages)
    total = sum(shop.seconds[stage] for stage in stages)
    lines, bad, done = [], 0, 0
    for stage in stages:
        share = max(2, round(kills * shop.seconds[stage] / total))
        counts = disturb(shop, stage, share, rng)
        done += sum(n for victim, n in counts.items() if victim != "too late")
        same, result = verdict(shop, stage)
        bad += not same
        lines.append(
            f"stage {stage}: {', '.join(f'{n} {victim}' for victim, n in sorted(counts.items()))}: {result}"
        )
        print(lines[-1], flush=True)
    lines.append(f"{done} kills, seed {seed}: {len(stages) - bad} of {len(stages)} stages as undisturbed")
    report("kills", lines, options.results)
    return 1 if bad else 0


def disturb(shop: Workshop, stage: int, count: int, rng: random.Random) -> Counter[str]:
    """Kill ``stage`` so many times and then let it end; how often whom."""
    counts: Counter[str] = Counter()
    shop.restore(stage)
    while sum(counts.values()) < count:
        process = shop.start(stage)
        # The longest step of a stage must come to its end now and then, or more kills would hit the same.
        moment = rng.uniform(0.2, 0.5 * shop.seconds[stage])
        try:
            process.communicate(timeout=moment)
            counts["too late"] += 1
            shop.restore(stage)
            continue
        except subprocess.TimeoutExpired:
            victim = rng.choice(VICTIMS)
        members = family(process.pid)
        hit = {"script": [process.pid], "all": members, "one": [rng.choice(members)]}[victim]
        kill(hit)
        counts[victim] += 1
        if victim == "one":
            process.communicate()  # the recipe itself sees that one of its own is gone
        else:
            process.kill()
            process.stdout.close()
            process.wait()
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0, 2))
    shop.finish(stage)
    return counts


if __name__ == "__main__":
    sys.exit(main())
