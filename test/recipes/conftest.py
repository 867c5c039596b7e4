"""A recipe of its own, on a corpus of minutes, with models of the smallest size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from test import tiny

ROOT = Path(__file__).parents[2]
STEPS = {"max_steps": 4, "epoch_steps": 2, "keep_best": 2, "log_every": 1}


class Recipe:
    """A recipe's directory and how to run it."""

    def __init__(self, root: Path) -> None:
        """Lay out the toolkit's folders in ``root`` by links, with a recipe ``egs/tiny/ctap1``."""
        root.mkdir(exist_ok=True)
        for name in ("ctap", "utils"):
            (root / name).symlink_to(ROOT / name)
        (root / "egs").mkdir()
        for name in ("TEMPLATE", "aishell3", "mini"):
            (root / "egs" / name).symlink_to(ROOT / "egs" / name)
        self.path = root / "egs" / "tiny" / "ctap1"
        (self.path / "conf" / "ablations").mkdir(parents=True)
        for name in ("ctap.sh", "path.sh", "cmd.sh"):
            (self.path / name).symlink_to(ROOT / "egs" / "TEMPLATE" / "ctap1" / name)
        (self.path / "local").symlink_to(ROOT / "egs" / "aishell3" / "ctap1" / "local")
        data = {**tiny.DATA, "batch_frames": 1600, "max_frames": 400}
        common = {"data": data, "optim": tiny.OPTIM, "trainer": STEPS}
        prompt = {**tiny.MODEL["prompt_encoder"], "frames": 300}
        configs = {
            "ctap": {"model": {**tiny.MODEL, "prompt_encoder": prompt}},
            "finetune": {},
            "finetune_labeled": {},
            "duration": {"model": {"layers": 2, "channels": 8, "steps": 10, "predictor_channels": 8}},
            "duration_adapt": {},
            "asr": {"model": tiny.STACK},
            "judge": {"model": tiny.STACK},
            "acoustic": {"model": {k: v for k, v in tiny.MODEL.items() if k != "embed_dim"}},
            "semantic": {},
        }
        ablation = {"loss": {"mse_weight": 0.0, "kl_weight": 0.0}, **configs["ctap"]}
        configs["ablations/ctap_no_decoder"] = ablation
        for name, own in configs.items():
            (self.path / "conf" / f"{name}.yaml").write_text(yaml.safe_dump({**own, **common}))

    def command(self, *options: str) -> list[str]:
        """The command line of ctap.sh."""
        small = ["--target_speakers", "SSB7010", "--labeled_minutes", "0.3", "--dev_utts", "3", "--nj", "1"]
        few = ["--eval_utts", "2", "--vc_utts", "2", "--units", "300", "--max_refs", "1"]
        return ["./ctap.sh", *small, *few, *options]

    def run(
        self, *options: str, check: bool = True, python: str | Path = sys.executable
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "python": str(python)}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        done = subprocess.run(
            self.command(*options), cwd=self.path, env=environment, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded corpus of some minutes."""
    out = tmp_path_factory.mktemp("corpus") / "spoken"
    command = [sys.executable, ROOT / "egs" / "mini" / "ctap1" / "local" / "make_corpus.py", out]
    sizes = ["--minutes", "0.6", "--target_minutes", "0.6", "--test_minutes", "0.1", "--speakers", "3"]
    subprocess.run([*command, *sizes, "--jobs", "1"], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return out


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A recipe of its own."""
    return Recipe(tmp_path)
