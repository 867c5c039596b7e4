"""What the steps of stages 3 to 8 are told to read: which set, which model, which speech. Nothing is run."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from test.recipes.test_stage_options import ROOT, SETUP

RUN = f"""{SETUP}
module() {{ _as_step "$1" _module "${{@:2}}"; }}
_as_step() {{ printf '%s\\t' "step" "$@"; echo; }}
all_trained() {{ :; }}
targets() {{ echo A; }}
pretrained="" trained=exp tag=ctap ctap_model=exp/ctap/model all_args="" voices=exp/eval/voices
transcriber=kind:model
pretrain_on=train eval_utts=9 vc_utts=8 max_refs=7 units=0 switch_penalty=4 duration_model=diffusion seed=6
melody=source with_dev=(--dev_dir in:dump/dev) speaks=(--vocoder v)
for name in train duration judge asr finetune labeled duration_adapt acoustic semantic table1 table1_asr \\
    table1_finetune; do
    declare -a "${{name}}_options=(--more ${{name}})"; declare "${{name}}_config=${{name}}.yaml"
done
ours_config=ours.yaml hubert_model=h codec_model=c hubert_layer=2 hubert_clusters=5 codec_bandwidth=3
limit=() shards=()
"""
STAGES = "stage_3; stage_4; stage_5; stage_6; stage_8"
TABLE = """anchors; ctap_system ctap_ours; one_row logmel; one_row hubert; one_row codec; ground_truth exp
"""
VOC = f"""datadir=data dumpdir=dump ctap=../ctap1 corpus="" mels_of=m init=i train_config=voc.yaml tag=voc
. <(sed -n '/^stage_1()/,/^begin_run/p' {ROOT}/egs/TEMPLATE/voc1/voc.sh | head -n -1)
stage_2; stage_3; stage_4; stage_5
"""
PATH = re.compile(r"^(?:[^:/=]+=)?(?:in|out|table|into|read|made):")


class Steps(dict[str, list[str]]):
    """Words of each step by its name."""

    def options(self, step: str) -> dict[str, str]:
        """The (last) word behind each option of a step, of paths the path alone."""
        pairs = itertools.pairwise(self[step])
        return {one: PATH.sub("", other) for one, other in pairs if one.startswith("--")}

    def heard(self, place: str) -> str:
        """The sounds that were recognised to ``place``."""
        (own,) = (step for step in self if f"into:{place}/phones" in self[step])
        return sounds(self.options(own)["--scp"])

    def rated(self, step: str) -> dict[str, str]:
        """Which sounds each figure of an error rate is of, by its label."""
        beside = (word.split("=in:", 1) for word in self[step] if "=in:" in word)
        places = {"": self.options(step)["--hyp_dir"], **dict(beside)}
        return {label: self.heard(place) for label, place in places.items()}


def sounds(path: str) -> str:
    return path.removeprefix("exp/").removesuffix("/wav.scp")


def told(folder: Path, what: str, more: Mapping[str, str] | None = None) -> Steps:
    """The steps of what is run in ``folder``, where ``more`` files are."""
    for name in ("exp/ctap/model", "exp/tts_A/model", "exp/vc_A/model", "exp/asr/model", "h", "model"):
        (folder / name).mkdir(parents=True)
    rows = {
        "exp/prompts/A": "a.wav",
        "exp/table1/hubert/dump/test/feats.scp": "b1 x",
        "exp/table1/codec/dump/test/feats.scp": "b1 x",
        "dump/train/spk2utt": "B b1",
        "exp/packed/x.zip": "",
        "exp/eval/target_A/pinyin": "A1 a1",
        "exp/eval/target_A/text": "A1 a",
        "dump/test/feats.scp": "b1 x",
        "dump/dev/wav.scp": "b1 x",
        "dump/train/wav.scp": "b1 x",
        "exp/eval/test/wav.scp": "b1 x",
        "exp/eval/vc_sources/wav.scp": "b1 x",
    }
    rows |= more or {}
    for name, text in rows.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")
    done = subprocess.run(["bash", "-c", RUN + what], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = Steps()
    for line in done.stdout.splitlines():
        if line.startswith("step\t"):
            _, name, *words = line.rstrip("\t").split("\t")
            assert found.setdefault(name, words) == words  # the same wherever it is asked for
    return found


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    return told(tmp_path_factory.mktemp("recipe"), STAGES)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    return told(tmp_path_factory.mktemp("recipe"), TABLE)


@pytest.fixture(scope="module")
def vocoders(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    return told(tmp_path_factory.mktemp("recipe"), VOC)


READ = {
    # what is trained on which set, from which model
    "train_ctap": "--train_dir dump/train --dev_dir dump/dev --more train",
    "train_duration": "--train_dir dump/train --dev_dir dump/dev --init exp/ctap/model --more duration",
    "train_judge": "--train_dir dump/labeled --dev_dir dump/dev --more judge",
    "train_asr": "--train_dir dump/labeled --dev_dir dump/dev --init exp/ctap/model --more asr",
    "train_vc_A": "--reads speech --train_dir dump/target_A_speech --init exp/ctap/model --more finetune",
    "train_tts_A_decoder": "--reads phonemes --train_dir dump/target_A_labeled --init exp/vc_A/model",
    "train_tts_A": "--train_dir dump/target_A_labeled --init exp/tts_A_decoder/model"
    " --duration_init exp/duration/model --more duration_adapt",
    "labeled": "--inputs dump/train --out_dir dump/labeled/feats.scp",
    # what is heard and scored is held out
    "choose_test": "--data_dir dump/test --utts 9 --seed 6",
    "choose_target_A": "--data_dir dump/target_A_test --utts 9 --seed 6",
    "choose_vc_sources": "--data_dir dump/test --utts 8 --seed 6",
    # what is said, by whom, in which way
    "synthesis_A": "--model exp/tts_A/model --text_file exp/eval/target_A/pinyin --prompt a.wav"
    " --durations diffusion --seed 6 --vocoder v",
    "test_given_tts_A": "--model exp/tts_A/model --phones_file exp/eval/target_A/aligned_phones"
    " --durations_file exp/eval/target_A/durations --prompt a.wav --vocoder v",
    "test_from_phonemes_vc_A": "--model exp/vc_A/model --phones_file exp/eval/vc_sources/aligned_phones"
    " --durations_file exp/eval/vc_sources/durations --prompt a.wav",
    "conversion_vc_A/own": "--model exp/vc_A/model --scp exp/eval/target_A/wav.scp --prompt a.wav",
    "conversion_vc_A/test": "--model exp/vc_A/model --scp exp/eval/vc_sources/wav.scp --prompt a.wav"
    " --melody source --vocoder v",
    "recognition_asr": "--model exp/asr/model --switch_penalty 4",
    "recognition_tts_A": "--model exp/judge/model --switch_penalty 4",
    # what it is scored against
    "score_ctap": "--model exp/ctap/model --data_dir exp/eval/test --seed 6",
    "score_tts_A": "--hypothesis exp/tts_A/test/wav.scp --msep_hypothesis exp/tts_A/test_given/wav.scp"
    " --reference exp/eval/target_A/wav.scp --vocoded exp/eval/target_A_vocoded/wav.scp"
    " --target_speaker A --speakers exp/eval/voices --seed 6",
    "score_vc_A": "--hypothesis exp/vc_A/test/wav.scp --msep_hypothesis exp/vc_A/test/wav.scp"
    " --reference exp/eval/vc_sources/wav.scp --source_scp exp/eval/vc_sources/wav.scp"
    " --from_phonemes exp/vc_A/test_from_phonemes/wav.scp --target_speaker A --speakers exp/eval/voices",
    "rate_judge": "--ref_dir exp/eval/test --frames true --seed 6",
    "rate_asr": "--ref_dir exp/eval/test --frames true",
    "rate_tts_A": "--ref_dir exp/eval/target_A --frames false",
    "rate_vc_A": "--ref_dir exp/eval/vc_sources --frames false",
    "words_tts_A": "--ref_dir exp/eval/target_A --hyp_dir exp/transcribed/tts_A/test --asr kind:model",
    "prompt_A": "--data_dir data/target_A_speech --settings dump/audio.json --out exp/prompts/A",
    "transcription_tts_A/test": "--asr kind:model --language_of exp/eval/target_A",
    "voices": "--max_refs 7",
    "pack_tts_A": "--model exp/tts_A/model --prompt a.wav --out exp/packed/tts_A.zip",
    "pack_vc_A": "--model exp/vc_A/model --prompt a.wav --out exp/packed/vc_A.zip",
    "pack_asr": "--model exp/asr/model --out exp/packed/asr.zip",
}
READ_BY_VOCODERS = {
    "predicted_train": "--model m --data_dir dump/train",
    "predicted_dev": "--model m --data_dir dump/dev",
    "train_voc": "--train_dir dump/train --dev_dir dump/dev --init i --given exp/predicted --more train",
    "choose_test": "--data_dir dump/test --utts 9 --seed 6",
    "vocoded_voc": "--vocoder exp/voc/model --scp exp/eval/test/wav.scp",
    "vocoded_griffin_lim": "--vocoder griffin_lim --scp exp/eval/test/wav.scp",
    "score_voc": "--hypothesis exp/voc/test/wav.scp --reference exp/eval/test/wav.scp"
    " --msep_hypothesis exp/voc/test/wav.scp --task vocoder --seed 6",
    "pack_voc": "--model exp/voc/model --out exp/packed/voc.zip",
}
OWN, HUBERT = "table1/ctap_ours", "exp/table1/hubert"
READ_BY_ROWS = {
    f"train_{OWN}/ctap": "--train_dir dump/train --dev_dir dump/dev --more table1",
    f"train_{OWN}/asr": f"--train_dir dump/labeled --init exp/{OWN}/ctap/model --more table1_asr",
    f"train_{OWN}/vc_A": f"--train_dir dump/target_A_speech --init exp/{OWN}/ctap/model --reads speech",
    f"train_{OWN}/tts_A": f"--train_dir dump/target_A_labeled --init exp/{OWN}/vc_A/model --reads phonemes",
    "train_table1/logmel/semantic": "--given dump --init exp/table1/logmel/acoustic/model",
    "score_table1/logmel/representation": "--given dump/test --data_dir exp/eval/test",
    "train_table1/hubert/asr": f"--given {HUBERT}/dump --init {HUBERT}/semantic/model",
    "table1/hubert/kmeans": "--model h --layer 2 --clusters 5 --data_dir data/train --seed 6",
    "table1/hubert/dump_train": f"--kind hubert --model h --kmeans {HUBERT}/kmeans.npz",
    "table1/codec/dump_train": "--kind codec --model c --bandwidth 3",
    "table1/codec/labeled": "--inputs exp/table1/codec/dump/train",
    "conversion_table1/ground_truth/tts_A/test": "--model exp/tts_A/model --scp exp/eval/target_A/wav.scp",
    # the same durations for all, those that the recipe's model has drawn
    f"test_{OWN}/tts_A": "--phones_file exp/tts_A/test/aligned_phones"
    " --durations_file exp/tts_A/test/durations",
    f"test_given_{OWN}/tts_A": "--durations_file exp/eval/target_A/durations",
}


ALL = {"stages": READ, "table": READ_BY_ROWS, "vocoders": READ_BY_VOCODERS}


@pytest.mark.parametrize(("made", "step"), [(made, step) for made in ALL for step in ALL[made]])
def test_each_step_reads_what_it_is_to_read(request: pytest.FixtureRequest, made: str, step: str) -> None:
    steps: Steps = request.getfixturevalue(made)
    words = ALL[made][step].split()
    wanted = dict(zip(words[::2], words[1::2], strict=True))
    assert {name: steps.options(step).get(name) for name in wanted} == wanted


def test_a_vocoder_is_trained_again_on_other_mels(vocoders: Steps) -> None:
    assert "read:exp/predicted" in vocoders["train_voc"]


def test_a_voice_is_compared_with_recordings_of_all(stages: Steps) -> None:
    for word in ("in:{}/spk2utt", "{}/wav.scp", "recordings:{}"):
        assert {word.format(f"data/{name}") for name in ("train", "target_A_speech")} <= {*stages["voices"]}


RATED = {
    "judge": {"": "eval/test", "vocoded": "eval/test_vocoded"},
    "asr": {"": "eval/test", "vocoded": "eval/test_vocoded"},
    "tts_A": {
        "": "tts_A/test",
        "recording": "eval/target_A",
        "vocoded": "eval/target_A_vocoded",
        "from S": "vc_A/own",
        "durations given": "tts_A/test_given",
    },
    "vc_A": {"": "vc_A/test", "source": "eval/vc_sources"},
}


def test_error_rates_are_of_the_speech_that_their_labels_say(stages: Steps, table: Steps) -> None:
    assert {name: stages.rated(f"rate_{name}") for name in RATED} == RATED
    for kind, suffix in (("recording", ""), ("vocoded", "_vocoded")):
        said = {task: table.rated(f"rate_table1/{kind}/{task}_A")[""] for task in ("tts", "vc")}
        assert said == {"tts": f"eval/target_A{suffix}", "vc": f"eval/vc_sources{suffix}"}
    rows = table.rated(f"rate_{OWN}/tts_A")
    assert (rows[""], rows["durations given"]) == (f"{OWN}/tts_A/test", f"{OWN}/tts_A/test_given")


def test_what_a_row_is_given_is_among_what_its_steps_read(table: Steps) -> None:
    dump = f"{HUBERT}/dump"
    for step, part in {"asr": "labeled", "vc_A": "target_A_speech", "tts_A": "target_A_labeled"}.items():
        assert f"read:{dump}/{part}" in table[f"train_table1/hubert/{step}"]
    for step in ("conversion_table1/hubert/vc_A/test", "recognition_table1/hubert/asr"):
        assert f"read:{dump}/test" in table[step]
    assert "in:h" in table["table1/hubert/kmeans"] and "in:h" in table["table1/hubert/dump_train"]
    assert f"made:{dump}/stats.json" in table["table1/hubert/dump_train"]


def test_a_model_of_a_transcriber_is_read(stages: Steps) -> None:
    assert "read:model" in stages["transcription_tts_A/test"]


def test_labeled_minutes_are_pretrained_on_if_asked_for_and_once(tmp_path: Path) -> None:
    asked = "pretrain_on=labeled; stage_3; ctap_system ctap_ours; one_row logmel"
    steps = told(tmp_path / "a", asked)
    for name in ("ctap", f"{OWN}/ctap", "table1/logmel/acoustic", "table1/logmel/semantic"):
        assert steps.options(f"train_{name}")["--train_dir"] == "dump/labeled"
    assert "in:dump/target_A_labeled" in steps["labeled"]
    steps = told(tmp_path / "b", asked, {"dump/train/spk2utt": "A a1"})  # a target speaker that is in train
    assert "in:dump/target_A_labeled" not in steps["labeled"]


@pytest.mark.parametrize(("listed", "stays"), [("", False), ("A a1", True)])
def test_voices_are_embedded_again_where_the_encoder_was_missing(
    tmp_path: Path, listed: str, stays: bool
) -> None:
    table = tmp_path / "exp/eval/voices/spk2utt"
    table.parent.mkdir(parents=True)
    table.write_text(listed)
    told(tmp_path, "embed_voices")
    assert table.exists() == stays


def test_the_table_shows_of_each_row_what_is_its_own(tmp_path: Path) -> None:
    asked = """systems="logmel ctap_paper" paper_config=paper.yaml
