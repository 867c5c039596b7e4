# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 7: the systems of the paper's Table 1 (section 3.2), each with an acoustic model, a phoneme
# model and both target voices of its own, all with the durations, the vocoder and the scores of the recipe.

stage_7() {
    local spk row model paper=""
    local -a shown=() skipped=() parts=()
    for spk in $(targets); do
        if [[ ! -s ${expdir}/tts_${spk}/scores_recognition.json || ! -s ${expdir}/vc_${spk}/scores.json ]]; then
            log "error: stage 7 compares systems with what stages 4 to 6 made; run them first" >&2
            exit 1
        fi
    done
    mkdir -p "${expdir}/table1"
    rows_made=" "
    for row in ${systems}; do
        ! made_before "${row}" || rows_made+="${row} "
    done
    if [[ ${rows_made} != " " ]]; then # spoken and heard as the other rows are, whatever vocoder it had been
        stage_4
        stage_5
        stage_6
    fi
    anchors # before the rows: it looks through what all of them share
    all_rows
    for row in ${systems}; do
        model=${expdir}/table1/${row}
        if [[ -e ${model}.left_out ]]; then
            skipped+=("${row}=$(<"${model}.left_out")")
            continue
        fi
        if is_made "${row}"; then
            model=${expdir}
            own "${row}" "${tag}" asr
        else
            own "${row}" ctap acoustic semantic representation asr
        fi
        [[ ${row} != ctap_paper ]] || paper=${model}
        shown+=("${row}=${model}")
    done
    if [[ -n ${paper} ]]; then
        ground_truth "${paper}"
        shown+=("ground_truth=${expdir}/table1/ground_truth")
        own ground_truth
    fi
    for row in recording vocoded; do
        shown+=("${row}=${expdir}/table1/${row}")
        own "${row}"
    done
    ((${#skipped[@]} == 0)) || skipped=(--skipped "${skipped[@]}")
    "${python}" -m ctap.bin.table1 --systems "${shown[@]}" --out "${expdir}/TABLE1.md" --html "${expdir}/TABLE1.html" \
        --parts "${parts[@]}" "${skipped[@]}"
    log "table:    $(place "${expdir}")/TABLE1.md, to listen: $(place "${expdir}")/TABLE1.html"
}

# own ROW [NAME]...: which experiments are those of a row, besides the voices of this run's target speakers: the
# directories may hold those of another run, too -> parts
own() {
    local row=$1 name spk
    for name in "${@:2}"; do parts+=("${row}=${name}"); done
    for spk in $(targets); do parts+=("${row}=tts_${spk}" "${row}=vc_${spk}"); done
}

# Recordings and their mels through the vocoder, scored like any system.
anchors() {
    local spk kind suffix said
    resynthesize vc_sources
    for spk in $(targets); do
        resynthesize "target_${spk}"
        for kind in recording vocoded; do
            suffix=""
            [[ ${kind} == recording ]] || suffix=_vocoded
            said=${expdir}/eval/target_${spk}${suffix}
            score_tts name="table1/${kind}/tts_${spk}" speaker="${spk}" said="${said}" timed="${said}" config="${kind}"
            said=${expdir}/eval/vc_sources${suffix}
            score_vc name="table1/${kind}/vc_${spk}" speaker="${spk}" said="${said}" config="${kind}"
        done
    done
}

# all_rows: the systems, --table1_jobs of them at a time.
all_rows() {
    local row threads running=0 failed=0
    threads=$(($(processors) / table1_jobs))
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

# one_row ROW: a system from beginning to end.
one_row() {
    local row=$1
    log "stage 7, system ${row}"
    rm -f "${expdir}/table1/${row}.left_out"
    case $(kind_of "${row}") in
        upstream) upstream_system "${row}" ;;
        dump) given_system "${row}" "${dumpdir}" ;;
        ctap) is_made "${row}" || ctap_system "${row}" ;;
    esac
}

# made_before ROW: whether the trainings of stages 3 to 6 are those of this very row.
made_before() {
    [[ $1 == ctap_* && -z ${pretrained} && ${melody} == model && $(config_of "$1") == "${train_config}" && ${table1_args} == "${train_args}" &&
        ${table1_asr_args} == "${asr_args}" && ${table1_finetune_args} == "${finetune_args}" &&
        ${table1_finetune_args} == "${labeled_args}" ]] && all_trained
}

# all_trained: whether these trainings are done with the options of this run. Nothing is run.
all_trained() (
    local number
    # shellcheck disable=SC2034 # of all steps
    local asking=true
    for number in 3 4 5 6; do "stage_${number}"; done
) >/dev/null 2>&1

# is_made ROW: whether this run has found that.
is_made() { [[ ${rows_made} == *" $1 "* ]]; }

# kind_of ROW: where its representation comes from (upstream, dump, ctap); nothing if there is no such row.
kind_of() {
    case $1 in
        codec | wav2vec2 | hubert | whisper) echo upstream ;;
        logmel) echo dump ;;
        *) [[ -z $(config_of "$1") ]] || echo ctap ;;
    esac
}

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
        log "stage 7: ${row} is left out: ${weights} is not available (docs/upstream.md says how to get it)"
        tail -n 1 "${folder}.check" >"${folder}.left_out" || unwritable "${folder}.left_out"
        return
    elif ((status)); then
        cat "${folder}.check" >&2
        return "${status}"
    fi
    dump_upstream "${row}" "${weights}" "${own[@]}"
    given_system "${row}" "${folder}/dump"
}

