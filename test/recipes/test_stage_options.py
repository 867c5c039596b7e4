"""An option that decides what a step makes is among its words: another value makes it run again."""

from __future__ import annotations

import re
import subprocess
from inspect import signature
from pathlib import Path

import pytest

from ctap.bin.align import align
from ctap.bin.dump_features import Dump

ROOT = Path(__file__).resolve().parents[2]
STAGES = ROOT / "egs/TEMPLATE/ctap1/stages"
LIMIT, SHARDS = (
    re.search(rf"^\[\[ .* \|\| {name}=.*", (STAGES.parent / "ctap.sh").read_text(), re.MULTILINE)[0]
    for name in ("limit", "shards")
)
(PRETRAINED,) = re.findall(
    r"^if \[\[ -n \$\{pretrained\} .*?^fi$",
    (STAGES.parent / "ctap.sh").read_text(),
    re.MULTILINE | re.DOTALL,
)
SETUP = f"""set -euo pipefail
. {ROOT}/utils/run_step.sh
. {ROOT}/utils/words.sh
. {ROOT}/utils/jobs.sh
for file in {STAGES}/*.sh; do . "${{file}}"; done
current=0 datadir=data dumpdir=dump expdir=exp nj=1 ngpu=0 decode_nj=0 device=cpu
durations="" aligner_model=aligner drop_outliers=none textgrids=false align_pictures=0
speaks=() mel_settings=() melody=model python=true train_cmd=run decode_cmd=run
all_sets() {{ echo train; }}
targets() {{ :; }}
module() {{ :; }}
run() {{ echo "asked: $*"; }}
"""
DUMPED = ("audio.json", "stats.json", "train/feats.scp")
MADE = ["data/train/durations", *(f"dump/{name}" for name in DUMPED)]
MADE += [f"exp/table1/codec/dump/{name}" for name in DUMPED]
READ = ("data/train/wav.scp", "data/train/phones", "data/train/utt2spk", "aligner")


