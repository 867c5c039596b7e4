"""The comparison of aligners runs; what it finds on a tiny corpus means nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from test.bin.test_align import make_corpus

SCRIPT = Path(__file__).resolve().parents[2] / "tools/bench/align.py"


def test_every_method_aligns_all_utterances(tmp_path: Path) -> None:
    data, figures = make_corpus(tmp_path / "data", 4, seed=0), tmp_path / "figures.json"
    options = ["--data_dir", data, "--reference", data / "events.tsv", "--json", figures]
    options += ["--ctc_epochs", "1", "--classifier_rounds", "1"]
    subprocess.run([sys.executable, SCRIPT, *options], check=True)
    found = json.loads(figures.read_text())
    scored = {name: found[name]["scores"]["utterances"] for name in ("gmm", "ctc", "classifier")}
    assert scored == {"gmm": 4, "ctc": 4, "classifier": 4}