# dump_upstream ROW MODEL [OPTION]...: all sets in the representation of another system -> exp/table1/ROW/dump.
dump_upstream() {
    local row=$1 set folder=${expdir}/table1/$1 weights=$2
    [[ ! -d ${weights} ]] || weights=in:${weights}
    local -a options=(--kind "$1" --model "${weights}" "${@:3}" "${limit[@]}" "${shards[@]}" "${mel_settings[@]}")
    if [[ ${row} == hubert ]]; then
        network "table1/${row}/kmeans" ctap.bin.train_kmeans recordings:"${datadir}/train" --model "${weights}" \
            --layer "${hubert_layer}" --clusters "${hubert_clusters}" --data_dir "${datadir}/train" \
            --out out:"${folder}/kmeans.npz" --seed "${seed}" \
            "${mel_settings[@]}"
        options+=(--kmeans in:"${folder}/kmeans.npz")
    fi
    for set in $(all_sets); do
        dump_set "table1/${row}/dump_${set}" "${set}" "${folder}/dump" networks ctap.bin.dump_upstream \
            title:"${row} of ${set}" "${options[@]}"
    done
    merge_labeled "table1/${row}/labeled" "${folder}/dump" "${folder}/dump/labeled"
}

# given_system ROW DUMP: acoustic and semantic model of a representation that was dumped.
given_system() {
    local base=table1/$1 given=$2
    local -a sets=(--train_dir in:"${dumpdir}/${pretrain_on}" "${with_dev[@]}")
    sets+=(--given "${given}" read:"${given}/${pretrain_on}")
    training "${base}/acoustic" finetune "${acoustic_config}" --reads speech "${sets[@]}" -- "${acoustic_options[@]}"
    training "${base}/semantic" semantic "${semantic_config}" "${sets[@]}" \
        --init in:"${expdir}/${base}/acoustic/model" -- "${semantic_options[@]}"
    compare_system "$1" "${expdir}/${base}/semantic/model" "${given}"
}

# ctap_system ROW: pretraining of a CTAP row, and where it has no decoder of its own, one.
ctap_system() {
    local base=table1/$1 model=${expdir}/table1/$1/ctap/model
    local -a sets=(--train_dir in:"${dumpdir}/${pretrain_on}" "${with_dev[@]}")
    training "${base}/ctap" pretrain "$(config_of "$1")" read:"${dumpdir}/stats.json" "${sets[@]}" \
        -- "${table1_options[@]}"
    if [[ $1 == ctap_no_decoder ]]; then
        training "${base}/acoustic" finetune "${acoustic_config}" --reads speech "${sets[@]}" --init in:"${model}" \
            -- "${acoustic_options[@]}"
        model=${expdir}/${base}/acoustic/model
    fi
    compare_system "$1" "${model}" ""
}

