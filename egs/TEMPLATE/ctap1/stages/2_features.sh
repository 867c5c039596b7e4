# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 2: log-mel features of every set.

stage_2() {
    local set
    local -a made
    for set in $(all_sets); do
        made=(made:"${dumpdir}/audio.json")
        [[ ${set} != train ]] || made+=(made:"${dumpdir}/stats.json")
        step "dump_${set}" dump_set title:"features of ${set}" "${set}" in:"${datadir}/${set}" "${made[@]}" \
            into:"${dumpdir}/${set}/feats.scp" --max_seconds "${max_seconds}" "${mel_settings[@]}"
    done
    module vocoder ctap.bin.check_vocoder title:"vocoder for these features" --audio in:"${dumpdir}/audio.json" \
        "${speaks[@]}" --melody "${melody}"
}

# dump_set SET DATA OUT [OPTION]...: in several jobs, then joined.
dump_set() {
    local parts=${dumpdir}/.parts/$1 data=$2 out=$3 jobs
    local -a extra=()
    [[ $1 != train ]] || extra=(--stats_out "${dumpdir}/stats.json")
    jobs=$(jobs_for "${data}/wav.scp")
    rm -rf "${parts}"
    parallel "${jobs}" "${expdir}/log/dump_$1" ctap.bin.dump_features --data_dir "${data}" --parts_dir "${parts}" \
        "${@:4}"
    "${python}" -m ctap.bin.combine_features --data_dir "${data}" --parts_dir "${parts}" --num_jobs "${jobs}" \
        --out_dir "${out}" --remove_parts "${extra[@]}"
}