@pytest.mark.parametrize(
    ("stage", "option", "usual", "other"),
    [
        *(
            (stage, "max_seconds", "60", "5")
            for stage in ("stage_1", "stage_2", "dump_upstream codec encodec")
        ),
        *((stage, "shard_hours", "", "5") for stage in ("stage_2", "dump_upstream codec encodec")),
    ],
)
def test_another_limit_makes_the_step_run_again(
    tmp_path: Path, stage: str, option: str, usual: str, other: str
) -> None:
    for name in (*MADE, *READ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def run(value: str) -> str:
        usually = "max_seconds=60 shard_hours= limit=() shards=()"
        script = "\n".join([SETUP, usually, f"{option}={value}", LIMIT, SHARDS, stage])
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "asked: " in run(usual)
    assert "already done" in run(usual)
    again = run(other)
    assert re.search(f"options: .* -> '.*--{option} {other}'", again)
    assert re.search(f"asked: .* --{option} {other} ", again)


def test_an_aligner_counts_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    """Runs with an exp of their own train the same one, and need not align the same data in turns."""
    for name in (*MADE, *READ[:-1], "exp/aligner/model", "other/aligner/model"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")

    def run(model: str) -> str:
        script = f"{SETUP}\nlimit=() shards=() aligner_model={model}\nstage_1"
        return subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True).stdout

    assert "asked: " in run("exp/aligner") and "already done" in run("other/aligner")
    (tmp_path / "other/aligner/model").write_text("2")
    assert "option aligner: " in run("other/aligner")


@pytest.mark.parametrize("pretrained", ["", "other"])
def test_what_is_trained_elsewhere_is_not_trained_here(tmp_path: Path, pretrained: str) -> None:
    where = pretrained or "exp"
    script = f"""{SETUP}
pretrained={pretrained} trained={where} tag=ctap ctap_model={where}/ctap/model
pretrain_on=train eval_utts=9 vc_utts=9 units=0 switch_penalty=4 duration_model=diffusion seed=1 with_dev=()
for name in train duration judge asr finetune labeled duration_adapt; do
    declare -a "${{name}}_options=()"; declare "${{name}}_config=${{name}}.yaml"
done
targets() {{ echo S1; }}; prompt_of() {{ echo prompt; }}
training() {{ echo "trains $*"; }}; generate() {{ echo "generates $*"; }}
step() {{ :; }}; network() {{ :; }}; embed_voices() {{ :; }}; score_tts() {{ :; }}; score_vc() {{ :; }}
phones_of="" aligner_model=""
{PRETRAINED}
echo "phones of ${{phones_of}}, aligner ${{aligner_model}}."
stage_3; stage_4; stage_5; stage_6
"""
    for name in ("ctap/model", "aligner"):
        (tmp_path / where / name).mkdir(parents=True)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    trained = re.findall(r"^trains (\S+)", done.stdout, re.MULTILINE)
    own = {"vc_S1", "tts_S1_decoder", "tts_S1", "asr"}
    assert set(trained) == (own if pretrained else own | {"ctap", "duration", "judge"})
    given = ("other/ctap/model", "other/aligner") if pretrained else ("", "")
    assert "phones of {}, aligner {}.".format(*given) in done.stdout
    assert f"--init in:{where}/ctap/model" in done.stdout
    assert f"--duration_init in:{where}/duration/model" in done.stdout
    assert (
        f"--model in:{where}/judge/model" in done.stdout
        and "--init in:exp/tts_S1_decoder/model" in done.stdout
    )


@pytest.mark.parametrize(
    ("differs", "made"),
    [
        ("", True),
        ("melody=source", False),
        ("pretrained=other", False),
        ("paper_config=b.yaml", False),
        *((f"{name}_args=--x", False) for name in ("train", "table1_asr", "finetune", "labeled")),
        ("all_trained() { return 1; }", False),
    ],
)
def test_a_row_of_table_1_is_the_recipes_own_only_if_it_was_made_alike(differs: str, made: bool) -> None:
    names = ("table1", "train", "table1_asr", "asr", "table1_finetune", "finetune", "labeled")
    arguments = " ".join(f'{name}_args=""' for name in names)
    script = f"""{SETUP}
pretrained="" paper_config=a.yaml train_config=a.yaml {arguments}
all_trained() {{ :; }}
{differs}
made_before ctap_paper && echo made"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert ("made" in done.stdout) == made, done.stderr


def test_whether_trainings_are_those_of_this_run_is_asked_and_nothing_is_run(tmp_path: Path) -> None:
    """Of all their options: what another configuration, seed or pretraining has made is not this run's."""
    (tmp_path / "a.yaml").write_text("{}")
    (tmp_path / "init").mkdir()
    script = f"""{SETUP}
seed=1 all_args="" all_options=() cuda_cmd=trains nproc=1 num_nodes=1 force=false init=init
trains() {{ local name=${{3#*train_}}; mkdir -p "exp/${{name%.log}}/model"; echo "trained"; }}
stage_3() {{ training ctap pretrain a.yaml -- --layers "${{layers:-1}}"; step other false; }}
stage_6() {{ training asr asr a.yaml --init in:"${{init}}"; }}
stage_4() {{ :; }}; stage_5() {{ rm exp/gone 2>/dev/null || :; }}
asked() {{ if all_trained; then echo yes; else echo no; fi; }}
asked
training ctap pretrain a.yaml -- --layers 1
asked
training asr asr a.yaml --init in:init
asked
layers=2; asked; unset layers
seed=2; asked; seed=1
mkdir other; init=other; asked; init=init
rm -r exp/asr; asked
"""
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line for line in done.stdout.splitlines() if line in ("yes", "no", "trained")]
    assert found == ["no", "trained", "no", "trained", "yes", "no", "no", "no", "no"]
    assert (
        not list((tmp_path / "exp/.done").glob(".*.running")) and not (tmp_path / "exp/.done/other").exists()
    )


