# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 7, sourced by ctap.sh: the systems of the paper's Table 1 (section 3.2), each with an acoustic model, a phoneme
# model and both target voices of its own, all with the durations, the vocoder and the scores of the recipe.

# The configuration of a CTAP row.
config_of() {
    case $1 in
        ctap_no_decoder) echo "${no_decoder_config}" ;;
        ctap_mse_embed) echo "${mse_embed_config}" ;;
        ctap_phoneme_decoder) echo "${phoneme_decoder_config}" ;;
        ctap_paper) echo "${paper_config}" ;;
        ctap_ours) echo "${ours_config}" ;;
    esac
}

# The weights of a compared system.
weights_of() {
    case $1 in
        codec) echo "${codec_model}" ;;
        wav2vec2) echo "${wav2vec2_model}" ;;
        hubert) echo "${hubert_model}" ;;
        whisper) echo "${whisper_model}" ;;
    esac
}

# chosen LIST FEATS OUT: the entries of a feats.scp whose utterances are in LIST.
chosen() {
    mkdir -p "$(dirname "$3")"
    LC_ALL=C join <(cut -d ' ' -f 1 "$1") "$2" >"$3.part" || unwritable "$3"
    mv "$3.part" "$3"
}

# dump_given SET OUT OPTION...: one set in another representation.
dump_given() {
    local set=$1 out=$2 jobs
    local -a extra=()
    shift 2
    [[ ${set} != train ]] || extra=(--stats_out "${out}/stats.json")
    jobs=$(jobs_for "${datadir}/${set}/wav.scp" "$(network_jobs)")
    rm -rf "${out}/.parts/${set}"
    networks "${jobs}" "${expdir}/log/${out#"${expdir}/"}_${set}" ctap.bin.dump_upstream "$@" \
        --data_dir "${datadir}/${set}" --parts_dir "${out}/.parts/${set}"
    "${python}" -m ctap.bin.combine_features --data_dir "${datadir}/${set}" --parts_dir "${out}/.parts/${set}" \
        --num_jobs "${jobs}" --out_dir "${out}/${set}" --remove_parts "${extra[@]}"
}

# dump_upstream ROW MODEL [OPTION]...: all sets in the representation of another system -> exp/table1/ROW/dump.
dump_upstream() {
    local row=$1 model=$2 set spk folder=${expdir}/table1/$1
    local -a options=(--kind "$1" --model "$2" "${@:3}") inputs=("${folder}/dump/train") heard=()
    if [[ ${row} == hubert ]]; then
        recordings heard train
        network "table1/${row}/kmeans" ctap.bin.train_kmeans "${heard[@]}" --out "${folder}/kmeans.npz" -- \
            --model "${model}" --layer "${hubert_layer}" --clusters "${hubert_clusters}" --data_dir "${datadir}/train" \
            --out "${folder}/kmeans.npz" --seed "${seed}"
        options+=(--kmeans "${folder}/kmeans.npz")
    fi
    for set in $(all_sets); do
        run_step --mark "${marks}/table1/${row}/dump_${set}" --name "stage 7, ${row} of ${set}" \
            --in "${datadir}/${set}" --opt "options=$(quoted "${options[@]}")" --out "${folder}/dump/${set}/feats.scp" \
            -- dump_given "${set}" "${folder}/dump" "${options[@]}"
    done
    for spk in $(targets); do
        has_key "${dumpdir}/train/spk2utt" "${spk}" || inputs+=("${folder}/dump/target_${spk}_labeled")
    done
    module "table1/${row}/labeled" ctap.bin.merge_data_dirs --in "${folder}/dump/train" \
        --out "${folder}/dump/labeled/feats.scp" -- --inputs "${inputs[@]}" --out_dir "${folder}/dump/labeled"
}

# given_system ROW DUMP: acoustic and semantic model of a representation that was dumped.
given_system() {
    local base=table1/$1 given=$2
    training "${base}/acoustic" finetune "${acoustic_config}" "${dumpdir}/train" "${dumpdir}/dev" "${given}/train" -- \
        --reads speech --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" --given "${given}"
    training "${base}/semantic" semantic "${semantic_config}" "${dumpdir}/train" "${dumpdir}/dev" \
        "${expdir}/${base}/acoustic/model" -- --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" \
        --init "${expdir}/${base}/acoustic/model" --given "${given}"
    compare_system "$1" "${expdir}/${base}/semantic/model" "${given}"
}

# ctap_system ROW: pretraining of a CTAP row, and where it has no decoder of its own, one.
ctap_system() {
    local base=table1/$1 model=${expdir}/table1/$1/ctap/model config
    config=$(config_of "$1")
    training "${base}/ctap" pretrain "${config}" "${dumpdir}/train" "${dumpdir}/dev" "${dumpdir}/stats.json" -- \
        --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" "${table1_options[@]}"
    if [[ $1 == ctap_no_decoder ]]; then
        training "${base}/acoustic" finetune "${acoustic_config}" "${dumpdir}/train" "${dumpdir}/dev" "${model}" -- \
            --reads speech --train_dir "${dumpdir}/train" --dev_dir "${dumpdir}/dev" --init "${model}"
        model=${expdir}/${base}/acoustic/model
    fi
    compare_system "$1" "${model}" ""
}

