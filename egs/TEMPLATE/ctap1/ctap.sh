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
#  6  ASR                                     -> exp/asr, and recognition scores of stages 4 and 5
#  8  packing                                 -> exp/packed
#
# A finished step is skipped; one whose input or options have changed says what changed and runs again. A killed
# run is started again with the same command and ends with what an undisturbed run gives.

set -euo pipefail
cd "$(dirname "$0")"
here=$(pwd)

# General
stage=0                   # first stage
stop_stage=6              # last stage
skip_stages=""            # stages to leave out, such as "4 5"
force=false               # repeat finished steps
nj=0                      # parallel jobs of data stages; 0: one a processor
ngpu=0                    # GPUs of one node; 0 trains on the processor
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
sandhi=false              # tone sandhi where the corpus brings no pinyin

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
train_args=""                            # more of its options, such as "--trainer.max_steps 1000"
finetune_config=conf/finetune.yaml       # decoder and prompt encoder, on speech alone
labeled_config=conf/finetune_labeled.yaml # the same, on the labeled minutes
duration_config=conf/duration.yaml       # duration models, on all labeled speech
duration_adapt_config=conf/duration_adapt.yaml # the same, on the labeled minutes
asr_config=conf/asr.yaml                 # phoneme decoder
units=2000                               # sentencepiece units of the CTC head, at most; 0: no head

# Scores
eval_utts=100             # utterances of each target speaker, and of test, that are synthesised and scored
vc_utts=20                # test utterances of other speakers that are converted to each target speaker
max_refs=10               # recordings a speaker that the speaker encoder hears
device=auto               # of inference: cpu, cuda or auto

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

