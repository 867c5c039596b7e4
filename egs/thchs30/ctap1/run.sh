#!/usr/bin/env bash
# THCHS-30 (OpenSLR 18): 33 hours of Mandarin with pinyin, 16 kHz. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/data_thchs30                   # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching the corpus (6.4 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --labeled_minutes 15 \
    "$@"
