#!/usr/bin/env bash
# LibriTTS (OpenSLR 60): 585 hours of English, 2,456 speakers. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/LibriTTS                   # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching dev-clean, test-clean and train-clean-100 (9.7 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --language espeak:en-us \
    --num_targets 4 \
    --labeled_minutes 10 \
    "$@"