@pytest.mark.parametrize(
    ("command", "address", "place"),
    [
        ("trains", "head", "--rdzv_endpoint head:29500"),
        ("trains --srun", "head", "--rdzv_endpoint head:29500"),
        ("trains --srun", "", ""),  # run_slurm knows the job's nodes
        ("trains", "", None),
    ],
)
def test_where_several_nodes_meet(tmp_path: Path, command: str, address: str, place: str | None) -> None:
    (tmp_path / "a.yaml").write_text("{}")
    script = f"""{SETUP}
seed=1 all_args="" all_options=() cuda_cmd="{command}" nproc=1 num_nodes=2 force=false MASTER_ADDR={address}
trains() {{ mkdir -p exp/ctap/model; echo "told: $*"; }}
training ctap pretrain a.yaml -- --layers 1"""
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    if place is None:
        assert done.returncode and "with --num_nodes set MASTER_ADDR" in done.stderr
        return
    # srun starts it on so many nodes, whatever else the command says
    assert ("--srun --num-nodes 2 --gpu 0" in done.stdout) == ("--srun" in command)
    assert done.returncode == 0, done.stdout + done.stderr
    words = f"--max_restarts 0 --rdzv_backend c10d --rdzv_id ctap {place}".strip()
    assert f"{words} -m ctap.bin.train pretrain" in done.stdout


@pytest.mark.parametrize(("status", "left_out"), [(3, True), (1, False)])
def test_a_row_is_left_out_only_as_long_as_its_model_is_not_there(
    tmp_path: Path, status: int, left_out: bool
) -> None:
    script = f"""{SETUP}
mkdir -p exp/table1; systems="whisper logmel" table1_jobs=1 whisper_model=w python=checks
processors() {{ echo 1; }}; dump_upstream() {{ :; }}; given_system() {{ echo "made $1"; }}
checks() {{ echo "no such model"; return "${{answer}}"; }}
answer={status}; all_rows; ls exp/table1
answer=0; all_rows; ls exp/table1
"""
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    made = re.findall(r"^made (.*)|(whisper.left_out)", done.stdout, re.MULTILINE)
    names = [row or file for row, file in made]
    assert names == (["logmel", "whisper.left_out", "whisper", "logmel"] if left_out else [])
    assert done.returncode == (0 if left_out else 1), done.stderr


def test_transcripts_lie_in_exp_wherever_it_is(tmp_path: Path) -> None:
    """The mark of a step was once a path that led back to the speech itself, which was removed."""
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    script = f"""{SETUP}
expdir=../../../../exp transcriber=some:thing seed=1
mkdir -p ${{expdir}}/tts_A/test ${{expdir}}/eval/A && touch ${{expdir}}/{{tts_A/test,eval/A}}/wav.scp
in_jobs() {{ mkdir -p "$3" && touch "$3/text" && echo "log $4"; }}
generate() {{ each="" folder="" _as_step "$1" listens "${{@:2}}"; }}
listens() {{ echo "heard $*"; mkdir -p "${{folder}}" && touch "${{folder}}/text"; }}
data=${{expdir}}/eval/A
hear_words name=tts_A task=tts data="${{data}}" said="${{expdir}}/tts_A/test" -- recording="${{data}}"
"""
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path / "a/b/c/d", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    exp = tmp_path / "exp"
    assert (exp / "tts_A/test/wav.scp").exists()
    made = {str(path.relative_to(exp)) for path in exp.glob("[!.]*/**/*") if path.is_file()}
    parts = ("tts_A/test", "eval/A")
    assert made == {f"{part}/wav.scp" for part in parts} | {f"transcribed/{part}/text" for part in parts}
    assert (exp / ".done/transcription_tts_A/test").is_file()


