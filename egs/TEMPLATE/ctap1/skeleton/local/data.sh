#!/usr/bin/env bash
# Stage 0: a corpus to the data directories of every set.
#
# Write here, into <data_dir>/local/corpus, what only you know about your corpus, one line each, one space after
# the first word:
#
#   wav.scp     utterance, path of its audio file (whatever libsndfile reads, at any rate)
#   utt2spk     utterance, speaker; an utterance's name must start with its speaker's, and speakers' names be of
#               one length (spk01, spk02, ... spk10)
#   text        utterance, its hanzi; and/or
#   pinyin      utterance, its syllables such as `ni3 hao3`: tone 1-5, v for ü
#   spk2gender  speaker, m or f; if you know it
#
# The rest is the same for every corpus: audio is checked, pinyin and phones are made, what can't be used is left
# out, counted, and named in <data_dir>/local/skipped.tsv; then train, dev, test and target speakers are divided.
set -euo pipefail

# Options
corpus=               # root of the corpus
data_dir=data         # where the data directories go
sandhi=true           # tone sandhi where hanzi are read
min_seconds=0.1       # leave out shorter recordings
max_seconds=60        # leave out longer recordings
target_speakers=auto  # speakers set apart: auto, none, or names as "spk01 spk02"
num_targets=4         # most that auto chooses
labeled_minutes=15    # of each target speaker, with text
dev_utts=auto         # size of dev
test_share=0.1        # held out where the corpus has no test part
targets_in_train=auto # pretrain on the target speakers too
seed=0                # of every random choice

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. ./path.sh
. parse_options.sh
. log.sh

[[ -n ${corpus} ]] || die "where is the corpus? Give --corpus DIR"
[[ -d ${corpus} ]] || die "--corpus ${corpus}: no such directory"

tables=${data_dir}/local/corpus
mkdir -p "${tables}"

# An example, for <corpus>/<speaker>/<name>.wav with the text of each in <name>.txt beside it. Replace it by what
# fits your corpus; for anything longer, call a Python script that lies beside this file.
while IFS= read -r wav; do
    speaker=$(basename "$(dirname "${wav}")")
    utterance=${speaker}-$(basename "${wav}" .wav)
    printf '%s %s\n' "${utterance}" "${wav}" >&3
    printf '%s %s\n' "${utterance}" "${speaker}" >&4
    [[ ! -f ${wav%.wav}.txt ]] || printf '%s %s\n' "${utterance}" "$(tr -d '[:space:]' <"${wav%.wav}.txt")" >&5
done < <(find -L "${corpus}" -name '*.wav' | sort) \
    3>"${tables}/wav.scp" 4>"${tables}/utt2spk" 5>"${tables}/text"

python3 -m ctap.bin.prepare_text --in_dir "${tables}" --out_dir "${data_dir}/local/all" \
    --sandhi "${sandhi}" --min_seconds "${min_seconds}" --max_seconds "${max_seconds}"
python3 -m ctap.bin.split_targets --data_dir "${data_dir}/local/all" --out_dir "${data_dir}" \
    --target_speakers "${target_speakers}" --num_targets "${num_targets}" --labeled_minutes "${labeled_minutes}" \
    --dev_utts "${dev_utts}" --test_share "${test_share}" --targets_in_train "${targets_in_train}" --seed "${seed}"

for set in "${data_dir}"/{train,dev,test} "${data_dir}"/target_*_{labeled,test}; do
    [[ ! -d ${set} ]] || validate_data_dir "${set}"
done
for set in "${data_dir}"/target_*_speech; do
    [[ ! -d ${set} ]] || validate_data_dir --no_text "${set}"
done
