#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# Stage 0, the part that only you know: your corpus to one data directory.
#
# Write into OUT_DIR, one line each, one space after the first word:
#
#   wav.scp     utterance, path of its audio file (whatever libsndfile reads, at any rate)
#   utt2spk     utterance, speaker; an utterance's name must start with its speaker's, and speakers' names be of
#               one length (spk01, spk02, ... spk10)
#   text        utterance, its hanzi, or what is said in another language (--language) as that is written; and/or
#   pinyin      utterance, its syllables such as `ni3 hao3`: tone 1-5, v for ü
#   spk2gender  speaker, m or f; if you know it
#   utt2part    utterance, train, dev or test; if the corpus says so
#   utt2lang    utterance, its language; with several (--languages)
#   phones      utterance, its phones, in the place of text; with --language custom:FILE
#
# The rest is the same for every corpus: audio is checked, pinyin and phones are made, what can't be used is left
# out, counted, and named in data/local/skipped.tsv; then train, dev, test and target speakers are divided.
set -euo pipefail

corpus=""                # root of the corpus
# shellcheck disable=SC2034 # given by the recipe
downloaddir=downloads    # where a corpus that is fetched or made goes

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../path.sh"
. parse_options.sh
. log.sh

(($# == 1)) || die "expected one argument, the data directory to write (see --help)"
[[ -n ${corpus} ]] || die "where is the corpus? Give --corpus DIR"
[[ -d ${corpus} ]] || die "--corpus ${corpus}: no such directory"
out=$1
mkdir -p "${out}"

# An example, for <corpus>/<speaker>/<name>.wav with the text of each in <name>.txt beside it. Replace it by what
# fits your corpus; for anything longer, call a Python script that lies beside this file.
while IFS= read -r wav; do
    speaker=$(basename "$(dirname "${wav}")")
    utterance=${speaker}-$(basename "${wav}" .wav)
    printf '%s %s\n' "${utterance}" "${wav}" >&3
    printf '%s %s\n' "${utterance}" "${speaker}" >&4
    [[ -f ${wav%.wav}.txt ]] || continue
    IFS=$' \t\r\n' read -r -d '' -a words <"${wav%.wav}.txt" || true # all of the file, on one line
    ((${#words[@]} > 0)) || continue                              # left out by stage 0, and named
    printf '%s %s\n' "${utterance}" "${words[*]}" >&5
done < <(find -L "${corpus}" -name '*.wav' | LC_ALL=C sort) \
    3>"${out}/wav.scp" 4>"${out}/utt2spk" 5>"${out}/text"
