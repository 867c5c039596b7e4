# shellcheck shell=bash disable=SC2154,SC2034 # the options are those of ctap.sh
# The sets that stage 0 makes, their features, and what is merged of them or chosen from them; to be sourced.

# needs_sets STAGE: ends the run if they are not there; the list of target speakers is the last that is written. Notes
# what trainings are validated on, as words of their commands: nothing where dev is empty.
declare -a with_dev=()
needs_sets() {
    [[ -f ${datadir}/target_speakers ]] || die "stage $1: ${datadir}/target_speakers does not exist; run stage 0 first"
    ! runs 3 4 5 6 || [[ -s ${datadir}/test/wav.scp ]] || die "stage $1: there is no test set, on which stages 3 to 6 score: no" \
        "speaker has enough utterances (--test_share, or utt2part of the corpus: egs/own_corpus.md)"
    [[ ! -s ${datadir}/dev/wav.scp ]] || with_dev=(--dev_dir in:"${dumpdir}/dev")
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

# dump_set NAME SET DUMP HOW MODULE WORD...: a step: what MODULE makes of a set, through `parallel` or `networks`
# -> DUMP/SET, and of train the statistics, too.
dump_set() {
    local set=$2 dump=$3
    local -a made=(made:"${dump}/audio.json")
    [[ ${set} != train ]] || made+=(made:"${dump}/stats.json")
    step "$1" _dump_set "$1" "${set}" in:"${datadir}/${set}" into:"${dump}/${set}/feats.scp" "${made[@]}" "${@:4}"
}
# The parts that the jobs write are joined in the end.
_dump_set() {
    local set=$2 data=$3 out=$4 dump=${4%/*} parts=${4%/*}/.parts/$2 jobs
    local -a stats=()
    [[ ${set} != train ]] || stats=(--stats_out "${dump}/stats.json")
    in_jobs "$5" "${data}/wav.scp" "${parts}" "${expdir}/log/$1" "$6" --data_dir "${data}" --parts_dir "${parts}" \
        "${@:7}"
    "${python}" -m ctap.bin.combine_features --data_dir "${data}" --parts_dir "${parts}" --num_jobs "${jobs}" \
        --out_dir "${out}" --remove_parts "${stats[@]}"
}

# choose_test SET N OUT: a data directory of at most N utterances of a set, of the test part.
choose_test() {
    module "choose_${3##*/}" ctap.bin.subset_data_dir --data_dir in:"${dumpdir}/$1" --out_dir into:"$3/wav.scp" \
        --utts "$2" --seed "${seed}"
}

# merge_labeled NAME DUMP OUT: all labeled speech of a dump: train and of target speakers the labeled minutes (unless
# train has them already).
merge_labeled() {
    local spk
    local -a sets=(in:"$2/train")
    for spk in $(targets); do
        has_key "${dumpdir}/train/spk2utt" "${spk}" || sets+=(in:"$2/target_${spk}_labeled")
    done
    module "$1" ctap.bin.merge_data_dirs --inputs "${sets[@]}" --out_dir into:"$3/feats.scp"
}
