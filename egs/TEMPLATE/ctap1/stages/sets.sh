# shellcheck shell=bash disable=SC2154,SC2034 # the options are those of ctap.sh
# The sets that stage 0 makes, and what is merged of them or chosen from them; to be sourced.

# needs_sets STAGE: ends the run if they are not there; the list of target speakers is the last that is written. Notes
# what trainings are validated on, as words of their commands: nothing where dev is empty.
declare -a with_dev=()
needs_sets() {
    [[ -f ${datadir}/target_speakers ]] || die "stage $1: ${datadir}/target_speakers does not exist; run stage 0 first"
    with_dev=()
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
