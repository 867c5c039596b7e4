#!/usr/bin/env bash
# Usage: data.sh [--corpus DIR] OUT_DIR
# Speaks the embedded corpus (nothing is downloaded, the same bytes every time), unless one is given, and reads it
# as AISHELL-3, whose layout it has in Mandarin. The language is that of the recipe (--language: mandarin, espeak:VOICE,
# english, which the voice en-us speaks, or several: "mandarin english"). phoneme_events.tsv beside it tells where the
# phones are: for scoring alone.
set -euo pipefail

corpus=""                # an embedded corpus that is there already
downloaddir=downloads    # where a new one goes
minutes=3                # train part of each ordinary speaker
target_minutes=4.5       # train part of each of the two target speakers
test_minutes=0.8         # test part of each speaker
speakers=24              # ordinary speakers, 1 to 24
corpus_seed=0            # of texts and voices
jobs=2                   # processes that speak

OF_CORPUS=(minutes target_minutes test_minutes speakers corpus_seed)
declare -A USUAL=()
for option in "${OF_CORPUS[@]}"; do USUAL[${option}]=${!option}; done && unset option
# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
here=$(dirname "${BASH_SOURCE[0]}")

# speak LANGUAGE VOICE CORPUS: the corpus CORPUS, in a language that a voice of eSpeak NG speaks.
speak() {
    local -a make=("${here}/make_corpus.py")
    [[ $1 == mandarin ]] || make=("${here}/make_language_corpus.py" --language "$2")
    "${python:-python3}" "${make[@]}" "$3" --minutes "${minutes}" \
        --target_minutes "${target_minutes}" --test_minutes "${test_minutes}" --speakers "${speakers}" \
        --seed "${corpus_seed}" --jobs "${jobs}"
}

# named DIR: with those options in its name that are not the usual ones, so that no corpus takes another's place.
named() {
    local name=$1 option
    for option in "${OF_CORPUS[@]}"; do
        [[ ${!option} == "${USUAL[${option}]}" ]] || name+=_${option}_${!option}
    done
    echo "${name}"
}

# prepare LANGUAGE OUT_DIR: the tables of the corpus in a language, which is spoken first unless it is given.
prepare() {
    local voice=${1/#english/espeak:en-us} there=${corpus}
    if [[ -z ${there} ]]; then
        there=${downloaddir}/mini
        [[ $1 == mandarin ]] || there+=_${voice#*:}
        there=$(named "${there}")
        speak "$1" "${voice}" "${there}"
    fi
    if [[ $1 == mandarin ]]; then
        "${here}/../../../aishell3/ctap1/local/data.sh" --corpus "${there}" "$2"
    else
        "${python:-python3}" "${here}/prepare_mini.py" --corpus "${there}" --out_dir "$2"
    fi
}

read -r -a languages <<<"${CTAP_LANGUAGE:-mandarin}"
if ((${#languages[@]} == 1)); then
    prepare "${languages[0]}" "${tables_dir}"
else
    [[ -z ${corpus} ]] || die "--corpus ${corpus}: not possible with several languages (--language), each of which is spoken for this run"
    declare -a made=()
    for language in "${languages[@]}"; do
        prepare "${language}" "${tables_dir}_${language#*:}"
        made+=("${language}=${tables_dir}_${language#*:}")
    done
    "${python:-python3}" "${here}/join_languages.py" "${tables_dir}" "${made[@]}"
fi
