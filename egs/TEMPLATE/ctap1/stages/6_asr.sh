# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 6: ASR (section 2.2.3): a phoneme decoder on the frozen speech encoder.

# text_units: the units that the CTC head writes -> the words of them for a training in with_units; none with --units 0.
text_units() {
    ((units > 0)) || return 0
    module units ctap.bin.train_units --text in:"${dumpdir}/train/text" --size "${units}" --out out:"${expdir}/units.model"
    with_units=(--units in:"${expdir}/units.model")
}

stage_6() {
    local all=${dumpdir}/labeled test=${expdir}/eval/test heard=${expdir}/recognized
    local -a with_units=()
    text_units
    merge_labeled labeled "${dumpdir}" "${all}"
    training asr asr "${asr_config}" --train_dir in:"${all}" "${with_dev[@]}" \
        --init in:"${ctap_model}" "${with_units[@]}" -- "${asr_options[@]}"
    choose_test test "${eval_utts}" "${test}"
    resynthesize test
    recognize "${test}/wav.scp" asr "${expdir}/asr/model"
    recognize "${test}_vocoded/wav.scp" asr_vocoded "${expdir}/asr/model"
    rate name=asr task=asr data="${test}" heard="${heard}/asr" out="${expdir}/asr/scores.json" frames=true \
        config="${asr_config}" -- vocoded="${heard}/asr_vocoded"
}