# compare_system ROW MODEL GIVEN: representation, ASR, TTS and VC of a system; GIVEN is its dump, "" for CTAP's own.
compare_system() {
    local base=table1/$1 model=$2 given=$3 test=${expdir}/eval/test spk
    local exp=${expdir}/table1/$1 heard=${expdir}/recognized
    local speech=${test}/wav.scp sources=${expdir}/eval/vc_sources/wav.scp
    local -a with_units=()
    text_units
    local -a unchanged=()
    if [[ -n ${given} ]]; then
        unchanged=(--voice.warp 0 --voice.tilt 0) # the voice in it can't be changed, whatever the configuration says
        chosen "${speech}" "${given}/test/feats.scp" "${exp}/lists/test.scp"
        chosen "${sources}" "${given}/test/feats.scp" "${exp}/lists/vc_sources.scp"
        speech=${exp}/lists/test.scp sources=${exp}/lists/vc_sources.scp
    fi
    network "score_${base}/representation" ctap.bin.score_representation --model in:"${model}" \
        --data_dir in:"${test}" --out into:"${exp}/representation/scores.json" --name "${base}/representation" \
        --seed "${seed}" --config "$1" ${given:+--given in:"${given}/test"}
    training "${base}/asr" asr "${asr_config}" --train_dir in:"${dumpdir}/labeled" "${with_dev[@]}" \
        --init in:"${model}" "${with_units[@]}" ${given:+--given "${given}" read:"${given}/labeled"} \
        -- "${table1_asr_options[@]}"
    recognize "${speech}" "${base}/asr" "${exp}/asr/model" ${given:+read:"${given}/test"}
    rate name="${base}/asr" task=asr data="${test}" heard="${heard}/${base}/asr" out="${exp}/asr/scores.json" \
        frames=true config="${asr_config}"
    for spk in $(targets); do
        # Section 2.2.1 and 2.2.2, as in stages 4 and 5.
        training "${base}/vc_${spk}" finetune "${finetune_config}" --reads speech \
            --train_dir in:"${dumpdir}/target_${spk}_speech" --init in:"${model}" \
            ${given:+--given "${given}" read:"${given}/target_${spk}_speech"} "${unchanged[@]}" \
            -- "${table1_finetune_options[@]}"
        convert_to speaker="${spk}" model="${exp}/vc_${spk}/model" sources="${sources}" given="${given:+${given}/test}" \
            out="${base}/vc_${spk}/test"
        score_vc name="${base}/vc_${spk}" speaker="${spk}" said="${exp}/vc_${spk}/test" config="$1"
        training "${base}/tts_${spk}" finetune "${labeled_config}" --reads phonemes \
            --train_dir in:"${dumpdir}/target_${spk}_labeled" --init in:"${exp}/vc_${spk}/model" \
            ${given:+--given "${given}" read:"${given}/target_${spk}_labeled"} "${unchanged[@]}" \
            -- "${table1_finetune_options[@]}"
        # Durations are those that the recipe's duration model has drawn: the same for all.
        say_as_given name="${base}/tts_${spk}" speaker="${spk}" timing="${expdir}/tts_${spk}/test" part=test
        say_as_given name="${base}/tts_${spk}" speaker="${spk}" timing="${expdir}/eval/target_${spk}" part=test_given
        score_tts name="${base}/tts_${spk}" speaker="${spk}" said="${exp}/tts_${spk}/test" \
            timed="${exp}/tts_${spk}/test_given" config="$1"
    done
}

# chosen LIST FEATS OUT: the entries of a feats.scp whose utterances are in LIST.
chosen() {
    mkdir -p "$(dirname "$3")"
    LC_ALL=C join <(cut -d ' ' -f 1 "$1") "$2" >"$3.part" || unwritable "$3"
    mv "$3.part" "$3"
}

# The paper's CTAP in a target's voice, from the representation of the very recording.
ground_truth() {
    local model=$1 spk said name
    for spk in $(targets); do
        name=table1/ground_truth/tts_${spk}
        said=${expdir}/${name}/test
        convert_to speaker="${spk}" model="${model}/tts_${spk}/model" sources="${expdir}/eval/target_${spk}/wav.scp" \
            out="${name}/test"
        score_tts name="${name}" speaker="${spk}" said="${said}" timed="${said}" config=ctap_paper
    done
}