if (($#)); then
    log "error: unexpected argument '$1' (see --help)" >&2
    exit 2
fi
((nj > 0)) || nj=$(nproc)
[[ -n ${tag} ]] || tag=$(basename "${train_config}" .yaml)
ctap_exp=${expdir}/${tag}
marks=${expdir}/.done
voices=${expdir}/eval/voices
read -ra train_options <<<"${train_args}"
read -ra aligner_options <<<"${aligner_args}"
combine_options=()
[[ ${drop_outliers} == none ]] || combine_options=(--drop_outliers "${drop_outliers}")
python=${python:-python3}

# --- helpers ---------------------------------------------------------------------------------------------

# jobs_for LIST: jobs worth starting for so many utterances, at most nj.
jobs_for() {
    local lines jobs
    lines=$(wc -l <"$1")
    jobs=$(((lines + 49) / 50))
    echo $((jobs < 1 ? 1 : jobs < nj ? jobs : nj))
}

# parallel JOBS LOG_DIR MODULE [OPTION]...: runs python -m MODULE in so many jobs of one thread each.
parallel() {
    local jobs=$1 logs=$2 module=$3
    shift 3
    # shellcheck disable=SC2086 # the launcher and its options are words
    ${train_cmd} JOB=1:"${jobs}" "${logs}/${module##*.}.JOB.log" \
        env OMP_NUM_THREADS=1 "${python}" -m "${module}" "$@" --job JOB --num_jobs "${jobs}"
}

# generate LIST NAME OUT MODULE [OPTION]...: runs a command over the utterances of a list, in several jobs, and
# joins the tables that they write in OUT.
generate() {
    local jobs logs=${expdir}/log/$2 out=$3 module=$4 table
    jobs=$(jobs_for "$1")
    shift 4
    rm -rf "${out}"
    parallel "${jobs}" "${logs}" "${module}" --out "${out}" "$@"
    ((jobs > 1)) || return 0
    for table in "${out}"/*.1; do
        table=${table%.1}
        LC_ALL=C sort "${table}".[0-9]* >"${table}.joined"
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
        "${inputs[@]}" --opt "seed=${seed}" --opt "options=$*" --out "${expdir}/${name}/model" \
        -- train "${name}" "${task}" "${config}" "$@"
}

# module NAME MODULE [--in ...] -- OPTION...: one Python command as a step.
module() {
    local name=$1 module=$2
    shift 2
    local -a about=()
    while [[ $1 != -- ]]; do
        about+=("$1")
        shift
    done
    shift
    run_step --mark "${marks}/${name}" --name "stage ${current}, ${name}" --opt "options=$*" "${about[@]}" \
        -- "${python}" -m "${module}" "$@"
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

stage_0() {
    [[ -n ${corpus} || ${download} != true ]] || corpus=${downloaddir}
    local all=${datadir}/local
    run_step --mark "${marks}/data_tables" --name "stage 0, tables of the corpus" --in "${here}/local" \
        --opt "corpus=${corpus}" --opt "files=$(corpus_files)" --out "${all}/corpus/wav.scp" \
        -- local/data.sh --corpus "${corpus}" --downloaddir "${downloaddir}" "${all}/corpus"
    module data_text ctap.bin.prepare_text --in "${all}/corpus" --out "${all}/all/wav.scp" -- \
        --in_dir "${all}/corpus" --out_dir "${all}/all" --skipped "${all}/skipped.tsv" \
        --min_seconds "${min_seconds}" --max_seconds "${max_seconds}" --sandhi "${sandhi}"
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
    module align_pictures ctap.bin.plot_alignments --in "${datadir}/train/durations" \
        --out "${expdir}/align/pictures" -- --data_dir "${datadir}/train" \
        --out_dir "${expdir}/align/pictures" --count "${align_pictures}"
}

stage_1() {
    local set model=${aligner_model:-${expdir}/aligner}
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
        module aligner ctap.bin.train_aligner --in "${datadir}/train/wav.scp" --in "${datadir}/train/phones" \
            --out "${model}" -- --data_dir "${datadir}/train" --out "${model}" --aligner "${aligner}" \
            --seed "${seed}" "${aligner_options[@]}"
    fi
    for set in $(labeled_sets); do
        run_step --mark "${marks}/durations_${set}" --name "stage 1, durations of ${set}" --in "${model}" \
            --in "${datadir}/${set}/wav.scp" --in "${datadir}/${set}/phones" --opt "options=${combine_options[*]}" \
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
    module score_ctap ctap.bin.score_representation --in "${ctap_exp}/model" --in "${expdir}/eval/test" \
        --out "${ctap_exp}/scores.json" -- \
        --model "${ctap_exp}/model" --data_dir "${expdir}/eval/test" --out "${ctap_exp}" --name "${tag}" \
        --device "${device}" --seed "${seed}" --config "${train_config}"
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
        inputs+=(--in "${datadir}/${set}/wav.scp")
        spk2utt+=("${datadir}/${set}/spk2utt")
        scp+=("${datadir}/${set}/wav.scp")
    done
    module voices ctap.bin.embed_speakers "${inputs[@]}" --out "${voices}/spk2utt" -- \
        --spk2utt "${spk2utt[@]}" --wav_scp "${scp[@]}" --out_dir "${voices}" --max_refs "${max_refs}"
}

# A data directory of at most so many test utterances: choose_test SET N OUT
choose_test() {
    module "choose_${3##*/}" ctap.bin.subset_data_dir --in "${dumpdir}/$1" --out "$3/wav.scp" -- \
        --data_dir "${dumpdir}/$1" --out_dir "$3" --utts "$2" --seed "${seed}"
}

stage_4() {
    local spk data out kind
    training duration duration "${duration_config}" "${dumpdir}/train" "${dumpdir}/dev" "${ctap_exp}/model" -- \
        --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" --init "${ctap_exp}/model"
    embed_voices
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
        for kind in diffusion deterministic; do
            run_step --mark "${marks}/synthesis_${spk}_${kind}" --name "stage 4, synthesis of ${spk}, ${kind} durations" \
                --in "${out}/model" --in "${data}" --in "${expdir}/prompts/${spk}" --opt "seed=${seed}" \
                --out "${out}/test_${kind}/wav.scp" \
                -- generate "${data}/wav.scp" "synthesis_${spk}_${kind}" "${out}/test_${kind}" ctap.bin.synthesize \
                --device "${device}" --model "${out}/model" --text_file "${data}/pinyin" --prompt "$(prompt_of "${spk}")" \
                --durations "${kind}" --seed "${seed}"
        done
        run_step --mark "${marks}/synthesis_${spk}_given" --name "stage 4, synthesis of ${spk}, durations of the recording" \
            --in "${out}/model" --in "${data}" --in "${expdir}/prompts/${spk}" --out "${out}/test_given/wav.scp" \
            -- generate "${data}/wav.scp" "synthesis_${spk}_given" "${out}/test_given" ctap.bin.synthesize \
            --device "${device}" --model "${out}/model" --phones_file "${data}/aligned_phones" --durations_file "${data}/durations" \
            --prompt "$(prompt_of "${spk}")"
        resynthesize "target_${spk}"
        module "score_tts_${spk}" ctap.bin.score_speech --in "${out}/test_diffusion" --in "${out}/test_given" \
            --in "${data}" --in "${voices}" --out "${out}/scores.json" -- \
            --reference "${data}/wav.scp" --hypothesis "${out}/test_diffusion/wav.scp" \
            --msep_hypothesis "${out}/test_given/wav.scp" --vocoded "${data}_vocoded/wav.scp" \
            --target_speaker "${spk}" --speakers "${voices}" \
            --name "tts_${spk}" --task tts --out "${out}/scores.json" --settings "${dumpdir}/audio.json" \
            --seed "${seed}" --config "${labeled_config}" --nj "${nj}"
        module "samples_tts_${spk}" ctap.bin.list_samples --in "${out}/test_diffusion" --in "${data}_vocoded" \
            --out "${out}/samples.json" -- --out "${out}/samples.json" --speaker "${spk}" --text "${data}/text" \
            --waves "recording=${data}/wav.scp" "vocoded=${data}_vocoded/wav.scp" \
            "tts=${out}/test_diffusion/wav.scp"
    done
}

# Recordings through the vocoder, as a bound on what any model can reach with it.
resynthesize() {
    local data=${expdir}/eval/$1
    run_step --mark "${marks}/vocoded_$1" --name "stage ${current}, vocoded recordings of $1" --in "${data}" \
        --out "${data}_vocoded/wav.scp" -- generate "${data}/wav.scp" "vocoded_$1" "${data}_vocoded" \
        ctap.bin.resynthesize --audio "${dumpdir}/audio.json" --scp "${data}/wav.scp"
}

stage_5() {
    local spk data=${expdir}/eval/vc_sources out
    choose_test test "${vc_utts}" "${data}"
    embed_voices
    for spk in $(targets); do
        out=${expdir}/vc_${spk}
        finetune_speech "${spk}"
        run_step --mark "${marks}/conversion_${spk}" --name "stage 5, conversion to ${spk}" --in "${out}/model" \
            --in "${data}" --in "${expdir}/prompts/${spk}" --out "${out}/test/wav.scp" \
            -- generate "${data}/wav.scp" "conversion_${spk}" "${out}/test" ctap.bin.convert \
            --device "${device}" --model "${out}/model" --scp "${data}/wav.scp" --prompt "$(prompt_of "${spk}")"
        module "score_vc_${spk}" ctap.bin.score_speech --in "${out}/test" --in "${data}" --in "${voices}" \
            --out "${out}/scores.json" -- \
            --reference "${data}/wav.scp" --source_scp "${data}/wav.scp" --hypothesis "${out}/test/wav.scp" \
            --msep_hypothesis "${out}/test/wav.scp" \
            --target_speaker "${spk}" --speakers "${voices}" \
            --name "vc_${spk}" --task vc --out "${out}/scores.json" --settings "${dumpdir}/audio.json" \
            --seed "${seed}" --config "${finetune_config}" --nj "${nj}"
        module "samples_vc_${spk}" ctap.bin.list_samples --in "${out}/test" --in "${data}" \
            --out "${out}/samples.json" -- --out "${out}/samples.json" --speaker "${spk}" --text "${data}/text" \
            --waves "source=${data}/wav.scp" "vc=${out}/test/wav.scp"
    done
}

# recognize WAVES OUT: recognises WAVES/wav.scp.
recognize() {
    run_step --mark "${marks}/recognition_${2##*/}" --name "stage 6, recognition of $1" \
        --in "${expdir}/asr/model" --in "$1/wav.scp" --out "$2/phones" \
        -- generate "$1/wav.scp" "recognition_${2##*/}" "$2" ctap.bin.recognize \
        --device "${device}" --model "${expdir}/asr/model" --scp "$1/wav.scp"
}

# rate NAME TASK DATA HEARD OUT FRAMES [AGAINST]...: scores what was heard against DATA's phones.
rate() {
    local name=$1 task=$2 data=$3 hyp=$4 out=$5 frames=$6
    shift 6
    module "rate_${name}" ctap.bin.score_asr --in "${hyp}" --in "${data}" --out "${out}" -- \
        --ref_dir "${data}" --hyp_dir "${hyp}" --out "${out}" --name "${name}" --task "${task}" \
        --frames "${frames}" --seed "${seed}" --config "${asr_config}" --against "$@"
}

stage_6() {
    local spk data heard=${expdir}/recognized
    local -a with_units=()
    if ((units > 0)); then
        module units ctap.bin.train_units --in "${dumpdir}/train/text" --out "${expdir}/units.model" -- \
            --text "${dumpdir}/train/text" --size "${units}" --out "${expdir}/units.model"
        with_units=(--units "${expdir}/units.model")
    fi
    # All labeled speech: of target speakers, the labeled minutes (unless train has them already).
    local all=${dumpdir}/labeled
    local -a sets=("${dumpdir}/train") inputs=(--in "${dumpdir}/train")
    for spk in $(targets); do
        if ! grep -q "^${spk} " "${dumpdir}/train/spk2utt"; then
            sets+=("${dumpdir}/target_${spk}_labeled")
            inputs+=(--in "${dumpdir}/target_${spk}_labeled")
        fi
    done
    module labeled ctap.bin.merge_data_dirs "${inputs[@]}" --out "${all}/feats.scp" -- \
        --inputs "${sets[@]}" --out_dir "${all}"
    training asr asr "${asr_config}" "${all}" "${dumpdir}/dev" "${ctap_exp}/model" -- \
        --train_dir "${all}" --dev_dir "${dumpdir}/dev" --init "${ctap_exp}/model" "${with_units[@]}"
    choose_test test "${eval_utts}" "${expdir}/eval/test"
    resynthesize test
    recognize "${expdir}/eval/test" "${heard}/test"
    recognize "${expdir}/eval/test_vocoded" "${heard}/test_vocoded"
    rate asr asr "${expdir}/eval/test" "${heard}/test" "${expdir}/asr/scores.json" true \
        "vocoded=${heard}/test_vocoded"
    # With the recogniser at hand, what stages 4 and 5 said is recognised too, beside the recording itself.
    for spk in $(targets); do
        data=${expdir}/eval/target_${spk}
        if [[ -e ${expdir}/tts_${spk}/test_diffusion/wav.scp ]]; then
            recognize "${expdir}/tts_${spk}/test_diffusion" "${heard}/tts_${spk}"
            recognize "${data}" "${heard}/target_${spk}"
            recognize "${data}_vocoded" "${heard}/target_${spk}_vocoded"
            rate "tts_${spk}" tts "${data}" "${heard}/tts_${spk}" "${expdir}/tts_${spk}/scores_recognition.json" false \
                "recording=${heard}/target_${spk}" "vocoded=${heard}/target_${spk}_vocoded"
        fi
        if [[ -e ${expdir}/vc_${spk}/test/wav.scp ]]; then
            recognize "${expdir}/vc_${spk}/test" "${heard}/vc_${spk}"
            recognize "${expdir}/eval/vc_sources" "${heard}/vc_sources"
            rate "vc_${spk}" vc "${expdir}/eval/vc_sources" "${heard}/vc_${spk}" \
                "${expdir}/vc_${spk}/scores_recognition.json" false "source=${heard}/vc_sources"
        fi
    done
}

stage_7() { log "stage 7: nothing to do, compared systems are not in this release"; }

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
    "${python}" -m ctap.bin.report --expdir "${expdir}" --out "${expdir}/RESULTS.md" --html "${expdir}/results.html"
    log "figures:  ${here}/${expdir}/RESULTS.md"
    log "page:     ${here}/${expdir}/results.html (pictures and sounds in it; open it in a browser)"
    log "pictures: ${here}/${expdir}/*/images, ${here}/${expdir}/*/samples"
    log "sounds:   ${here}/${expdir}/tts_*/test_*/wav, ${here}/${expdir}/vc_*/test/wav"
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
