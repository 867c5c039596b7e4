#!/usr/bin/env bash
# AISHELL-1 (OpenSLR 33): 178 hours of Mandarin, 400 speakers. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/data_aishell                   # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching the corpus (15 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --num_targets 4 \
    --labeled_minutes 10 \
    "$@"
