# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 5: voice conversion (section 2.2.2): test utterances of other speakers in each target's voice.

stage_5() {
    local spk out data=${expdir}/eval/vc_sources
    # Before the judge, which takes hours and would not miss it.
    [[ -e ${ctap_model} ]] || die "stage 5: ${ctap_model} does not exist; run stage 3 first, or name its --tag"
    choose_test test "${vc_utts}" "${data}"
    embed_voices
    train_judge
    for spk in $(targets); do
        out=${expdir}/vc_${spk}
        finetune_speech "${spk}"
        convert_to speaker="${spk}" model="${out}/model" sources="${data}/wav.scp" out="vc_${spk}/test" \
            melody="${melody}"
        say_as_given name="vc_${spk}" speaker="${spk}" timing="${data}" part=test_from_phonemes
        score_vc name="vc_${spk}" speaker="${spk}" said="${out}/test" from_phonemes="${out}/test_from_phonemes" \
            config="${finetune_config}"
    done
}
