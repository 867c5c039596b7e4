"""The recipes' command lines of the pages, run on a tiny corpus with their steps cut down."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from test.documented import ROOT, Layout, blocks
from test.recipes.conftest import Recipe
from test.tools.test_documented_commands import CONFIGURED

STEPS = "--trainer.max_steps 4 --trainer.epoch_steps 2"
NOT_HERE = ("--download", "--help", "--audio_config")
"""What needs 19 GB from the network, and what other tests look at."""
SMALL = {
    "target_speakers": "SSB7010",
    "labeled_minutes": "0.3",
    "dev_utts": "3",
    "nj": "1",
    "ngpu": "0",
    "num_nodes": "1",
    "eval_utts": "2",
    "vc_utts": "2",
    "units": "300",
    "max_refs": "1",
    "table1_jobs": "2",
    "align_pictures": "2",
    "systems": "ctap_paper logmel",
    "language": "mandarin",  # the corpus's, whose data.sh this recipe has
    "languages": "",
    "data_args": "",
    "transcriber": "",
}
"""Options that are appended to every command, so that they win."""
MADE = {"pretrained": "made", "aligner_model": "made/aligner"}
"""What an earlier command of a page makes; here one before all of them does."""


def recipe_calls(root: Path) -> list[tuple[str, ...]]:
    """Every call of a recipe in the pages, of loops the first and last; what is one when cut down, once."""
    layout, found = Layout(root), {}
    for block in blocks():
        if re.search(r"(^|[\s&])\./run\.sh", block.text) and block.kind != "bash":
            if block.text.startswith("cd egs/ljstyle"):  # made by the block before; test_own_corpus runs it
                continue
            calls = [call.options for call in layout.calls(block) if call.program == "ctap.sh"]
            for options in (calls[:1], calls[-1:]):
                if options and not set(options[0]) & set(NOT_HERE):
                    words = cut_down(tuple(options[0]), Path("corpus"), "exp")
                    found.setdefault(frozenset(effective(words).items()), tuple(options[0]))
    return list(found.values())


def effective(words: Sequence[str]) -> dict[str, str]:
    """What each option is in the end; the stages by default are those of the main job."""
    return {"--stage": "0", "--stop_stage": "6"} | dict(zip(words[::2], words[1::2], strict=True))


def cut_down(options: tuple[str, ...], corpus: Path, expdir: str) -> list[str]:
    """A command with what makes it small behind it."""
    given = dict(itertools.pairwise(options))
    small = SMALL | {"corpus": str(corpus), "expdir": given.get("--expdir", expdir)}
    small |= {name: place for name, place in MADE.items() if f"--{name}" in given}
    for name in CONFIGURED:
        own = re.sub(r"--model\.\w+\.layers \S+", "", given.get(f"--{name}", ""))
        small[name] = f"{own} {STEPS}".strip()
    if int(given.get("--stage", 0)) > 3:
        small["stage"] = "0"  # what the stages before make
    return [*options, *(word for name, value in small.items() for word in (f"--{name}", value))]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, spoken: Path) -> Iterator[Recipe]:
    """A recipe with features, and a configuration of the smallest size by every name that the pages use."""
    recipe = Recipe(tmp_path_factory.mktemp("pages") / "toolkit")
    conf = recipe.path / "conf"
    (conf / "audio").mkdir()
    for path in (ROOT / "egs/TEMPLATE/ctap1/conf").glob("*.conf"):
        shutil.copy(path, conf)
    for path in (ROOT / "egs/TEMPLATE/ctap1/conf").rglob("*.yaml"):
        mine = conf / path.relative_to(ROOT / "egs/TEMPLATE/ctap1/conf")
        base = conf / path.name.replace("_mini", "").replace("_base", "")
        if not mine.exists():
            plain = base if base.exists() else conf / "ctap.yaml"
            mine.write_text(plain.read_text(encoding="utf-8"), encoding="utf-8")
    recipe.run(*cut_down(("--config", "conf/mini.conf", "--stop_stage", "4"), spoken, "made"))
    yield recipe


@pytest.mark.slow
def test_every_recipe_of_the_pages_runs(prepared: Recipe, spoken: Path, tmp_path: Path) -> None:
    calls = recipe_calls(tmp_path)
    assert len(calls) > 12
    for number, options in enumerate(calls):
        if "--durations" in options:
            for source in (prepared.path / "data").glob("*/durations"):
                folder = prepared.path / dict(itertools.pairwise(options))["--durations"]
                (folder / source.parent.name).mkdir(parents=True, exist_ok=True)
                for table in ("durations", "aligned_phones"):
                    (folder / source.parent.name / table).write_bytes((source.parent / table).read_bytes())
        done = prepared.run(*cut_down(options, spoken, f"exp{number}"), check=False)
        assert done.returncode == 0, f"{' '.join(options)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
