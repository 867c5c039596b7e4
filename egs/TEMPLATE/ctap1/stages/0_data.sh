# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stages -1 and 0: the corpus, and its sets.

stage_-1() {
    if [[ ${download} != true ]]; then
        log "stage -1: nothing asked for (--download true fetches the corpus)"
        return
    fi
    [[ -x local/download.sh ]] || die "stage -1: this corpus is not downloaded (no local/download.sh); leave --download out"
    local/download.sh "${downloaddir}" "${download_options[@]}" ${checksum:+--checksum "${checksum}"}
}

stage_0() {
    # one that was downloaded, now or earlier
    [[ -n ${corpus} || ! -x local/download.sh || ! -d ${downloaddir} ]] || corpus=${downloaddir}
    local set all=${datadir}/local whole=${datadir}/local/all
    local -a given=() spoken=() joined=()
    if [[ ${language} != mandarin ]]; then # else as before there were others, so that what was made then stays
        given=(opt:"language=${language}")
        spoken=(--language "${language}")
    fi
    export CTAP_LANGUAGE=${language} # for corpora that are made in any language
    [[ ${language} != custom:* ]] || spoken+=(read:"${language#custom:}")
    [[ -z ${phones_of} ]] || spoken+=(--phones_of in:"${phones_of}")
    [[ -z ${phone_map} ]] || spoken+=(--phone_map in:"${phone_map}")
    # A corpus that the recipe makes itself, and that was removed since, is made again.
    [[ -n ${corpus} ]] || recordings_are_there "${all}/corpus/wav.scp" || rm -f "${datadir}/.done/data_tables"
    step data_tables corpus_tables title:"tables of the corpus" read:local opt:"files=$(corpus_files)" "${given[@]}" \
        --corpus "${corpus}" --downloaddir "${downloaddir}" "${data_options[@]}" into:"${all}/corpus/wav.scp"
    # If recordings may have changed, they are looked at; what is done again is what their content (utt2audio) decides.
    module data_text ctap.bin.prepare_text opt:"recordings=$(recordings_of "${all}/corpus/wav.scp")" \
        --in_dir in:"${all}/corpus" --out_dir into:"${all}/all/wav.scp" --skipped "${all}/skipped.tsv" \
        --min_seconds "${min_seconds}" --max_seconds "${max_seconds}" --sandhi "${sandhi}" \
        --spell_latin "${spell_latin}" "${spoken[@]}"
    if [[ -n ${join} ]]; then
        split_words join "${join}" joined
        whole=${all}/joined
        module data_join ctap.bin.merge_data_dirs --inputs in:"${all}/all" "${joined[@]/#/in:}" \
            --out_dir into:"${whole}/wav.scp" --own_speakers true
    fi
    module data_sets ctap.bin.split_targets --data_dir in:"${whole}" --out_dir "${datadir}" \
        made:"${datadir}/train/wav.scp" made:"${datadir}/target_speakers" --target_speakers "${target_speakers}" \
        --num_targets "${num_targets}" --labeled_minutes "${labeled_minutes}" --dev_utts "${dev_utts}" \
        --test_share "${test_share}" --targets_in_train "${targets_in_train}" --seed "${seed}"
    for set in $(all_sets); do
        if [[ ${set} == target_*_speech ]]; then
            validate_data_dir --no_text "${datadir}/${set}"
        else
            validate_data_dir "${datadir}/${set}"
        fi
    done
}

# corpus_tables OPTION... DIR: without the tables of an earlier time that are no longer written.
corpus_tables() {
    rm -rf -- "${@: -1}"
    local/data.sh "$@"
}

# recordings_are_there WAV_SCP: whether the first of them is.
recordings_are_there() {
    local utt recording
    { read -r utt recording <"$1"; } 2>/dev/null && [[ -n ${utt} && -e ${recording} ]]
}

# A digest of the names, sizes and times of the corpus's files, so that a changed corpus is noticed.
corpus_files() {
    [[ ! -d ${corpus} ]] || find -L "${corpus}" -type f -printf '%P %s %T@\n' | LC_ALL=C sort | sha256sum | cut -c 1-16
}

# A digest of the sizes and times (of content and of state) of the recordings that a wav.scp names, wherever they lie.
recordings_of() {
    LC_ALL=C sed 's/^[^[:blank:]]*[[:blank:]]*//; s/[[:blank:]]*$//' "$1" | tr '\n' '\0' | xargs -0 stat -L -c '%s %.Y %.Z' -- 2>/dev/null | sha256sum | cut -c 1-16
}
