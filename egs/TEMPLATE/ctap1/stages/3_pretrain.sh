# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 3: CTAP's pretraining (section 2.1), and scores of its representation.

stage_3() {
    local test=${expdir}/eval/test
    if [[ -n ${pretrained} ]]; then
        log "stage 3: ${ctap_model} is used, nothing is trained"
    else
        [[ ${pretrain_on} != labeled ]] || merge_labeled labeled "${dumpdir}" "${dumpdir}/labeled"
        training "${tag}" pretrain "${train_config}" read:"${dumpdir}/stats.json" \
            --train_dir in:"${dumpdir}/${pretrain_on}" "${with_dev[@]}" -- "${train_options[@]}"
    fi
    choose_test test "${eval_utts}" "${test}"
    network score_ctap ctap.bin.score_representation --model in:"${ctap_model}" --data_dir in:"${test}" \
        --out into:"${expdir}/${tag}/scores.json" --name "${tag}" --seed "${seed}" --config "${train_config}"
}
