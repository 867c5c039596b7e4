"""What the pages say is there, is there: linked files, options, model keys."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ctap.tasks.build import TRAININGS, Sources

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "egs/README.md", "egs/own_corpus.md", "tools/README.md"]
PAGES += sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))


def links(page: str) -> list[str]:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page: str) -> None:
    found = links(page)
    assert found or page != "README.md"
    missing = [link for link in found if not (ROOT / page).parent.joinpath(link).exists()]
    assert not missing


def option_names() -> set[str]:
    """Long options that any command of the toolkit, or benchmark, knows, by reading its sources."""
    programs = [*(ROOT / "ctap/bin").glob("*.py"), *(ROOT / "tools/bench").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in programs)
    text += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "utils").iterdir() if path.is_file())
    names = set(re.findall(r"--([a-z][\w-]+)", text))
    programs = [*(ROOT / "ctap/bin").glob("*.py"), ROOT / "ctap/upstream/registry.py", ROOT / "ctap/jobs.py"]
    for path in programs:  # signatures and dataclasses made into options
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        targets = [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    recipes = [ROOT / "egs/TEMPLATE/ctap1/ctap.sh", ROOT / "egs/TEMPLATE/voc1/voc.sh"]
    scripts = [*recipes, *ROOT.glob("egs/*/ctap1/local/data.sh")]
    script = "".join(path.read_text(encoding="utf-8") for path in scripts)
    configs = [Sources, *(config for config, _ in TRAININGS.values())]
    names |= {field.name for config in configs for field in dataclasses.fields(config)}
    return names | set(re.findall(r"^([a-z]\w*)=", script, re.MULTILINE))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "tools/README.md"])
def test_options_of_the_pages_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    foreign = {"partition", "nodelist", "ntasks-per-node", "wrap", "no-deps", "logdir", "key", "stopstage"}
    used = set(re.findall(r"(?<![\w-])--([a-z][\w-]*)(?![\w.-]*\.)", text))
    assert used - foreign - option_names() == set()


def keys(config: Any) -> set[str]:
    """Dotted names of a configuration's fields."""
    found = set()
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        found.add(field.name)
        if dataclasses.is_dataclass(value):
            found |= {f"{field.name}.{key}" for key in keys(value)}
    return found


def test_configuration_keys_of_the_pages_exist() -> None:
    from ctap.tasks.pretrain import PretrainConfig

    known = keys(PretrainConfig())
    text = "".join(
        (ROOT / page).read_text(encoding="utf-8") for page in ("docs/choices.md", "docs/contrastive.md")
    )
    used = set(re.findall(r"`((?:model|loss|data|optim|trainer)(?:\.\w+)*)`", text))
    assert len(used) > 15
    assert used - known == set()


def test_defaults_of_the_page_of_choices_are_those_of_the_code() -> None:
    from ctap.audio.settings import AudioSettings
    from ctap.tasks.pretrain import PretrainConfig

    c, a = PretrainConfig(), AudioSettings()
    assert (c.model.embed_dim, c.loss.kl_margin, c.model.prompt_encoder.dim) == (256, 10.0, 512)
    assert (c.model.temperature, c.model.temperature_cap) == (14.3, 100.0)
    assert (c.optim.lr, c.optim.warmup_steps, c.optim.betas) == (2e-4, 4000, (0.9, 0.98))
    assert (c.data.batch_size, c.data.batch_frames, c.data.max_frames) == (8, 8000, 1000)
    assert (a.sample_rate, a.n_mels, a.n_fft, a.hop_length, a.f_max, a.log_floor) == (
        24000, 40, 960, 240, 8000.0, 1e-5,
    )  # fmt: skip


def test_help_of_make_names_the_targets_of_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in set(re.findall(r"`?make ([a-z0-9-]+)", text)):
        assert re.search(rf"^  {target} ", shown, re.MULTILINE), target