stage_4() { :; }; stage_5() { :; }; stage_6() { :; }
made_before() { [[ $1 == ctap_paper ]]; }; anchors() { :; }; all_rows() { :; }; ground_truth() { :; }
step_words() { printf 'step\\ttable'; printf '\\t%s' "$@"; echo; }
python=step_words; stage_7
"""
    scores = {"exp/tts_A/scores_recognition.json": "{}", "exp/vc_A/scores.json": "{}"}
    words = told(tmp_path, asked, scores)["table"]
    parts = words[words.index("--parts") + 1 :]
    voices = {f"{row}={task}_A" for row in ("ctap_paper", "logmel", "ground_truth") for task in ("tts", "vc")}
    own = {"ctap_paper=ctap", "ctap_paper=asr"}
    own |= {f"logmel={name}" for name in ("ctap", "acoustic", "semantic", "representation", "asr")}
    assert voices | own <= set(parts)
    assert {"ctap_paper=exp", "logmel=exp/table1/logmel", "ground_truth=exp/table1/ground_truth"} <= set(
        words
    )


def test_the_vocoders_recipe_says_where_the_corpus_is_from_anywhere(tmp_path: Path) -> None:
    script = tmp_path / "ctap1" / "run.sh"
    script.parent.mkdir()
    script.write_text("printf 'step\\trun'; printf '\\t%s' \"$@\"; echo\n")
    script.chmod(0o755)
    asked = VOC.partition("\nstage_2")[0] + "\ndumpdir=none ctap=./ctap1 corpus=mine; stage_1"
    assert told(tmp_path, asked)["run"][-2:] == ["--corpus", str(tmp_path / "mine")]
