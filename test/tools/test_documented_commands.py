"""Every command of the pages is known here: what runs it, or what is lacking; its options are real."""

from __future__ import annotations

import argparse
import itertools
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import jsonargparse
import pytest

from ctap.bin.main import COMPLETION
from test.documented import HELPS, PAGES, ROOT, Block, Call, Layout, blocks, spans

PIPELINE = "test/recipes/test_pipeline.py"
SLOW = "test/recipes/test_documented_recipes.py"
OWN = "test/recipes/test_own_corpus.py"
UPSTREAM = "test/bin/test_upstream_commands.py"
NETWORK = "needs: the network"

NO_COMMANDS = {
    ("docs/durations.md", "er    e rr"): "a table of labels",
    ("README.md", "ctap/  "): "a tree",
    ("README.md", "@inproceedings"): "a citation",
    ("egs/README.md", "egs/<name>/ctap1/"): "a tree",
    ("egs/README.md", "(ctap.sh) stage 0, data_text"): "what a recipe prints",
    ("egs/own_corpus.md", "(ctap.sh) stage 0, tables"): "what a recipe prints",
    ("egs/own_corpus.md", "mycorpus/"): "a tree",
    ("egs/own_corpus.md", "#!/usr/bin/env bash"): OWN,
    ("tools/README.md", "sed -n '/^CORE/"): "needs: uv, and PyPI",
    ("docs/contrastive.md", "C = tau S P^T"): "a formula",
    ("docs/contrastive.md", "L(Q) = "): "a formula",
    ("docs/contrastive.md", "Q = (A + A^T)"): "a formula",
    ("docs/contrastive.md", "L_sigmoid = "): "a formula",
}
"""Page and beginning of a block that is no list of commands, and what it is."""

KNOWN = {
    "ctap.sh": SLOW,
    "ctap": "test/bin/test_main.py",
    "make env": NETWORK,
    "make demo": "needs: twenty minutes; its stages are run by " + PIPELINE,
    "make table1": "needs: an hour; stage 7 is run by test/recipes/test_table1.py",
    "make test": "what runs this",
    "make lint": ".ci/run",
    "make bench": "test/tools/test_makefile.py",
    "make help": "test/tools/test_makefile.py",
    "pytest": "what runs this",
    "pip": NETWORK,
    "tensorboard": "needs: a browser",
    "mfa": "needs: the Montreal Forced Aligner",
    "tools/check_install.py": "test/tools/test_check_install.py",
    "tools/fix_torchaudio.py": "test/tools/test_fix_torchaudio.py",
    "local/prepare_intervals.py": "test/recipes/test_csmsc.py",
    "tools/loopback_slurm.sh": "test/recipes/test_slurm.py",
    "tools/bench/gpu.sh": "needs: a GPU; what it calls is looked at here",
    "tools/bench/align.py": "test/tools/test_bench_align.py",
    "tools/bench/noisy_data_dir.py": PIPELINE,
    "tools/bench/polyphones.py": "test/tools/test_polyphones.py",
    "tools/bench/styled_data_dir.py": "test/tools/test_styled_data_dir.py",
    "utils/validate_data_dir": "test/kaldi/test_datadir.py",
    "utils/fix_data_dir": "test/kaldi/test_datadir.py",
    "ctap.bin.fix_data_dir": "test/kaldi/test_datadir.py",
    "ctap.bin.import_vocoder": "test/models/test_onnx_vocoder.py",
    "ctap.bin.check_upstream": UPSTREAM,
    "ctap.bin.train_kmeans": UPSTREAM,
    "ctap.bin.dump_upstream": UPSTREAM,
    "ctap.bin.combine_features": UPSTREAM,
    "docs/examples/onnx_speech.py": "test/models/test_onnx_export.py",
    "ctap.bin.export_onnx": "test/models/test_onnx_export.py",
    "ctap.bin.serve": "test/serving/test_browser.py",
    "ctap.bin.transcribe": "test/metrics/test_transcriber.py",
    "ctap.bin.score_transcripts": "test/metrics/test_transcriber.py",
    "ctap.bin.train": "test/docs/test_examples.py",
    "ctap.bin.report_compare": "test/report/test_runs.py",
    "ctap.bin.score_speech": "test/metrics/test_speech.py",
    "ctap.bin.score_asr": "test/bin/test_compare_scores.py",
    "ctap.bin.score_listening_test": "test/listening/test_scores.py",
}
FOLLOWED = ["synthesize", "convert", "recognize", "embed", "compare_scores", "plot_alignments", "align"]
FOLLOWED += ["train_aligner", "score_durations", "import_durations", "listening_test", "disturb_durations"]
KNOWN |= {f"ctap.bin.{name}": PIPELINE for name in FOLLOWED}
MEASURING = ["ark", "attention", "contrastive", "duration_prompts", "features", "muon", "onnx_speed", "scale"]
MEASURING += ["serve", "shared_cores", "slow_disk", "stage_0", "synthesis", "train_step", "vocoder"]
MEASURING += ["vocoder_f0", "where_lost", "word_starts"]
KNOWN |= {f"tools/bench/{name}.py": "test/tools/test_bench.py" for name in MEASURING}
CAMPAIGNS = ["corruption", "faults", "kills", "signals"]
KNOWN |= {f"tools/campaigns/{name}.py": "test/tools/test_campaigns.py" for name in CAMPAIGNS}
"""Program, and the test that runs it as the pages do, or what this machine lacks for it."""

