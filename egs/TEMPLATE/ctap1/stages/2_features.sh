# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 2: log-mel features of every set.

stage_2() {
    local set
    for set in $(all_sets); do
        dump_set "dump_${set}" "${set}" "${dumpdir}" parallel ctap.bin.dump_features title:"features of ${set}" \
            "${limit[@]}" "${shards[@]}" "${mel_settings[@]}"
    done
    drop_sets
    module vocoder ctap.bin.check_vocoder title:"vocoder for these features" --audio in:"${dumpdir}/audio.json" \
        "${speaks[@]}" --melody "${melody}"
}

# Sets of an earlier division that is no longer wanted, as stage 0 has removed their data.
drop_sets() {
    local folder
    for folder in "${dumpdir}"/{dev,test,target_*_speech,target_*_labeled,target_*_test}; do
        [[ -f ${folder}/feats.scp && ! -e ${datadir}/${folder##*/} ]] || continue
        rm -rf -- "${folder}"
        log "${folder}: removed, not of this division"
    done
}
