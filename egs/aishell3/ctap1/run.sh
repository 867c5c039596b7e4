#!/usr/bin/env bash
# AISHELL-3 (OpenSLR 93): 85 hours of Mandarin, 218 speakers. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/data_aishell3                  # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching the corpus (19 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --labeled_minutes 15 \
    "$@"