# compare_system ROW MODEL GIVEN: representation, ASR, TTS and VC of a system; GIVEN is its dump, "" for CTAP's own.
compare_system() {
    local base=table1/$1 model=$2 given=$3 test=${expdir}/eval/test spk
    local speech=${test}/wav.scp sources=${expdir}/eval/vc_sources/wav.scp
    local -a with=() with_test=()
    if [[ -n ${given} ]]; then
        with=(--given "${given}")
        with_test=(--given "${given}/test")
        chosen "${speech}" "${given}/test/feats.scp" "${expdir}/${base}/lists/test.scp"
        chosen "${sources}" "${given}/test/feats.scp" "${expdir}/${base}/lists/vc_sources.scp"
        speech=${expdir}/${base}/lists/test.scp sources=${expdir}/${base}/lists/vc_sources.scp
    fi
    network "score_${base}/representation" ctap.bin.score_representation --in "${model}" --in "${test}" \
        --out "${expdir}/${base}/representation/scores.json" -- --model "${model}" --data_dir "${test}" \
        --out "${expdir}/${base}/representation" --name "${base}/representation" \
        --seed "${seed}" --config "$1" "${with_test[@]}"
    training "${base}/asr" asr "${asr_config}" "${dumpdir}/labeled" "${dumpdir}/dev" "${model}" -- \
        --train_dir "${dumpdir}/labeled" --dev_dir "${dumpdir}/dev" --init "${model}" "${with[@]}" "${table1_asr_options[@]}"
    recognize "${speech}" "${base}/asr" "${expdir}/${base}/asr/model"
    rate "${base}/asr" asr "${test}" "${expdir}/recognized/${base}/asr" "${expdir}/${base}/asr/scores.json" true "${asr_config}"
    for spk in $(targets); do
        # Section 2.2.1 and 2.2.2, as in stages 4 and 5.
        training "${base}/vc_${spk}" finetune "${finetune_config}" "${dumpdir}/target_${spk}_speech" "${model}" -- \
            --reads speech --train_dir "${dumpdir}/target_${spk}_speech" --init "${model}" "${with[@]}" \
            "${table1_finetune_options[@]}"
        convert_to "${spk}" "${expdir}/${base}/vc_${spk}/model" "${sources}" "${base}/vc_${spk}/test"
        score_vc "${base}/vc_${spk}" "${spk}" "${expdir}/${base}/vc_${spk}/test" "$1"
        rate_vc "${base}/vc_${spk}" "${expdir}/${base}/vc_${spk}/test"
        training "${base}/tts_${spk}" finetune "${labeled_config}" "${dumpdir}/target_${spk}_labeled" \
            "${expdir}/${base}/vc_${spk}/model" -- --reads phonemes --train_dir "${dumpdir}/target_${spk}_labeled" \
            --init "${expdir}/${base}/vc_${spk}/model" "${with[@]}" "${table1_finetune_options[@]}"
        # Durations are those that the recipe's duration model has drawn: the same for all.
        say_as_given "${base}/tts_${spk}" "${spk}" "${expdir}/tts_${spk}/test" test
        say_as_given "${base}/tts_${spk}" "${spk}" "${expdir}/eval/target_${spk}" test_given
        score_tts "${base}/tts_${spk}" "${spk}" "${expdir}/${base}/tts_${spk}/test" \
            "${expdir}/${base}/tts_${spk}/test_given" "$1"
        rate_tts "${base}/tts_${spk}" "${spk}" "${expdir}/${base}/tts_${spk}/test"
    done
}

# The paper's CTAP in a target's voice, from the representation of the very recording.
ground_truth() {
    local model=$1 spk said name
    for spk in $(targets); do
        name=table1/ground_truth/tts_${spk}
        said=${expdir}/${name}/test
        convert_to "${spk}" "${model}/tts_${spk}/model" "${expdir}/eval/target_${spk}/wav.scp" "${name}/test"
        score_tts "${name}" "${spk}" "${said}" "${said}" ctap_paper
        rate_tts "${name}" "${spk}" "${said}"
    done
}

# Recordings and their mels through the vocoder, scored like any system.
anchors() {
    local spk kind suffix said
    resynthesize vc_sources
    for spk in $(targets); do
        for kind in recording vocoded; do
            suffix=""
            [[ ${kind} == recording ]] || suffix=_vocoded
            said=${expdir}/eval/target_${spk}${suffix}
            score_tts "table1/${kind}/tts_${spk}" "${spk}" "${said}" "${said}" "${kind}"
            rate_tts "table1/${kind}/tts_${spk}" "${spk}" "${said}"
            said=${expdir}/eval/vc_sources${suffix}
            score_vc "table1/${kind}/vc_${spk}" "${spk}" "${said}" "${kind}"
            rate_vc "table1/${kind}/vc_${spk}" "${said}"
        done
    done
}

