# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# Stage 8: the models in files of their own, with prompts.

stage_8() {
    local spk
    for spk in $(targets); do
        pack "tts_${spk}" --prompt in:"$(prompt_of "${spk}")"
        pack "vc_${spk}" --prompt in:"$(prompt_of "${spk}")"
    done
    pack asr
    compgen -G "${expdir}/packed/*.zip" >/dev/null || die "stage 8: no model of stages 4 to 6 in ${expdir} (--expdir)"
}

# pack EXPERIMENT [WORD]...: its model, if there is one -> exp/packed/EXPERIMENT.zip
pack() {
    local model=${expdir}/$1/model
    [[ ! -e ${model} ]] || module "pack_$1" ctap.bin.pack --model in:"${model}" "${@:2}" \
        --out out:"${expdir}/packed/$1.zip"
}
