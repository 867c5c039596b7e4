#!/usr/bin/env bash
# Stage 0: AISHELL-3, or a corpus in its layout, to the data directories of every set.
#
# Writes <data_dir>/local/all (everything usable), <data_dir>/local/skipped.tsv (what was left out, and why),
# <data_dir>/{train,dev,test,target_<spk>_{speech,labeled,test}} and <data_dir>/target_speakers.
set -euo pipefail

corpus=               # root of the corpus: the directory of train/ and test/, or the one data_aishell3/ lies in
data_dir=data         # where the data directories go
sandhi=false          # tone sandhi where hanzi are read (AISHELL-3 brings its own pinyin)
min_seconds=0.1       # leave out shorter recordings
max_seconds=60        # leave out longer recordings
target_speakers=auto  # speakers set apart: auto, none, or names as "SSB0005 SSB0009"
num_targets=4         # most that auto chooses
labeled_minutes=15    # of each target speaker, with text
dev_utts=auto         # size of dev
test_share=0.1        # held out where the corpus has no test part
targets_in_train=auto # pretrain on the target speakers too
seed=0                # of every random choice

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "${HERE}/../../../.." && pwd)
# shellcheck source=/dev/null
. "${ROOT}/utils/parse_options.sh"
export PYTHONPATH="${ROOT}${PYTHONPATH:+:${PYTHONPATH}}"
python=${python:-python3}

if [ -z "${corpus}" ]; then
    echo "error: --corpus DIR: where AISHELL-3 is (or let run.sh fetch it with --download true)" >&2
    exit 1
fi
"${python}" "${HERE}/prepare_aishell3.py" --corpus "${corpus}" --out_dir "${data_dir}/local/corpus"
"${python}" -m ctap.bin.prepare_text --in_dir "${data_dir}/local/corpus" --out_dir "${data_dir}/local/all" \
    --sandhi "${sandhi}" --min_seconds "${min_seconds}" --max_seconds "${max_seconds}"
"${python}" -m ctap.bin.split_targets --data_dir "${data_dir}/local/all" --out_dir "${data_dir}" \
    --target_speakers "${target_speakers}" --num_targets "${num_targets}" --labeled_minutes "${labeled_minutes}" \
    --dev_utts "${dev_utts}" --test_share "${test_share}" --targets_in_train "${targets_in_train}" --seed "${seed}"

with_text=()
for set in "${data_dir}"/{train,dev,test} "${data_dir}"/target_*_{labeled,test}; do
    [ ! -d "${set}" ] || with_text+=("${set}")
done
"${python}" -m ctap.bin.validate_data_dir "${with_text[@]}"
if [ -s "${data_dir}/target_speakers" ]; then
    "${python}" -m ctap.bin.validate_data_dir --no_text "${data_dir}"/target_*_speech
fi