# made_before ROW: whether stages 3 to 6 have made this very row.
made_before() {
    [[ $(config_of "$1") == "${train_config}" && ${table1_args} == "${train_args}" &&
        ${table1_asr_args} == "${asr_args}" && -z ${table1_finetune_args} ]]
}

# kind_of ROW: where its representation comes from (upstream, dump, ctap); nothing if there is no such row.
kind_of() {
    case $1 in
        codec | wav2vec2 | hubert | whisper) echo upstream ;;
        logmel) echo dump ;;
        *) [[ -z $(config_of "$1") ]] || echo ctap ;;
    esac
}

# upstream_system ROW: a system of another model; why it is left out, if so, stands in exp/table1/ROW.left_out.
upstream_system() {
    local row=$1 kind=$1 status=0 weights folder=${expdir}/table1/$1
    local -a own=() check=()
    weights=$(weights_of "${row}")
    case ${row} in
        codec) own=(--bandwidth "${codec_bandwidth}") check=("${own[@]}") ;;
        hubert) kind=hubert_frames check=(--layer "${hubert_layer}") ;; # its k-means comes later
    esac
    "${python}" -m ctap.bin.check_upstream --kind "${kind}" --model "${weights}" "${check[@]}" \
        >"${folder}.check" 2>&1 || status=$?
    if ((status == 3)); then
        log "stage 7: ${row} is left out: ${weights} can't be had (docs/upstream.md says how)"
        tail -n 1 "${folder}.check" >"${folder}.left_out" || unwritable "${folder}.left_out"
        return
    elif ((status)); then
        cat "${folder}.check" >&2
        return "${status}"
    fi
    dump_upstream "${row}" "${weights}" "${own[@]}"
    given_system "${row}" "${folder}/dump"
}

# one_row ROW: a system from beginning to end.
one_row() {
    local row=$1
    log "stage 7, system ${row}"
    rm -f "${expdir}/table1/${row}.left_out"
    case $(kind_of "${row}") in
        upstream) upstream_system "${row}" ;;
        dump) given_system "${row}" "${dumpdir}" ;;
        ctap) made_before "${row}" || ctap_system "${row}" ;;
    esac
}

# all_rows: the systems, --table1_jobs of them at a time.
all_rows() {
    local row threads running=0 failed=0
    threads=$(($(nproc) / table1_jobs))
    for row in ${systems}; do
        if ((running == table1_jobs)); then
            wait -n || failed=1
            running=$((running - 1))
        fi
        ((failed == 0)) || break
        (
            trap - INT # which the shell would keep from what it starts in the background
            trap '(($? == 0)) || log "error: stage 7: row ${row} is not finished" >&2' EXIT
            ((ngpu > 0 || table1_jobs == 1)) || export OMP_NUM_THREADS=$((threads < 1 ? 1 : threads))
            one_row "${row}"
        ) &
        running=$((running + 1))
    done
    for (( ; running > 0; running--)); do
        wait -n || failed=1
    done
    ((failed == 0)) || exit 1
}

stage_7() {
    local spk row model paper=""
    local -a shown=() skipped=()
    for row in ${systems}; do
        if [[ -z $(kind_of "${row}") ]]; then
            log "error: --systems: '${row}' is no row of the table (ctap/report/paper_table1.py)" >&2
            exit 2
        fi
    done
    for spk in $(targets); do
        if [[ ! -s ${expdir}/tts_${spk}/scores_recognition.json || ! -s ${expdir}/vc_${spk}/scores.json ]]; then
            log "error: stage 7 compares systems with what stages 4 to 6 made; run them first" >&2
            exit 1
        fi
    done
    mkdir -p "${expdir}/table1"
    anchors # first: it looks through what all rows share
    all_rows
    for row in ${systems}; do
        model=${expdir}/table1/${row}
        if [[ -e ${model}.left_out ]]; then
            skipped+=("${row}=$(<"${model}.left_out")")
            continue
        fi
        [[ ${row} != ctap_* ]] || ! made_before "${row}" || model=${expdir}
        [[ ${row} != ctap_paper ]] || paper=${model}
        shown+=("${row}=${model}")
    done
    if [[ -n ${paper} ]]; then
        ground_truth "${paper}"
        shown+=("ground_truth=${expdir}/table1/ground_truth")
    fi
    shown+=("recording=${expdir}/table1/recording" "vocoded=${expdir}/table1/vocoded")
    ((${#skipped[@]} == 0)) || skipped=(--skipped "${skipped[@]}")
    "${python}" -m ctap.bin.table1 --systems "${shown[@]}" --out "${expdir}/TABLE1.md" --html "${expdir}/TABLE1.html" \
        "${skipped[@]}"
    log "table:    ${here}/${expdir}/TABLE1.md, to listen: ${here}/${expdir}/TABLE1.html"
}