def test_transcripts_of_earlier_speech_go_where_nobody_listens(tmp_path: Path) -> None:
    script = f"""{SETUP}
transcriber="" && mkdir -p exp/tts_A/test && touch -d 2001-01-01 exp/tts_A/test/wav.scp
touch exp/tts_A/scores_transcripts.{{json,tsv}}
hear_words name=tts_A task=tts data=data said=exp/tts_A/test
ls exp/tts_A
touch -d 2000-01-01 exp/tts_A/scores_transcripts.{{json,tsv}}
hear_words name=tts_A task=tts data=data said=exp/tts_A/test
hear_words name=tts_A task=tts data=data said=exp/tts_A/test
ls exp/tts_A
"""
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["scores_transcripts.json", "scores_transcripts.tsv", "test", "test"]


def test_what_is_left_of_former_divisions_is_in_the_way_of_nobody(tmp_path: Path) -> None:
    """Sets of dump go as those of data did; models stay, but are not among the results."""
    for name in ("dump/dev", "dump/labeled", "dump/target_A_speech", "dump/target_B_speech", "dump/mine"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "feats.scp").touch()
    for name in ("data/train", "data/target_B_speech", "exp/prompts"):
        (tmp_path / name).mkdir(parents=True)
    for name in "AB":
        (tmp_path / "exp/prompts" / name).touch()
    script = f"""{SETUP}
targets() {{ echo B; }}
drop_sets
declare -a skipped=(table1); former_voices skipped; echo "${{skipped[*]}}"
"""
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "dump").iterdir()} == {"labeled", "target_B_speech", "mine"}
    assert done.stdout.splitlines()[-1] == "table1 tts_A tts_A_decoder vc_A"
    assert "no targets any more: A" in done.stdout


@pytest.mark.parametrize("given", ["", "dump"])
def test_what_is_given_is_fine_tuned_as_it_is_whatever_the_configuration_does_to_voices(given: str) -> None:
    """conf/finetune_base.yaml changes voices, which is refused of another representation."""
    script = f"""{SETUP}
with_dev=() units=0 seed=1 asr_config=a finetune_config=conf/finetune_base.yaml labeled_config=l
table1_asr_options=() table1_finetune_options=(--last)
targets() {{ echo S1; }}; training() {{ echo "trains $*"; }}
for name in network chosen recognize rate convert_to score_vc say_as_given score_tts; do
    eval "${{name}}() {{ :; }}"
done
compare_system row model "{given}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tuned = re.findall(r"^trains \S+ finetune .*", done.stdout, re.MULTILINE)
    assert len(tuned) == 2
    assert all(("--voice.warp 0 --voice.tilt 0 -- --last" in line) == bool(given) for line in tuned)


def test_the_limit_that_is_not_told_is_what_the_commands_have_by_themselves() -> None:
    assert " == 60 ]]" in LIMIT
    assert {signature(align).parameters["max_seconds"].default, Dump.max_seconds} == {60}


# What commands of steps use beside their words: where things lie, which marks of inputs and outputs say,
# and how work is done, on which the result does not depend.
PLACES = {"datadir", "dumpdir", "expdir"}
WAYS = {"python", "force", "nproc", "ngpu", "num_nodes", "cuda_cmd"}
TOLD = {
    "_training": {"seed", "all_options"},  # as opt: of `training`
    "_generate": {"each", "folder"},  # marks of its own
}


def functions() -> dict[str, str]:
    """The functions of all stages, by name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(STAGES.glob("*.sh")))
    text = re.sub(r"(^|\s)#.*", "", text)
    lines = dict(re.findall(r"^([\w-]+)\(\) \{ (.*) \}$", text, re.MULTILINE))
    return lines | dict(re.findall(r"^([\w-]+)\(\) \{\n(.*?)^\}$", text, re.MULTILINE | re.DOTALL))