ALL = blocks()
SHELL = [
    b
    for b in ALL
    if b.kind not in ("python", "yaml")
    and not any(b.page == p and b.first.startswith(s) for p, s in NO_COMMANDS)
]
CONFIGURED = {
    "train_args": ("pretrain", "train_config"),
    "asr_args": ("asr", "asr_config"),
    "judge_args": ("judge", "judge_config"),
    "finetune_args": ("finetune", "finetune_config"),
    "labeled_args": ("finetune", "labeled_config"),
    "duration_args": ("duration", "duration_config"),
    "duration_adapt_args": ("duration", "duration_adapt_config"),
    "acoustic_args": ("finetune", "acoustic_config"),
    "semantic_args": ("semantic", "semantic_config"),
    "table1_args": ("pretrain", "paper_config"),
    "table1_asr_args": ("asr", "asr_config"),
    "table1_finetune_args": ("finetune", "finetune_config"),
}
"""Options of the recipe that hold options of a training: which one, and the option that names its file."""


def source(program: str) -> Path:
    """The file of a Python program."""
    return ROOT / (f"{program.replace('.', '/')}.py" if program.startswith("ctap.") else program)


class _ParsedError(BaseException):
    """Raised in the place of the work."""


def parse(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a Python program its words, and stop it once it has understood them all."""
    for kind in (argparse.ArgumentParser, jsonargparse.ArgumentParser):

        def understood(self: object, *args: object, _do: object = kind.parse_args, **kwargs: object) -> None:
            _do(self, *args, **kwargs)  # type: ignore[operator]
            raise _ParsedError

        monkeypatch.setattr(kind, "parse_args", understood)
    monkeypatch.syspath_prepend(str(source(call.program).parent))  # where a script finds its neighbours
    monkeypatch.setattr(sys, "argv", [call.program, *call.options])
    with pytest.raises(_ParsedError):
        runpy.run_path(str(source(call.program)), run_name="__main__")
    monkeypatch.undo()


def recipe_options(folder: Path, words: Sequence[str]) -> dict[str, str]:
    """What every option of ctap.sh is once it has read ``words``, by its own parser."""
    script = folder / "real.sh"
    if not script.exists():
        script.symlink_to(ROOT / "egs/TEMPLATE/ctap1/ctap.sh")
    done = subprocess.run([script, *words, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stderr}"
    found = dict(re.findall(r"^  --(\w+) .*\(([^()]*)\)$", done.stdout, re.MULTILINE))
    assert "train_args" in found
    return found


@cache
def trainings() -> jsonargparse.ArgumentParser:
    """The parser of all trainings, which takes longer to make than to use."""
    from ctap.bin.train import main

    return main.parser()


@cache
def check_training(task: str, config: Path, words: str) -> None:
    """A training's configuration with ``words`` on top, typed and complete."""
    fixed = ["--out", "x", "--train_dir", "x", "--dev_dir", "x", "--trainer.accelerator", "cpu"]
    trainings().parse_args([task, "--config", str(config), *fixed, *shlex.split(words)])


def check_recipe(folder: Path, words: Sequence[str]) -> None:
    """The options exist and have values of their kind; configurations are there and can be overridden so."""
    options = recipe_options(folder, words)
    configs = {name: folder / value for name, value in options.items() if name.endswith("_config") and value}
    assert len(configs) > 8
    for name, config in configs.items():
        assert config.is_file(), f"--{name} {config}"
    for name, (task, config) in CONFIGURED.items():
        check_training(task, configs[config].resolve(), f"{options['all_args']} {options[name]}")


def check_make(words: Sequence[str]) -> None:
    """The target exists, and so does every variable that is set."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    script = (ROOT / "tools/setup_env.sh").read_text(encoding="utf-8")
    for word in words[1:]:
        name, is_variable, _ = word.partition("=")
        if is_variable:
            assert re.search(rf"^{name} \?=", makefile, re.MULTILINE) or f"${{{name}" in script, word
        else:
            assert re.search(rf"^{re.escape(word)}:.*## ", makefile, re.MULTILINE), word


def check_pip(words: Sequence[str]) -> None:
    """The files and extras that an installation names are there."""
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    for before, word in itertools.pairwise(words):
        if before == "-c":
            assert (ROOT / word).is_file()
        for extra in re.findall(r"^\.\[(.*)\]$", word):
            assert all(f'"{name}"' in setup for name in extra.split(",")), word


def check_place(call: Call) -> None:
    """A script and its configurations lie where the command says; what a recipe makes lies in a recipe."""
    assert (call.folder / call.words[1]).is_file(), f"{call.page}: {call.folder}: {call.words[1]}"
    for word in call.options:
        if word.endswith(".yaml"):
            assert (call.folder / word).is_file(), f"{call.page}: {call.folder}: {word}"
        if re.match("(data|dump|exp)/", word):
            assert (call.folder / "run.sh").exists(), f"{call.page}: no recipe, which has {word}"


def check(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test runs the program, and it takes these words."""
    if call.words[0] == "ctap" and call.command and not call.options:
        return  # a command's mere name, which is there
    if call.words[:2] == ("python", "-m") and len(call.words) == 3:
        assert source(call.program).is_file()  # a module's mere name
        return
    if call.words[:2] == ("python", "-c"):
        compile(call.words[2], call.page, "exec")
        return
    assert call.program in KNOWN, f"{call.page}: {shlex.join(call.words)}: which test runs it?"
    if call.words[0] == "python" and call.words[1] != "-m" and call.page in PAGES:
        check_place(call)
    if call.program == "ctap.sh":
        check_recipe(call.folder, call.options)
    elif call.words[0] == "make":
        check_make(call.words)
    elif call.program == "pip":
        check_pip(call.words)
    elif call.program == "pytest":
        assert all((ROOT / word).exists() for word in call.options if word.startswith("test/")), call.words
    elif call.program == "ctap":
        assert call.words[1] in ("--help", COMPLETION, "--version"), call.words
    elif call.options and call.options[-1] == "--help":
        with pytest.raises(SystemExit) as ended:
            parse(call, monkeypatch)
        assert ended.value.code == 0
    elif call.program.endswith(".sh"):
        pass
    elif call.program.startswith(("ctap.bin.", "tools/bench/", "tools/campaigns/")):
        parse(call, monkeypatch)
    elif call.program.startswith("utils/"):
        module = f"ctap.bin.{call.program.removeprefix('utils/')}"
        parse(Call(call.page, call.folder, ("python", "-m", module, *call.options)), monkeypatch)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout(tmp_path_factory.mktemp("layout"))


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("page", sorted({block.page for block in SHELL}))
def test_commands_of_a_page_are_known_and_sound(
    page: str, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in (block for block in SHELL if block.page == page):
        if block.text.startswith("cd egs/ljstyle"):
            (layout.root / "egs/ljstyle").is_dir() or layout.calls(
                Block(page, "", "egs/TEMPLATE/ctap1/setup.sh ljstyle")
            )
        for call in layout.calls(block):
            check(call, monkeypatch)


def test_what_is_measured_on_a_gpu_is_sound(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """``gpu.sh`` itself, with stand-ins for the machine and for all that it calls."""
    stand_ins = 'nvidia-smi() { :; }; timeout() { shift; "$@"; }; export -f record python nvidia-smi timeout'
    calls = layout.calls(Block("docs/speed.md", "", f"{stand_ins}\nbash tools/bench/gpu.sh gpu_logs"))
    names = Counter(call.program.rpartition("/")[2] for call in calls)
    assert names == {"ctap.sh": 3, "contrastive.py": 2, "train_step.py": 2, "pytest": 1}
    for call in calls:
        check(call, monkeypatch)


def test_every_table_is_in_use() -> None:
    """Nothing stands in the tables that no page has, and the tests that they name are there."""
    for page, beginning in NO_COMMANDS:
        assert any(b.page == page and b.first.startswith(beginning) for b in ALL), (page, beginning)
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    for program, test in KNOWN.items():
        name = program.rpartition(".bin.")[2].replace("ctap.sh", "run.sh")
        assert name in text or name.replace("_", " ") in text, program
        for path in re.findall(r"test/[\w/]+\.py", test):
            assert (ROOT / path).is_file(), path


def test_every_program_for_developers_is_run_by_a_test() -> None:
    """Those of ``make bench`` and the campaigns, each by a test of its name where one file runs many."""
    programs = {page for page in HELPS if "__main__" in (ROOT / page).read_text(encoding="utf-8")}
    assert len(programs) > 20 and programs <= KNOWN.keys()
    for program in programs:
        if KNOWN[program] in ("test/tools/test_bench.py", "test/tools/test_campaigns.py"):
            assert f"def test_{Path(program).stem}(" in (ROOT / KNOWN[program]).read_text(encoding="utf-8")


def test_options_in_running_text_are_valid(layout: Layout) -> None:
    """``--train_args "--loss.contrastive.gather true"`` and its like, wherever they stand."""
    folder = layout.root / "egs/mini/ctap1"
    names = recipe_options(folder, [])
    checked = 0
    for page, span in spans(PAGES):
        words = shlex.split(re.sub(r"\b[NM]\b", "1", span).replace("FILE", "conf/ctap.yaml"))
        if words[0].removeprefix("--") not in names or "--key" in span:
            continue
        check_recipe(folder, words)
        checked += 1
        assert page
    assert checked > 12


def test_a_launcher_of_the_pages_takes_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """``cuda_cmd="run_slurm ..."``; what run_slurm does not know, goes to sbatch."""
    found = []
    for page in PAGES:
        found += re.findall(r'\w+_cmd="(run_\w+[^"]*)"', (ROOT / page).read_text(encoding="utf-8"))
    assert len(found) >= 2
    for line in found:
        program, *options = line.split()
        words = ("python", f"utils/{program}", *options, "x.log", "true")
        parse(Call("egs/README.md", ROOT, words), monkeypatch)


@pytest.mark.parametrize(
    "text", ["./run.sh --stp_stage 3", "python -m ctap.bin.embed --modl x", "newtool --x"]
)
def test_a_wrong_command_would_be_noticed(text: str, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((AssertionError, SystemExit)):
        for call in layout.calls(Block("README.md", "", text)):
            if call.program == "ctap.sh":
                check_recipe(call.folder, call.options)
            else:
                parse(call, monkeypatch)


@pytest.mark.parametrize("words", ["--loss.no_such_weight 1", "--trainer.max_steps many"])
def test_a_wrong_override_would_be_noticed(words: str, layout: Layout) -> None:
    for option in ("--train_args", "--duration_adapt_args", "--all_args"):
        with pytest.raises(SystemExit):
            check_recipe(layout.root / "egs/mini/ctap1", [option, words])


def test_every_training_of_the_recipe_has_options_of_its_own(layout: Layout) -> None:
    names = recipe_options(layout.root / "egs/mini/ctap1", [])
    others = {"all_args", "aligner_args", "data_args", "download_args"}
    ours = {name for name in names if name.endswith("_args")} - others
    assert ours == set(CONFIGURED)
    stages = "".join(path.read_text() for path in (ROOT / "egs/TEMPLATE/ctap1/stages").glob("*.sh"))
    for call in re.findall(r"^ +training (?:\\\n|[^\n])*", stages, re.MULTILINE):
        assert re.search(r'-- "\$\{\w+_options\[@\]\}"$', call), call


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.kind == "python"], ids=lambda b: f"{b.page}:{b.first[:20]}"
)
def test_python_of_the_pages_compiles(block: Block) -> None:
    compile(block.text, block.page, "exec")
