#!/usr/bin/env bash
# The CTAP recipe: from a corpus to a pretrained model, TTS voices, converted speech, recognised phones, scores.
#
#   ./run.sh --stage 0 --stop_stage 6
#
# -1  download the corpus (only with --download true)
#  0  data preparation                        -> data/{train,dev,test,target_<speaker>_...}
#  1  durations of phones                     -> data/<set>/{aligned_phones,durations}
#  2  log-mel features                        -> dump/<set>
#  3  CTAP pretraining                        -> exp/<tag>
#  4  minimally-supervised TTS                -> exp/tts_<speaker>
#  5  voice conversion                        -> exp/vc_<speaker>
#  6  ASR                                     -> exp/asr
#  7  the paper's Table 1: compared systems   -> exp/table1, exp/TABLE1.md, exp/TABLE1.html
#  8  packing                                 -> exp/packed
#
# A finished step is skipped; one whose input or options have changed says what changed and runs again. A killed
# run is started again with the same command and ends with what an undisturbed run gives.

set -euo pipefail
unset CDPATH # of the user's shell: cd would go elsewhere, and say so on stdout
cd -- "$(dirname "$0")"
here=$(pwd)

# General
stage=0                   # first stage
stop_stage=6              # last stage
skip_stages=""            # stages to leave out, such as "4 5"
force=false               # repeat finished steps
nj=0                      # parallel jobs of data stages; 0: one a processor
decode_nj=0               # jobs that use networks (synthesis, recognition ...); 0: one a GPU, without GPUs as many as nj
ngpu=0                    # GPUs of one node, of trainings and of networks in use; 0: processors
num_nodes=1               # nodes that train together, under torchrun or Slurm
seed=777                  # of splits, weights, batches and noise
datadir=data              # Kaldi data directories
dumpdir=dump              # features
expdir=exp                # models, logs, results
tag=""                    # name of the pretraining; default: the name of its configuration

# Corpus
corpus=""                 # directory of the corpus
download=false            # stage -1: fetch the corpus
checksum=""               # SHA-256 or MD5 of its archive, if you know it
downloaddir=downloads     # where to
target_speakers=auto      # kept out of pretraining: names, none, or auto
num_targets=4             # how many auto takes at most
labeled_minutes=15        # of each target speaker, with text
dev_utts=auto             # utterances of dev
test_share=0.1            # of a target speaker, held out where the corpus has no test part
targets_in_train=auto     # pretrain on target speakers too; auto: only if there are one or two speakers
min_seconds=0.1           # shorter utterances are left out, and named
max_seconds=60            # longer ones, too
sandhi=false              # tone sandhi where hanzi are read: in a corpus without pinyin, and in synthesis
spell_latin=false         # Latin letters by their names (KTV, T恤), there as in synthesis; false: left out, and named

# Durations
aligner=gmm               # built-in aligner
aligner_model=""          # a trained aligner instead of training one
aligner_args=""           # more options of ctap.bin.train_aligner
drop_outliers=none        # doubtful: leave out utterances whose text does not seem to match; all: with an odd phone, too
textgrids=false           # write TextGrids for Praat, too: exp/align/<set>/textgrids
align_pictures=4          # alignments of train that are drawn, the least sure ones among them; 0: none
durations=""              # directory of TextGrids or durations files <set>/..., instead of aligning

# Models
train_config=conf/ctap.yaml              # CTAP pretraining
train_args=""                            # more of its options, quoted as in a shell: "--trainer.max_steps 1000"
finetune_config=conf/finetune.yaml       # decoder and prompt encoder, on speech alone
labeled_config=conf/finetune_labeled.yaml # the same, on the labeled minutes
duration_config=conf/duration.yaml       # duration models, on all labeled speech
duration_adapt_config=conf/duration_adapt.yaml # the same, on the labeled minutes
duration_model=diffusion  # durations of synthesised speech: diffusion or deterministic
asr_config=conf/asr.yaml                 # phoneme decoder
asr_args=""                              # more of its options
units=2000                               # sentencepiece units of the CTC head, at most; 0: no head

# Scores
judge_config=conf/judge.yaml # recogniser on log-mel of recordings, for error rates of what stages 4, 5 and 7 say
judge_args=""             # more of its options
eval_utts=100             # utterances of each target speaker, and of test, that are synthesised and scored
vc_utts=20                # test utterances of other speakers that are converted to each target speaker
max_refs=10               # recordings a speaker that the speaker encoder hears
device=auto               # of networks in use: cpu, cuda (a GPU a job), or auto: cuda with --ngpu, else cpu
transcriber=""            # an outside recogniser for error rates of characters, such as "transformers:openai/whisper-small";
                          # also faster_whisper: and funasr: (some of its models run code of their own: docs/table1.md)

