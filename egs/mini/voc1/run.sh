#!/usr/bin/env bash
# A vocoder on the embedded corpus: two processor cores, about half an hour.
#   ./run.sh
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./voc.sh \
    --train_config conf/vocoder_mini.yaml \
    "$@"
