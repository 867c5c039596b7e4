# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# How target speakers are made to speak, in stages 4, 5 and 7; to be sourced. Arguments written name=value are read by `local`.

# former_voices ARRAY: what earlier runs have made of speakers who are no targets any more is added to it.
former_voices() {
    local -n former=$1
    local prompt spk gone=""
    for prompt in "${expdir}"/prompts/*; do
        spk=${prompt##*/}
        [[ -f ${prompt} && $'\n'$(targets)$'\n' != *$'\n'"${spk}"$'\n'* ]] || continue
        former+=("tts_${spk}" "tts_${spk}_decoder" "vc_${spk}")
        gone+=" ${spk}"
    done
    [[ -z ${gone} ]] || log "not in the results, being no targets any more:${gone}"
}

# The prompt of a target speaker: one recording of its speech.
prompt_of() { head -n 1 "${expdir}/prompts/$1"; }

# Fine-tuning on the target's speech alone: voice conversion, and the first step of TTS.
finetune_speech() {
    local spk=$1
    module "prompt_${spk}" ctap.bin.choose_prompt --data_dir in:"${datadir}/target_${spk}_speech" \
        --settings in:"${dumpdir}/audio.json" --out out:"${expdir}/prompts/${spk}"
    training "vc_${spk}" finetune "${finetune_config}" --reads speech \
        --train_dir in:"${dumpdir}/target_${spk}_speech" --init in:"${ctap_model}" -- "${finetune_options[@]}"
}

# say_as_given name=EXPERIMENT speaker=SPEAKER timing=DIR part=NAME: the phones of DIR with its durations
# -> exp/EXPERIMENT/NAME.
say_as_given() {
    local name speaker timing part
    local "$@"
    generate "${part}_${name}" ctap.bin.synthesize title:"synthesis of ${name} with the durations of ${timing}" \
        each:"${timing}/aligned_phones" --out into:"${expdir}/${name}/${part}/wav.scp" \
        --model in:"${expdir}/${name}/model" --phones_file table:"${timing}/aligned_phones" \
        --durations_file table:"${timing}/durations" "${speaks[@]}" --prompt in:"$(prompt_of "${speaker}")"
}

# convert_to speaker=SPEAKER model=DIR sources=LIST out=NAME [melody=MELODY] [given=DIR]: what LIST names (a wav.scp, or
# what else the model reads, of DIR) in the speaker's voice -> exp/NAME.
convert_to() {
    local speaker model sources out melody="" given=""
    local "$@"
    generate "conversion_${out}" ctap.bin.convert title:"conversion to ${speaker} in ${out}" each:"${sources}" \
        --out into:"${expdir}/${out}/wav.scp" --model in:"${model}" --scp table:"${sources}" \
        "${speaks[@]}" --prompt in:"$(prompt_of "${speaker}")" ${melody:+--melody "${melody}"} ${given:+read:"${given}"}
}

# Recordings through the vocoder, as a bound on what any model can reach with it.
resynthesize() {
    local data=${expdir}/eval/$1
    generate "vocoded_$1" ctap.bin.resynthesize title:"vocoded recordings of $1" each:"${data}/wav.scp" \
        --out into:"${data}_vocoded/wav.scp" --audio in:"${dumpdir}/audio.json" \
        "${speaks[@]}" --scp table:"${data}/wav.scp"
}
