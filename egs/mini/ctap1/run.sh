#!/usr/bin/env bash
# The embedded corpus, spoken by eSpeak NG here and now: the whole recipe in minutes on a laptop, no download.
#   ./run.sh
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --config conf/mini.conf \
    --target_speakers "SSB7009 SSB7010" \
    --labeled_minutes 2 \
    --dev_utts 24 \
    --units 600 \
    --eval_utts 48 \
    --vc_utts 10 \
    --max_refs 4 \
    --systems "ctap_no_decoder ctap_mse_embed ctap_phoneme_decoder ctap_paper ctap_ours logmel" \
    --table1_jobs 2 \
    "$@"
