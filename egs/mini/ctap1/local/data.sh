#!/usr/bin/env bash
# Usage: data.sh [--corpus DIR] OUT_DIR
# Speaks the embedded corpus (nothing is downloaded, the same bytes every time), unless one is given, and reads it
# as AISHELL-3, whose layout it has in Mandarin. The language is that of the recipe (--language: mandarin, espeak:VOICE,
# or english, which the voice en-us speaks). phoneme_events.tsv beside it tells where the phones are: for scoring alone.
set -euo pipefail

corpus=""                # an embedded corpus that is there already
downloaddir=downloads    # where a new one goes
minutes=3                # train part of each ordinary speaker
target_minutes=4.5       # train part of each of the two target speakers
test_minutes=0.8         # test part of each speaker
speakers=24              # ordinary speakers, 1 to 24
corpus_seed=0            # of texts and voices
jobs=2                   # processes that speak

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
here=$(dirname "${BASH_SOURCE[0]}")
language=${CTAP_LANGUAGE:-mandarin}
[[ ${language} != english ]] || language=espeak:en-us
make=("${here}/make_corpus.py")
[[ ${language} == mandarin ]] || make=("${here}/make_language_corpus.py" --language "${language}")
if [[ -z ${corpus} ]]; then
    corpus=${downloaddir}/mini
    [[ ${language} == mandarin ]] || corpus=${downloaddir}/mini_${language#*:}
    "${python:-python3}" "${make[@]}" "${corpus}" --minutes "${minutes}" \
        --target_minutes "${target_minutes}" --test_minutes "${test_minutes}" --speakers "${speakers}" \
        --seed "${corpus_seed}" --jobs "${jobs}"
fi
if [[ ${language} == mandarin ]]; then
    "${here}/../../../aishell3/ctap1/local/data.sh" --corpus "${corpus}" "${tables_dir}"
else
    read_corpus prepare_mini.py
fi
