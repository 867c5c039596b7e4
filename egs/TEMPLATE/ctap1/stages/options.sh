# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# What is asked of options before the first stage, to be sourced: a wrong one is not noticed after hours.

# wrong_option OPTION EXPECTED: ends the run.
wrong_option() {
    log "error: --$1 ${!1}: $2" >&2
    exit 2
}

# one_of OPTION WORD...: ends the run if the option is none of the words.
one_of() {
    local words="${*:2}"
    [[ -n ${!1} && ${!1} != *[[:space:]]* && " ${words} " == *" ${!1} "* ]] || wrong_option "$1" "expected one of ${words// /, }"
}

check_options() {
    local word row
    local -a skipped
    read -r -a skipped <<<"${skip_stages//[,[:space:]]/ }"
    for word in "${skipped[@]}"; do
        [[ ${word} =~ ^(-1|[0-8])$ ]] || wrong_option skip_stages "'${word}' is no stage; expected some of -1 to 8, such as \"4 5\""
    done
    skip_stages=${skipped[*]-}
    one_of pretrain_on train labeled
    one_of drop_outliers none doubtful all true false
    one_of duration_model diffusion deterministic
    one_of melody model source
    [[ -z ${transcriber} || ${transcriber} =~ ^(transformers|faster_whisper|funasr):. ]] ||
        wrong_option transcriber "expected KIND:MODEL, where KIND is transformers, faster_whisper or funasr"
    if runs 7; then
        for row in ${systems}; do
            [[ -n $(kind_of "${row}") ]] || wrong_option systems "'${row}' is no row of the table (ctap/report/paper_table1.py)"
        done
    fi
    check_paths
}

# runs STAGE...: whether one of them is asked for.
runs() {
    local one
    for one in "$@"; do
        if ((one >= stage && one <= stop_stage)) && [[ " ${skip_stages} " != *" ${one} "* ]]; then
            return 0
        fi
    done
    return 1
}

# What the user names and no stage makes. Stages that are not asked for do not read it.
check_paths() {
    local row
    [[ -z ${pretrained} ]] || check_pretrained
    runs -1 || ! runs 0 || are_there "expected the directory of the corpus" corpus
    if runs 0; then
        are_there "expected a file or directory" phones_of phone_map
        [[ ${language} != custom:* || -f ${language#custom:} ]] || wrong_option language "no such file; expected custom:FILE"
        language=$("${python}" -m ctap.text.languages "${language}") || exit 2 # as it is recorded: espeak:de for espeak:DE
    fi
    if runs 1; then
        are_there "expected a file or directory" aligner_model durations
        [[ -z ${durations} ]] || are_there "expected a file" label_table
    fi
    ! runs 1 2 7 || are_there "expected a configuration" audio_config
    if runs 2 4 5 6 7 && [[ ${vocoder} != pretrained && ${vocoder} != griffin_lim ]]; then
        are_there "expected pretrained, griffin_lim, or the directory of a vocoder" vocoder
    fi
    [[ ! ${tag} =~ ^(align|aligner|asr|duration|eval|judge|log|packed|prompts|recognized|table1|transcribed|(tts|vc)_.*)$ ]] ||
        wrong_option tag "the recipe makes exp/${tag} itself; take another name"
    ! runs 3 || are_there "expected a configuration" train_config
    ! runs 4 5 || are_there "expected a configuration" finetune_config judge_config
    ! runs 4 || are_there "expected a configuration" labeled_config duration_config duration_adapt_config
    ! runs 6 || are_there "expected a configuration" asr_config
    if runs 7; then
        are_there "expected a configuration" finetune_config labeled_config asr_config acoustic_config semantic_config
        for row in ${systems}; do
            [[ $(kind_of "${row}") != ctap ]] || are_there "expected a configuration" "${row#ctap_}_config"
        done
    fi
}

# What --pretrained names has the models that the stages need.
check_pretrained() {
    local name
    local -a needed=("${tag}")
    ! runs 4 || needed+=(duration)
    ! runs 4 5 7 || needed+=(judge)
    for name in "${needed[@]}"; do
        [[ -e ${pretrained}/${name}/model ]] || wrong_option pretrained \
            "${name}/model is not there; expected exp of a recipe that has run stages 3 and 4 (--tag: the name of its pretraining)"
    done
}

# are_there EXPECTED OPTION...: ends the run if one of these options names nothing that is there.
are_there() {
    local option
    for option in "${@:2}"; do
        [[ -z ${!option} || -e ${!option} ]] || wrong_option "${option}" "no such file or directory; $1"
    done
}