# Table 1 (stage 7)
systems="codec wav2vec2 hubert whisper ctap_no_decoder ctap_mse_embed ctap_phoneme_decoder ctap_paper ctap_ours logmel" # its rows
table1_jobs=1                              # rows made at a time
paper_config=conf/ctap.yaml                # the paper's CTAP
ours_config=conf/ablations/ctap_ours.yaml  # ours
no_decoder_config=conf/ablations/ctap_no_decoder.yaml # CTAP w/o decoder
mse_embed_config=conf/ablations/ctap_mse_embed.yaml # CTAP + L_mse(embed)
phoneme_decoder_config=conf/ablations/ctap_phoneme_decoder.yaml # CTAP + decoder_phoneme
acoustic_config=conf/acoustic.yaml         # acoustic model of systems without a decoder of their own
semantic_config=conf/semantic.yaml         # semantic prediction model of systems without a phoneme encoder
table1_args=""                             # more options of their pretraining, such as "--trainer.max_steps 1000"
table1_asr_args=""                         # of their phoneme models
table1_finetune_args=""                    # and of their fine-tuning
codec_model=facebook/encodec_24khz         # of the compared systems: a directory, or a name on the hub
codec_bandwidth=6                          # kbit/s of its codes
wav2vec2_model=TencentGameMate/chinese-wav2vec2-base # the same
hubert_model=TencentGameMate/chinese-hubert-base # the same
whisper_model=openai/whisper-small         # the same
hubert_layer=9                             # of HuBERT, whose frames are taken
hubert_clusters=500                        # k-means of these frames

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. ./path.sh
# shellcheck source=egs/TEMPLATE/ctap1/cmd.sh
. ./cmd.sh
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/log.sh
. log.sh
# shellcheck source=utils/run_step.sh
. run_step.sh
# shellcheck source=utils/words.sh
. words.sh
# shellcheck source=utils/jobs.sh
. jobs.sh

