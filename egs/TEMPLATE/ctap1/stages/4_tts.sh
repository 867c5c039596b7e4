# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 4: minimally-supervised TTS (section 2.2.1), a voice a target speaker.

stage_4() {
    local spk
    [[ -n ${pretrained} ]] || training duration duration "${duration_config}" --train_dir in:"${dumpdir}/train" \
        "${with_dev[@]}" --init in:"${ctap_model}" -- "${duration_options[@]}"
    embed_voices
    train_judge
    for spk in $(targets); do
        choose_test "target_${spk}_test" "${eval_utts}" "${expdir}/eval/target_${spk}"
        train_voice "${spk}"
        speak "${spk}"
    done
}

# Section 2.2.1, step by step: speech alone, then the labeled minutes; then durations in that voice.
train_voice() {
    local spk=$1 labeled=${dumpdir}/target_$1_labeled
    finetune_speech "${spk}"
    training "tts_${spk}_decoder" finetune "${labeled_config}" --reads phonemes --train_dir in:"${labeled}" \
        --init in:"${expdir}/vc_${spk}/model" -- "${labeled_options[@]}"
    training "tts_${spk}" duration "${duration_adapt_config}" --train_dir in:"${labeled}" \
        --init in:"${expdir}/tts_${spk}_decoder/model" --duration_init in:"${trained}/duration/model" \
        -- "${duration_adapt_options[@]}"
}

# spoken_text DATA: the table of what is said in a data directory: pinyin where a language has it, else text.
spoken_text() {
    if [[ -f $1/pinyin ]]; then echo "$1/pinyin"; else echo "$1/text"; fi
}

# Synthesises the test utterances with predicted durations and with those of the recordings; and, to show what is lost
# between text and S, from the S of the recordings.
speak() {
    local spk=$1 data=${expdir}/eval/target_$1 out=${expdir}/tts_$1
    generate "synthesis_${spk}" ctap.bin.synthesize title:"synthesis of ${spk}" each:"${data}/wav.scp" \
        --out into:"${out}/test/wav.scp" --model in:"${out}/model" --text_file table:"$(spoken_text "${data}")" \
        "${speaks[@]}" --prompt in:"$(prompt_of "${spk}")" --durations "${duration_model}" --seed "${seed}"
    say_as_given name="tts_${spk}" speaker="${spk}" timing="${data}" part=test_given
    convert_to speaker="${spk}" model="${expdir}/vc_${spk}/model" sources="${data}/wav.scp" out="vc_${spk}/own"
    resynthesize "target_${spk}"
    score_tts name="tts_${spk}" speaker="${spk}" said="${out}/test" timed="${out}/test_given" \
        from_speech="${expdir}/vc_${spk}/own" config="${labeled_config}"
}
