#!/usr/bin/env bash
# CSMSC (BZNSYP): 12 hours of Mandarin by one speaker. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/BZNSYP                   # stages 0 to 6
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --labeled_minutes 15 \
    "$@"
