#!/usr/bin/env bash
# Primewords Set 1 (OpenSLR 47): 100 hours of Mandarin, 16 kHz. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/primewords_md_2018_set1        # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching the corpus (9 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --labeled_minutes 15 \
    "$@"