if (($#)); then
    log "error: unexpected argument '$1' (see --help)" >&2
    exit 2
fi
if [[ ${device} != auto && ${device} != cpu && ${device} != cuda ]]; then
    log "error: --device ${device}: expected cpu, cuda or auto; CUDA_VISIBLE_DEVICES says which GPUs" >&2
    exit 2
fi
((nj > 0)) || nj=$(nproc)
[[ -n ${tag} ]] || tag=$(basename "${train_config}" .yaml)
ctap_exp=${expdir}/${tag}
marks=${expdir}/.done
voices=${expdir}/eval/voices
declare -a train_options asr_options aligner_options judge_options table1_options table1_asr_options table1_finetune_options
split_words train_args "${train_args}" train_options
split_words asr_args "${asr_args}" asr_options
split_words judge_args "${judge_args}" judge_options
split_words aligner_args "${aligner_args}" aligner_options
split_words table1_args "${table1_args}" table1_options
split_words table1_asr_args "${table1_asr_args}" table1_asr_options
split_words table1_finetune_args "${table1_finetune_args}" table1_finetune_options
combine_options=()
[[ ${drop_outliers} == none ]] || combine_options=(--drop_outliers "${drop_outliers}")
python=${python:-python3}
if ! "${python}" -c 'import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))' \
    torch lightning soundfile kaldiio jsonargparse; then
    log "error: ${python} has not all that recipes need; run 'make env' in ${CTAP_ROOT}, or see its tools/README.md" >&2
    exit 1
fi

# --- helpers ---------------------------------------------------------------------------------------------

# unwritable FILE: ends the step; the shell's own message does not name the file if its disk is full.
unwritable() { die "$1: can't be written (is the disk full?)"; }

# generate LIST NAME OUT MODULE [OPTION]...: runs a command with a network over the utterances of a list, in several
# jobs, and joins the tables that they write in OUT.
generate() {
    local jobs logs=${expdir}/log/$2 out=$3 module=$4 table
    jobs=$(jobs_for "$1" "$(network_jobs)")
    shift 4
    rm -rf "${out}"
    networks "${jobs}" "${logs}" "${module}" --out "${out}" "$@"
    ((jobs > 1)) || return 0
    for table in "${out}"/*.1; do
        table=${table%.1}
        LC_ALL=C sort "${table}".[0-9]* >"${table}.joined" || unwritable "${table}.joined"
        rm "${table}".[0-9]*
        mv "${table}.joined" "${table}"
    done
}

# train NAME TASK CONFIG [OPTION]...: trains in exp/NAME on the devices asked for.
train() {
    local name=$1 task=$2 config=$3
    shift 3
    local -a start=("${python}" -m)
    local -a devices=(--trainer.accelerator cpu --trainer.devices 1)
    if ((ngpu > 0)); then
        devices=(--trainer.accelerator gpu --trainer.devices "${ngpu}" --trainer.num_nodes "${num_nodes}")
    fi
    if ((ngpu > 1 || num_nodes > 1)); then
        start=(torchrun --nnodes "${num_nodes}" --nproc_per_node "${ngpu}" --max_restarts 0)
        if ((num_nodes > 1)); then
            : "${MASTER_ADDR:?with --num_nodes set MASTER_ADDR, and start the training on the other nodes: egs/README.md}"
            start+=(--rdzv_backend c10d --rdzv_id "${name}" --rdzv_endpoint "${MASTER_ADDR}:${MASTER_PORT:-29500}")
        fi
        start+=(-m)
    fi
    # shellcheck disable=SC2086 # the launcher and its options are words
    ${cuda_cmd} --gpu "${ngpu}" "${expdir}/log/train_${name}.log" \
        "${start[@]}" ctap.bin.train "${task}" --config "${config}" --trainer.seed "${seed}" "${devices[@]}" \
        --out "${expdir}/${name}" --restart "${force}" "$@"
}

# training NAME TASK CONFIG INPUT... -- OPTION...: one training as a step, done when exp/NAME/model is there.
training() {
    local name=$1 task=$2 config=$3
    shift 3
    local -a inputs=()
    while [[ $1 != -- ]]; do
        inputs+=(--in "$1")
        shift
    done
    shift
    log "training ${name}: log ${expdir}/log/train_${name}.log, curves: tensorboard --logdir ${expdir}/${name}"
    run_step --mark "${marks}/train_${name}" --name "stage ${current}, training ${name}" --in "${config}" \
        "${inputs[@]}" --opt "seed=${seed}" --opt "options=$(quoted "$@")" --out "${expdir}/${name}/model" \
        -- train "${name}" "${task}" "${config}" "$@"
}

# module NAME MODULE [--in ...] -- OPTION...: one Python command as a step, run here.
module() { one_command run_here "$@"; }

# network NAME MODULE [--in ...] -- OPTION...: one that computes a network, run where these do.
network() { one_command one_network "$@"; }

run_here() { "${python}" -m "${@:2}"; }

one_command() {
    local how=$1 name=$2 module=$3
    shift 3
    local -a about=()
    while [[ $1 != -- ]]; do
        about+=("$1")
        shift
    done
    shift
    run_step --mark "${marks}/${name}" --name "stage ${current}, ${name}" --opt "options=$(quoted "$@")" "${about[@]}" \
        -- "${how}" "${expdir}/log/${name}.log" "${module}" "$@"
}

targets() { cat "${datadir}/target_speakers"; }

# Sets that are there, of all or only those with text.
all_sets() {
    local set
    for set in train dev test; do
        [[ ! -s ${datadir}/${set}/wav.scp ]] || echo "${set}"
    done
    for set in $(targets); do
        printf 'target_%s_%s\n' "${set}" speech "${set}" labeled "${set}" test
    done
}
labeled_sets() { all_sets | grep -v '^target_.*_speech$'; }

# --- stages ----------------------------------------------------------------------------------------------

stage_download() {
    if [[ ${download} != true ]]; then
        log "stage -1: nothing asked for (--download true fetches the corpus)"
        return
    fi
    local/download.sh "${downloaddir}" ${checksum:+--checksum "${checksum}"}
}

# A digest of the names, sizes and times of the corpus's files, so that a changed corpus is noticed.
corpus_files() {
    [[ ! -d ${corpus} ]] || find -L "${corpus}" -type f -printf '%P %s %T@\n' | LC_ALL=C sort | sha256sum | cut -c 1-16
}

# A digest of the sizes and times (of content and of state) of the recordings that a wav.scp names, wherever they lie.
recordings_of() {
    cut -d ' ' -f 2- "$1" | tr '\n' '\0' | xargs -0 stat -L -c '%s %.Y %.Z' -- 2>/dev/null | sha256sum | cut -c 1-16
}

stage_0() {
    [[ -n ${corpus} || ${download} != true ]] || corpus=${downloaddir}
    local all=${datadir}/local
    run_step --mark "${marks}/data_tables" --name "stage 0, tables of the corpus" --in "${here}/local" \
        --opt "corpus=${corpus}" --opt "files=$(corpus_files)" --out "${all}/corpus/wav.scp" \
        -- local/data.sh --corpus "${corpus}" --downloaddir "${downloaddir}" "${all}/corpus"
    # If recordings may have changed, they are looked at; what is done again is what their content (utt2audio) decides.
    module data_text ctap.bin.prepare_text --in "${all}/corpus" --out "${all}/all/wav.scp" \
        --opt "recordings=$(recordings_of "${all}/corpus/wav.scp")" -- \
        --in_dir "${all}/corpus" --out_dir "${all}/all" --skipped "${all}/skipped.tsv" \
        --min_seconds "${min_seconds}" --max_seconds "${max_seconds}" --sandhi "${sandhi}" \
        --spell_latin "${spell_latin}"
    module data_sets ctap.bin.split_targets --in "${all}/all" --out "${datadir}/train/wav.scp" -- \
        --data_dir "${all}/all" --out_dir "${datadir}" --target_speakers "${target_speakers}" \
        --num_targets "${num_targets}" --labeled_minutes "${labeled_minutes}" --dev_utts "${dev_utts}" \
        --test_share "${test_share}" --targets_in_train "${targets_in_train}" --seed "${seed}"
    local set
    for set in $(all_sets); do
        if [[ ${set} == target_*_speech ]]; then
            validate_data_dir --no_text "${datadir}/${set}"
        else
            validate_data_dir "${datadir}/${set}"
        fi
    done
}

# recordings ARRAY SET...: run_step's options of what is computed from the recordings of sets. A set that was made
# elsewhere may have no utt2audio.
recordings() {
    local -n _options=$1
    local set table
    for set in "${@:2}"; do
        for table in wav.scp utt2audio; do
            [[ ${table} != utt2audio || -e ${datadir}/${set}/${table} ]] || continue
            _options+=(--in "${datadir}/${set}/${table}")
        done
    done
}

align_set() {
    local set=$1 model=$2 out=${expdir}/align/$1 jobs grids=()
    [[ ${textgrids} != true ]] || grids=(--textgrid_dir "${out}/textgrids")
    jobs=$(jobs_for "${datadir}/${set}/wav.scp")
    rm -rf "${out}"
    parallel "${jobs}" "${expdir}/log/align_${set}" ctap.bin.align --data_dir "${datadir}/${set}" \
        --model "${model}" --out_dir "${out}" --max_seconds "${max_seconds}"
    "${python}" -m ctap.bin.align --combine --data_dir "${datadir}/${set}" --out_dir "${out}" \
        --num_jobs "${jobs}" "${combine_options[@]}" "${grids[@]}"
}

# What to look at first if scores are bad.
draw_alignments() {
    ((align_pictures > 0)) || return 0
    local -a inputs=(--in "${datadir}/train/durations")
    recordings inputs train
    module align_pictures ctap.bin.plot_alignments "${inputs[@]}" \
        --out "${expdir}/align/pictures" -- --data_dir "${datadir}/train" \
        --out_dir "${expdir}/align/pictures" --count "${align_pictures}"
}

stage_1() {
    local set model=${aligner_model:-${expdir}/aligner}
    local -a inputs=()
    if [[ -n ${durations} ]]; then
        for set in $(labeled_sets); do
            module "durations_${set}" ctap.bin.import_durations --in "${durations}/${set}" \
                --in "${datadir}/${set}/phones" --out "${datadir}/${set}/durations" -- \
                --data_dir "${datadir}/${set}" --durations "${durations}/${set}"
        done
        draw_alignments
        return
    fi
    if [[ -z ${aligner_model} ]]; then
        recordings inputs train
        module aligner ctap.bin.train_aligner "${inputs[@]}" --in "${datadir}/train/phones" \
            --out "${model}" -- --data_dir "${datadir}/train" --out "${model}" --aligner "${aligner}" \
            --seed "${seed}" "${aligner_options[@]}"
    fi
    for set in $(labeled_sets); do
        inputs=()
        recordings inputs "${set}"
        run_step --mark "${marks}/durations_${set}" --name "stage 1, durations of ${set}" --in "${model}" \
            "${inputs[@]}" --in "${datadir}/${set}/phones" --opt "options=${combine_options[*]}" \
            --opt "textgrids=${textgrids}" --out "${datadir}/${set}/durations" -- align_set "${set}" "${model}"
    done
    draw_alignments
}

dump_set() {
    local set=$1 out=${dumpdir}/.parts/$1 jobs
    shift
    jobs=$(jobs_for "${datadir}/${set}/wav.scp")
    rm -rf "${out}"
    parallel "${jobs}" "${expdir}/log/dump_${set}" ctap.bin.dump_features --data_dir "${datadir}/${set}" \
        --parts_dir "${out}" --max_seconds "${max_seconds}"
    "${python}" -m ctap.bin.combine_features --data_dir "${datadir}/${set}" --parts_dir "${out}" \
        --num_jobs "${jobs}" --out_dir "${dumpdir}/${set}" --remove_parts "$@"
}

stage_2() {
    local set
    local -a extra
    for set in $(all_sets); do
        extra=()
        [[ ${set} != train ]] || extra=(--stats_out "${dumpdir}/stats.json")
        run_step --mark "${marks}/dump_${set}" --name "stage 2, features of ${set}" --in "${datadir}/${set}" \
            --out "${dumpdir}/${set}/feats.scp" -- dump_set "${set}" "${extra[@]}"
    done
}

stage_3() {
    training "${tag}" pretrain "${train_config}" "${dumpdir}/train" "${dumpdir}/dev" "${dumpdir}/stats.json" -- \
        --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" "${train_options[@]}"
    choose_test test "${eval_utts}" "${expdir}/eval/test"
    network score_ctap ctap.bin.score_representation --in "${ctap_exp}/model" --in "${expdir}/eval/test" \
        --out "${ctap_exp}/scores.json" -- \
        --model "${ctap_exp}/model" --data_dir "${expdir}/eval/test" --out "${ctap_exp}" --name "${tag}" \
        --seed "${seed}" --config "${train_config}"
}

# The prompt of a target speaker: one recording of its speech.
prompt_of() { head -n 1 "${expdir}/prompts/$1"; }

# Fine-tuning on the target's speech alone: voice conversion, and the first step of TTS.
finetune_speech() {
    local spk=$1
    module "prompt_${spk}" ctap.bin.choose_prompt --in "${datadir}/target_${spk}_speech" \
        --out "${expdir}/prompts/${spk}" -- \
        --data_dir "${datadir}/target_${spk}_speech" --out "${expdir}/prompts/${spk}"
    training "vc_${spk}" finetune "${finetune_config}" "${dumpdir}/target_${spk}_speech" "${ctap_exp}/model" -- \
        --reads speech --train_dir "${dumpdir}/target_${spk}_speech" --init "${ctap_exp}/model"
}

# Recordings of all speakers as the speaker encoder hears them, to compare with.
embed_voices() {
    local spk set
    local -a sets=(train) inputs=() spk2utt=() scp=()
    for spk in $(targets); do sets+=("target_${spk}_speech"); done
    for set in "${sets[@]}"; do
        spk2utt+=("${datadir}/${set}/spk2utt")
        scp+=("${datadir}/${set}/wav.scp")
    done
    recordings inputs "${sets[@]}"
    network voices ctap.bin.embed_speakers "${inputs[@]}" --out "${voices}/spk2utt" -- \
        --spk2utt "${spk2utt[@]}" --wav_scp "${scp[@]}" --out_dir "${voices}" --max_refs "${max_refs}"
}

# A data directory of at most so many test utterances: choose_test SET N OUT
choose_test() {
    module "choose_${3##*/}" ctap.bin.subset_data_dir --in "${dumpdir}/$1" --out "$3/wav.scp" -- \
        --data_dir "${dumpdir}/$1" --out_dir "$3" --utts "$2" --seed "${seed}"
}

# All labeled speech -> dump/labeled: train and of target speakers the labeled minutes (unless train has them already).
merge_labeled() {
    local spk all=${dumpdir}/labeled
    local -a sets=("${dumpdir}/train") inputs=(--in "${dumpdir}/train")
    for spk in $(targets); do
        if ! has_key "${dumpdir}/train/spk2utt" "${spk}"; then
            sets+=("${dumpdir}/target_${spk}_labeled")
            inputs+=(--in "${dumpdir}/target_${spk}_labeled")
        fi
    done
    module labeled ctap.bin.merge_data_dirs "${inputs[@]}" --out "${all}/feats.scp" -- \
        --inputs "${sets[@]}" --out_dir "${all}"
}

# recognize SPEECH NAME MODEL: recognises a wav.scp (or what else MODEL reads) -> exp/recognized/NAME.
recognize() {
    local out=${expdir}/recognized/$2 model=$3
    run_step --mark "${marks}/recognition_$2" --name "stage ${current}, recognition of $2" --in "${model}" \
        --in "${1%/*}" --out "${out}/phones" -- generate "$1" "recognition_$2" "${out}" ctap.bin.recognize \
        --model "${model}" --scp "$1"
}

# judge SPEECH NAME: recognises a wav.scp by the judge -> exp/recognized/NAME.
judge() { recognize "$1" "$2" "${expdir}/judge/model"; }

# rate NAME TASK DATA HEARD OUT FRAMES CONFIG [AGAINST]...: scores what a recogniser of CONFIG heard against DATA's phones.
rate() {
    local name=$1 task=$2 data=$3 hyp=$4 out=$5 frames=$6 config=$7
    local -a against=()
    shift 7
    (($# == 0)) || against=(--against "$@")
    module "rate_${name}" ctap.bin.score_asr --in "${hyp}" --in "${data}" --out "${out}" -- \
        --ref_dir "${data}" --hyp_dir "${hyp}" --out "${out}" --name "${name}" --task "${task}" \
        --frames "${frames}" --seed "${seed}" --config "${config}" "${against[@]}"
}

# The judge, with nothing of CTAP in it: hears recordings and generated speech of all systems with the same ears.
train_judge() {
    local all=${dumpdir}/labeled test=${expdir}/eval/test
    merge_labeled
    training judge judge "${judge_config}" "${all}" "${dumpdir}/dev" -- --train_dir "${all}" \
        --dev_dir "${dumpdir}/dev" "${judge_options[@]}"
    choose_test test "${eval_utts}" "${test}"
    resynthesize test
    judge "${test}/wav.scp" test
    judge "${test}_vocoded/wav.scp" test_vocoded
    rate judge judge "${test}" "${expdir}/recognized/test" "${expdir}/judge/scores.json" true "${judge_config}" \
        "vocoded=${expdir}/recognized/test_vocoded"
}

# rate_tts EXPERIMENT SPEAKER SAID: what the judge hears in synthesised speech, beside the recordings.
rate_tts() {
    local name=$1 data=${expdir}/eval/target_$2 heard=${expdir}/recognized
    judge "$3/wav.scp" "${name}"
    judge "${data}/wav.scp" "target_$2"
    judge "${data}_vocoded/wav.scp" "target_$2_vocoded"
    rate "${name}" tts "${data}" "${heard}/${name}" "${expdir}/${name}/scores_recognition.json" false "${judge_config}" \
        "recording=${heard}/target_$2" "vocoded=${heard}/target_$2_vocoded"
    hear_words "${name}" tts "${data}" "$3" "recording=${data}" "vocoded=${data}_vocoded"
}

# hear_words EXPERIMENT TASK DATA SPEECH [LABEL=SPEECH]...: characters that the outside recogniser hears in SPEECH, a
# directory with a wav.scp, beside other versions of it. Nothing without --transcriber.
hear_words() {
    local name=$1 task=$2 data=$3 item
    local -a against=() inputs=()
    shift 3
    [[ -n ${transcriber} ]] || return 0
    for item in "said=$1" "${@:2}"; do
        local speech=${item#*=} out=${expdir}/transcribed/${item#*=}
        run_step --mark "${marks}/transcription_${speech}" --name "stage ${current}, transcription of ${speech}" \
            --in "${speech}" --opt "asr=${transcriber}" --out "${out}/text" \
            -- generate "${speech}/wav.scp" "transcription_${speech}" "${out}" ctap.bin.transcribe \
            --asr "${transcriber}" --scp "${speech}/wav.scp"
        inputs+=(--in "${out}")
        [[ ${item} == said=* ]] || against+=("${item%%=*}=${out}")
    done
    module "words_${name}" ctap.bin.score_transcripts "${inputs[@]}" --in "${data}" \
        --out "${expdir}/${name}/scores_transcripts.json" -- --ref_dir "${data}" \
        --hyp_dir "${expdir}/transcribed/$1" --out "${expdir}/${name}/scores_transcripts.json" --name "${name}" \
        --task "${task}" --asr "${transcriber}" --seed "${seed}" --config "${transcriber}" --against "${against[@]}"
}

# rate_vc EXPERIMENT SAID: the same of converted speech, beside its sources.
rate_vc() {
    local name=$1 data=${expdir}/eval/vc_sources heard=${expdir}/recognized
    judge "$2/wav.scp" "${name}"
    judge "${data}/wav.scp" vc_sources
    rate "${name}" vc "${data}" "${heard}/${name}" "${expdir}/${name}/scores_recognition.json" false "${judge_config}" \
        "source=${heard}/vc_sources"
    hear_words "${name}" vc "${data}" "$2" "source=${data}"
}

stage_4() {
    local spk data out
    training duration duration "${duration_config}" "${dumpdir}/train" "${dumpdir}/dev" "${ctap_exp}/model" -- \
        --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" --init "${ctap_exp}/model"
    embed_voices
    train_judge
    for spk in $(targets); do
        data=${expdir}/eval/target_${spk}
        out=${expdir}/tts_${spk}
        choose_test "target_${spk}_test" "${eval_utts}" "${data}"
        # Section 2.2.1, step by step: speech alone, then the labeled minutes; then durations in that voice.
        finetune_speech "${spk}"
        training "tts_${spk}_decoder" finetune "${labeled_config}" "${dumpdir}/target_${spk}_labeled" \
            "${expdir}/vc_${spk}/model" -- --reads phonemes --train_dir "${dumpdir}/target_${spk}_labeled" \
            --init "${expdir}/vc_${spk}/model"
        training "tts_${spk}" duration "${duration_adapt_config}" "${dumpdir}/target_${spk}_labeled" \
            "${expdir}/tts_${spk}_decoder/model" "${expdir}/duration/model" -- \
            --train_dir "${dumpdir}/target_${spk}_labeled" --init "${expdir}/tts_${spk}_decoder/model" \
            --duration_init "${expdir}/duration/model"
        run_step --mark "${marks}/synthesis_${spk}" --name "stage 4, synthesis of ${spk}" \
            --in "${out}/model" --in "${data}" --in "$(prompt_of "${spk}")" --opt "seed=${seed}" \
            --opt "durations=${duration_model}" --out "${out}/test/wav.scp" \
            -- generate "${data}/wav.scp" "synthesis_${spk}" "${out}/test" ctap.bin.synthesize \
            --model "${out}/model" --text_file "${data}/pinyin" --prompt "$(prompt_of "${spk}")" \
            --durations "${duration_model}" --seed "${seed}"
        say_as_given "tts_${spk}" "${spk}" "${data}" test_given
        resynthesize "target_${spk}"
        score_tts "tts_${spk}" "${spk}" "${out}/test" "${out}/test_given" "${labeled_config}"
        rate_tts "tts_${spk}" "${spk}" "${out}/test"
    done
}

# say_as_given EXPERIMENT SPEAKER TIMING NAME: the phones of TIMING with its durations -> exp/EXPERIMENT/NAME.
say_as_given() {
    local model=${expdir}/$1/model timing=$3 out=${expdir}/$1/$4
    run_step --mark "${marks}/$4_$1" --name "stage ${current}, synthesis of $1 with the durations of ${timing}" \
        --in "${model}" --in "${timing}" --in "$(prompt_of "$2")" --out "${out}/wav.scp" \
        -- generate "${timing}/aligned_phones" "$4_$1" "${out}" ctap.bin.synthesize \
        --model "${model}" --phones_file "${timing}/aligned_phones" --durations_file "${timing}/durations" \
        --prompt "$(prompt_of "$2")"
}

# score TASK EXPERIMENT SPEAKER DATA SAID TIMED CONFIG [OPTION]... -- ROLE=DATA...: scores of SAID against the recordings
# of DATA (TIMED has their durations), and samples to hear, beside those of the roles.
score() {
    local task=$1 name=$2 spk=$3 data=$4 said=$5 timed=$6 config=$7 out=${expdir}/$2 role
    local -a options=() inputs=() waves=()
    shift 7
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    for role in "$@"; do
        inputs+=(--in "${role#*=}")
        waves+=("${role}/wav.scp")
    done
    module "score_${name}" ctap.bin.score_speech --in "${said}" --in "${timed}" --in "${data}" --in "${voices}" \
        --out "${out}/scores.json" -- --reference "${data}/wav.scp" --hypothesis "${said}/wav.scp" \
        --msep_hypothesis "${timed}/wav.scp" --target_speaker "${spk}" --speakers "${voices}" --name "${name}" \
        --task "${task}" --out "${out}/scores.json" --settings "${dumpdir}/audio.json" --seed "${seed}" \
        --config "${config}" --nj "${nj}" "${options[@]}"
    module "samples_${name}" ctap.bin.list_samples --in "${said}" "${inputs[@]}" --out "${out}/samples.json" -- \
        --out "${out}/samples.json" --speaker "${spk}" --text "${data}/text" --settings "${dumpdir}/audio.json" \
        --waves "${waves[@]}" "${task}=${said}/wav.scp"
}

# score_tts EXPERIMENT SPEAKER SAID TIMED CONFIG
score_tts() {
    local data=${expdir}/eval/target_$2
    score tts "$1" "$2" "${data}" "$3" "$4" "$5" --vocoded "${data}_vocoded/wav.scp" \
        -- "recording=${data}" "vocoded=${data}_vocoded"
}

# score_vc EXPERIMENT SPEAKER SAID CONFIG: of converted speech, which keeps the timing of its sources.
score_vc() {
    local data=${expdir}/eval/vc_sources
    score vc "$1" "$2" "${data}" "$3" "$3" "$4" --source_scp "${data}/wav.scp" -- "source=${data}"
}

# Recordings through the vocoder, as a bound on what any model can reach with it.
resynthesize() {
    local data=${expdir}/eval/$1
    run_step --mark "${marks}/vocoded_$1" --name "stage ${current}, vocoded recordings of $1" --in "${data}" \
        --out "${data}_vocoded/wav.scp" -- generate "${data}/wav.scp" "vocoded_$1" "${data}_vocoded" \
        ctap.bin.resynthesize --audio "${dumpdir}/audio.json" --scp "${data}/wav.scp"
}

# convert_to SPEAKER MODEL SOURCES EXPERIMENT: says SOURCES (a wav.scp, or what else MODEL reads) in exp/EXPERIMENT.
convert_to() {
    run_step --mark "${marks}/conversion_$4" --name "stage ${current}, conversion to $1 in $4" --in "$2" \
        --in "${3%/*}" --in "$(prompt_of "$1")" --out "${expdir}/$4/wav.scp" \
        -- generate "$3" "conversion_$4" "${expdir}/$4" ctap.bin.convert --model "$2" \
        --scp "$3" --prompt "$(prompt_of "$1")"
}

stage_5() {
    local spk out data=${expdir}/eval/vc_sources
    choose_test test "${vc_utts}" "${data}"
    embed_voices
    train_judge
    for spk in $(targets); do
        out=${expdir}/vc_${spk}
        finetune_speech "${spk}"
        convert_to "${spk}" "${out}/model" "${data}/wav.scp" "vc_${spk}/test"
        score_vc "vc_${spk}" "${spk}" "${out}/test" "${finetune_config}"
        rate_vc "vc_${spk}" "${out}/test"
    done
}

stage_6() {
    local all=${dumpdir}/labeled heard=${expdir}/recognized
    local -a with_units=()
    if ((units > 0)); then
        module units ctap.bin.train_units --in "${dumpdir}/train/text" --out "${expdir}/units.model" -- \
            --text "${dumpdir}/train/text" --size "${units}" --out "${expdir}/units.model"
        with_units=(--units "${expdir}/units.model")
    fi
    merge_labeled
    training asr asr "${asr_config}" "${all}" "${dumpdir}/dev" "${ctap_exp}/model" -- \
        --train_dir "${all}" --dev_dir "${dumpdir}/dev" --init "${ctap_exp}/model" "${with_units[@]}" \
        "${asr_options[@]}"
    choose_test test "${eval_utts}" "${expdir}/eval/test"
    resynthesize test
    recognize "${expdir}/eval/test/wav.scp" asr "${expdir}/asr/model"
    recognize "${expdir}/eval/test_vocoded/wav.scp" asr_vocoded "${expdir}/asr/model"
    rate asr asr "${expdir}/eval/test" "${heard}/asr" "${expdir}/asr/scores.json" true "${asr_config}" \
        "vocoded=${heard}/asr_vocoded"
}

# stage_7: the compared systems
# shellcheck source=egs/TEMPLATE/ctap1/table1.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/table1.sh"

stage_8() {
    local spk
    for spk in $(targets); do
        [[ ! -e ${expdir}/tts_${spk}/model ]] || module "pack_tts_${spk}" ctap.bin.pack \
            --in "${expdir}/tts_${spk}/model" --out "${expdir}/packed/tts_${spk}.zip" -- \
            --model "${expdir}/tts_${spk}/model" --prompt "$(prompt_of "${spk}")" \
            --out "${expdir}/packed/tts_${spk}.zip"
        [[ ! -e ${expdir}/vc_${spk}/model ]] || module "pack_vc_${spk}" ctap.bin.pack \
            --in "${expdir}/vc_${spk}/model" --out "${expdir}/packed/vc_${spk}.zip" -- \
            --model "${expdir}/vc_${spk}/model" --prompt "$(prompt_of "${spk}")" \
            --out "${expdir}/packed/vc_${spk}.zip"
    done
    [[ ! -e ${expdir}/asr/model ]] || module pack_asr ctap.bin.pack --in "${expdir}/asr/model" \
        --out "${expdir}/packed/asr.zip" -- --model "${expdir}/asr/model" --out "${expdir}/packed/asr.zip"
}

report() {
    "${python}" -m ctap.bin.report --expdir "${expdir}" --skip table1 --out "${expdir}/RESULTS.md" --html "${expdir}/results.html"
    log "figures:  ${here}/${expdir}/RESULTS.md"
    log "page:     ${here}/${expdir}/results.html (pictures and sounds in it; open it in a browser)"
    log "pictures: ${here}/${expdir}/*/images, ${here}/${expdir}/*/samples"
    log "sounds:   ${here}/${expdir}/tts_*/test*/wav, ${here}/${expdir}/vc_*/test/wav"
}

# --- run -------------------------------------------------------------------------------------------------

mkdir -p "${marks}"
for current in -1 0 1 2 3 4 5 6 7 8; do
    if ((current < stage || current > stop_stage)) || [[ " ${skip_stages} " == *" ${current} "* ]]; then
        continue
    fi
    log "stage ${current}"
    if ((current == -1)); then
        stage_download
    else
        "stage_${current}"
    fi
done
((stop_stage < 3)) || report
