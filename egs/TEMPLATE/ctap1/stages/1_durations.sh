# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 1: how long each phone lasts, by the built-in aligner or from elsewhere.

stage_1() {
    local set data aligned_by model=${aligner_model:-${expdir}/aligner}
    local -a combine table=()
    if [[ -n ${durations} ]]; then
        [[ -z ${label_table} ]] || table=(--label_table in:"${label_table}")
        for set in $(labeled_sets); do
            data=${datadir}/${set}
            [[ -d ${durations}/${set} ]] ||
                die "--durations ${durations}: holds no ${set}; expected a directory of each of $(labeled_sets | xargs)"
            module "durations_${set}" ctap.bin.import_durations recordings:"${data}" phones:"${data}" \
                --data_dir "${data}" --durations in:"${durations}/${set}" made:"${data}/durations" "${table[@]}" \
                "${mel_settings[@]}"
        done
        draw_alignments
        return
    fi
    if [[ -z ${aligner_model} ]]; then
        module aligner ctap.bin.train_aligner recordings:"${datadir}/train" phones:"${datadir}/train" \
            --data_dir "${datadir}/train" --out out:"${model}" --aligner "${aligner}" --seed "${seed}" \
            "${mel_settings[@]}" -- "${aligner_options[@]}"
    fi
    aligned_by=$(content_of "${model}")
    for set in $(labeled_sets); do
        data=${datadir}/${set}
        combine=()
        [[ ${drop_outliers} == none ]] || combine+=(--drop_outliers "${drop_outliers}")
        [[ ${textgrids} != true ]] || combine+=(--textgrid_dir "${expdir}/align/${set}/textgrids")
        step "durations_${set}" align_set title:"durations of ${set}" recordings:"${data}" phones:"${data}" \
            opt:"aligner=${aligned_by}" "${set}" "${model}" made:"${data}/durations" "${limit[@]}" "${combine[@]}"
    done
    draw_alignments
}

# A digest of what is in a directory, wherever that is: runs with an exp of their own train the same aligner.
content_of() {
    find -L "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c 1-16
}

# align_set SET MODEL [OPTION]...: aligned in several jobs, then joined and looked through; each heeds its own options.
align_set() {
    local data=${datadir}/$1 model=$2 out=${expdir}/align/$1 jobs
    in_jobs parallel "${data}/wav.scp" "${out}" "${expdir}/log/align_$1" ctap.bin.align --data_dir "${data}" \
        --model "${model}" --out_dir "${out}" "${@:3}"
    "${python}" -m ctap.bin.align --combine --data_dir "${data}" --out_dir "${out}" --num_jobs "${jobs}" "${@:3}"
}

# What to look at first if scores are bad.
draw_alignments() {
    ((align_pictures > 0)) || return 0
    module align_pictures ctap.bin.plot_alignments read:"${datadir}/train/durations" recordings:"${datadir}/train" \
        --data_dir "${datadir}/train" --out_dir out:"${expdir}/align/pictures" --count "${align_pictures}" \
        "${mel_settings[@]}"
}