def commands(known: dict[str, str]) -> set[str]:
    """Those that are commands of steps, and what these call."""
    bodies = "\n".join(known.values())
    found = set(re.findall(r'\bstep "?[^"\s]+"? (\w+)', bodies) + re.findall(r"_as_step \S+ (_\w+)", bodies))
    while more := {name for name in known.keys() - found for one in found if calls(known[one], name)}:
        found |= more
    return found


def calls(body: str, name: str) -> bool:
    call = rf"(^|[;&|({{]|\bthen|\bdo)\s*{re.escape(name)}([\s;)]|$)"
    return re.search(call, body, re.MULTILINE) is not None


def foreign(body: str) -> set[str]:
    """Lower-case variables that a function uses and has not made its own."""
    used = set(re.findall(r"\$\{?[#!]?([a-z_][a-z0-9_]*)", body))
    for arithmetic in re.findall(r"\(\((.*?)\)\)", body):
        used |= set(re.findall(r"\b[a-z_][a-z0-9_]*", arithmetic))
    for line in re.findall(r"\blocal (.*)", body):
        used -= {word.partition("=")[0] for word in line.split()}
    return used


def test_a_command_of_a_step_takes_nothing_but_its_words() -> None:
    known = functions()
    found = commands(known)
    of_kinds = {"_module", "_network", "_generate", "_training", "_dump_set"}
    assert of_kinds | {"corpus_tables", "align_set"} <= found
    for name in sorted(found):
        unseen = foreign(known[name]) - PLACES - WAYS - TOLD.get(name, set())
        assert not unseen, f"{name}: {', '.join(sorted(unseen))}: not among the words of its steps"


def test_what_would_not_be_seen_is_found() -> None:
    body = 'local set=$1 -a more\n((max_seconds > 5)) || run "${set}" "${more[@]}" "${melody}" "$seed"\n'
    assert foreign(body) == {"max_seconds", "melody", "seed"}
    assert calls('jobs=$(count "$1")', "count") and calls("if x; then count; fi", "count")
    assert not calls("log --count 1", "count")


# Paths that are told without a mark: of what is marked otherwise (recordings:, a table beside it), and of
# what is made beside an output.
UNMARKED = {
    *(("--data_dir", data) for data in ("${data}", "${datadir}/train")),
    *(("--out_dir", made) for made in ("${datadir}", "${voices}")),
    ("--downloaddir", "${downloaddir}"),
    ("--skipped", "${all}/skipped.tsv"),
    ("--source_scp", "${data}/wav.scp"),
    ("--text", "${data}/text"),
    ("--textgrid_dir", "${expdir}/align/${set}/textgrids"),
}


def test_every_other_path_that_a_step_is_told_is_marked() -> None:
    known = functions()
    no_steps = {*commands(known), "_as_step", "starting_points", "stage_7"}
    told = {
        pair
        for name in known.keys() - no_steps
        for pair in re.findall(r'(--[a-z_]+) "(\$[^"]*)', known[name])
        if re.search(r"/|dir\}|prompt_of|\{(data|test|whole|model|voices)\}", pair[1])
    }
    assert {pair for pair in told if pair[0] not in ("--name", "--no_text")} == UNMARKED


def test_every_option_is_used() -> None:
    script = (STAGES.parent / "ctap.sh").read_text(encoding="utf-8")
    head, _, rest = script.partition(". ./path.sh")
    options = re.findall(r"^([a-z][a-z0-9_]*)=", head, re.MULTILINE)
    assert len(options) > 80
    rest += "".join(functions().values()) + (ROOT / "utils/jobs.sh").read_text(encoding="utf-8")
    rest = re.sub(r"(^|\s)#.*|\blocal ", "", rest)  # in which nothing is a function's own
    used = foreign(rest)
    used |= {f"{name.removesuffix('_options')}_args" for name in used if name.endswith("_options")}
    used.add("force")  # by run_step
    assert set(options) - used == set()
