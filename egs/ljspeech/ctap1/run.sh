#!/usr/bin/env bash
# LJSpeech: 24 hours of English by one speaker. Options given here come before yours, which win:
#   ./run.sh --corpus /path/to/LJSpeech-1.1                   # stages 0 to 6
#   ./run.sh --stage -1 --download true                       # the same, after fetching the corpus (2.6 GB)
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --language espeak:en-us \
    --labeled_minutes 15 \
    "$@"
