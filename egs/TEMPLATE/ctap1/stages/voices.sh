# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# How target speakers are made to speak, in stages 4, 5 and 7; to be sourced.

# The prompt of a target speaker: one recording of its speech.
prompt_of() { head -n 1 "${expdir}/prompts/$1"; }

# Fine-tuning on the target's speech alone: voice conversion, and the first step of TTS.
finetune_speech() {
    local spk=$1
    module "prompt_${spk}" ctap.bin.choose_prompt --data_dir in:"${datadir}/target_${spk}_speech" \
        --settings in:"${dumpdir}/audio.json" --out out:"${expdir}/prompts/${spk}"
    training "vc_${spk}" finetune "${finetune_config}" --reads speech \
        --train_dir in:"${dumpdir}/target_${spk}_speech" --init in:"${ctap_exp}/model" -- "${finetune_options[@]}"
}

# say_as_given EXPERIMENT SPEAKER TIMING NAME: the phones of TIMING with its durations -> exp/EXPERIMENT/NAME.
say_as_given() {
    local timing=$3
    generate "$4_$1" ctap.bin.synthesize title:"synthesis of $1 with the durations of ${timing}" \
        each:"${timing}/aligned_phones" --out into:"${expdir}/$1/$4/wav.scp" --model in:"${expdir}/$1/model" \
        --phones_file table:"${timing}/aligned_phones" --durations_file table:"${timing}/durations" \
        "${speaks[@]}" --prompt in:"$(prompt_of "$2")"
}

# convert_to SPEAKER MODEL SOURCES EXPERIMENT [OPTION...]: says SOURCES (a wav.scp, or what else MODEL reads) in
# exp/EXPERIMENT; the options are those of ctap.bin.convert.
convert_to() {
    generate "conversion_$4" ctap.bin.convert title:"conversion to $1 in $4" each:"$3" \
        --out into:"${expdir}/$4/wav.scp" --model in:"$2" --scp table:"$3" \
        "${speaks[@]}" --prompt in:"$(prompt_of "$1")" "${@:5}"
}

# Recordings through the vocoder, as a bound on what any model can reach with it.
resynthesize() {
    local data=${expdir}/eval/$1
    generate "vocoded_$1" ctap.bin.resynthesize title:"vocoded recordings of $1" each:"${data}/wav.scp" \
        --out into:"${data}_vocoded/wav.scp" --audio in:"${dumpdir}/audio.json" \
        "${speaks[@]}" --scp table:"${data}/wav.scp"
}
