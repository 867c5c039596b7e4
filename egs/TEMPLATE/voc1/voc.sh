#!/usr/bin/env bash
# The vocoder recipe: from a corpus that egs/<name>/ctap1 has prepared to a vocoder for its --vocoder.
#
#   ./run.sh --stage 1 --stop_stage 5
#
# 1  data and features, by the recipe beside this one  -> ../ctap1/dump/{train,dev,test}
# 2  training                                          -> exp/<tag>
# 3  copy-synthesis of test recordings                 -> exp/<tag>/test, exp/griffin_lim/test
# 4  scores of both, against the recordings            -> exp/<tag>/scores.json, exp/griffin_lim/scores.json, exp/RESULTS.md
# 5  packing                                           -> exp/packed/<tag>.zip
#
# A finished step is skipped; one whose input or options have changed says what changed and runs again.

set -euo pipefail
unset CDPATH # the user's could make cd go elsewhere, and print that to stdout
cd -- "$(dirname "$0")"

# General
stage=1                   # first stage
stop_stage=5              # last stage
force=false               # repeat finished steps
nj=0                      # parallel jobs of data stages; 0: one per processor
decode_nj=0               # jobs that use networks; 0: one per GPU, or without GPUs as many as nj
ngpu=0                    # GPUs of one node; 0: processors
nproc=1                   # processes of a node that train together where there is no GPU
num_nodes=1               # nodes that train together, under torchrun or Slurm
seed=777                  # of weights, batches and noise
ctap=../ctap1             # recipe whose data and dump are used
corpus=""                 # where the corpus lies, if that recipe has not prepared it yet
expdir=exp                # models, logs, results
tag=""                    # name of the training; default: the name of its configuration

# Vocoder
train_config=conf/vocoder.yaml # its configuration
train_args=""             # more of its options: "--trainer.max_steps 1000"
init=""                   # model directory to start from, of the same sizes; "pretrained": that of the package
mels_of=""                # CTAP model: train on the mels that it predicts for the training recordings, not on the recordings' own;
                          # with --init pretrained --train_config conf/vocoder_tune_mini.yaml
eval_utts=40              # test recordings that are synthesised and scored
device=auto               # of networks in use: cpu, cuda (one GPU per job), or auto: cuda with --ngpu, else cpu

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. ./path.sh
# shellcheck source=egs/TEMPLATE/ctap1/cmd.sh
. ./cmd.sh
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/recipe.sh
. recipe.sh
whole_numbers stage stop_stage
at_least 0 nj decode_nj ngpu seed
at_least 1 nproc num_nodes eval_utts
not_empty ctap expdir
directories ctap expdir corpus init mels_of
in_order
((nj > 0)) || nj=$(processors)
[[ ${init} != pretrained ]] || init=${CTAP_ROOT}/ctap/models/pretrained_vocoder
[[ -n ${tag} ]] || tag=$(basename "${train_config}" .yaml)
datadir=${ctap}/data
dumpdir=${ctap}/dump
# shellcheck disable=SC2034 # the helpers read them
declare all_args="" && declare -a all_options=()
declare -a train_options
split_words train_args "${train_args}" train_options
python=${python:-python3}
# shellcheck source=egs/TEMPLATE/ctap1/stages/steps.sh
. "$(dirname "$(readlink -f "${0##*/}")")/../ctap1/stages/steps.sh"

stage_1() {
    if [[ -s ${dumpdir}/train/wav.scp && -s ${dumpdir}/test/wav.scp ]]; then
        log "${dumpdir}: data are there"
    else
        [[ -z ${corpus} ]] || corpus=$(readlink -m -- "${corpus}") # that recipe has a directory of its own
        "${ctap}/run.sh" --stage 0 --stop_stage 2 --nj "${nj}" ${corpus:+--corpus "${corpus}"}
    fi
}

stage_2() {
    local set
    local -a more=()
    [[ ! -s ${dumpdir}/dev/wav.scp ]] || more+=(--dev_dir in:"${dumpdir}/dev")
    [[ -z ${init} ]] || more+=(--init in:"${init}")
    if [[ -n ${mels_of} ]]; then
        for set in train dev; do
            [[ ! -s ${dumpdir}/${set}/wav.scp ]] || generate "predicted_${set}" ctap.bin.predict_mels \
                title:"mels that ${mels_of} predicts of ${set}" each:"${dumpdir}/${set}/wav.scp" \
                --out into:"${expdir}/predicted/${set}/feats.scp" --model in:"${mels_of}" --data_dir in:"${dumpdir}/${set}"
        done
        more+=(--given "${expdir}/predicted" read:"${expdir}/predicted")
    fi
    training "${tag}" vocoder "${train_config}" --train_dir in:"${dumpdir}/train" "${more[@]}" \
        -- "${train_options[@]}"
}

stage_3() {
    module choose_test ctap.bin.subset_data_dir --data_dir in:"${dumpdir}/test" \
        --out_dir into:"${expdir}/eval/test/wav.scp" --utts "${eval_utts}" --seed "${seed}"
    say "${tag}" in:"${expdir}/${tag}/model"
    say griffin_lim griffin_lim
}

# say NAME VOCODER: the test recordings through log-mel and a vocoder -> exp/NAME/test
say() {
    generate "vocoded_$1" ctap.bin.resynthesize title:"test recordings through $1" each:"${expdir}/eval/test/wav.scp" \
        --out into:"${expdir}/$1/test/wav.scp" --audio in:"${dumpdir}/audio.json" --vocoder "$2" \
        --scp table:"${expdir}/eval/test/wav.scp"
}

stage_4() {
    local name
    for name in "${tag}" griffin_lim; do
        module "score_${name}" ctap.bin.score_speech --hypothesis table:"${expdir}/${name}/test/wav.scp" \
            --reference table:"${expdir}/eval/test/wav.scp" --msep_hypothesis table:"${expdir}/${name}/test/wav.scp" \
            --settings in:"${dumpdir}/audio.json" --speaker_encoder none --task vocoder --config "${train_config}" \
            --nj free:"${nj}" --seed "${seed}" --out out:"${expdir}/${name}/scores.json"
    done
    "${python}" -m ctap.bin.report --expdir "${expdir}" --out "${expdir}/RESULTS.md" --html "${expdir}/results.html"
    log "figures:  $(place "${expdir}")/RESULTS.md"
}

stage_5() {
    module "pack_${tag}" ctap.bin.pack --model in:"${expdir}/${tag}/model" --out out:"${expdir}/packed/${tag}.zip"
}

begin_run
for current in 1 2 3 4 5; do
    ((current < stage || current > stop_stage)) && continue
    log "stage ${current}"
    "stage_${current}"
done
