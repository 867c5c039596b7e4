# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 2: log-mel features of every set.

stage_2() {
    local set
    for set in $(all_sets); do
        dump_set "dump_${set}" "${set}" "${dumpdir}" parallel ctap.bin.dump_features title:"features of ${set}" \
            "${limit[@]}" "${shards[@]}" "${mel_settings[@]}"
    done
    module vocoder ctap.bin.check_vocoder title:"vocoder for these features" --audio in:"${dumpdir}/audio.json" \
        "${speaks[@]}" --melody "${melody}"
}
