#!/usr/bin/env bash
# VCTK 0.92: 110 speakers of English, 44 hours. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/VCTK-Corpus-0.92                   # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching the corpus (11.7 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --language espeak:en-us \
    --num_targets 4 \
    --labeled_minutes 5 \
    "$@"
