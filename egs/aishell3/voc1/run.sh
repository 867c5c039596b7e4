#!/usr/bin/env bash
# A vocoder on AISHELL-3, whose data and features are those of ../ctap1. Options given here come before yours:
#   ./run.sh --ngpu 1
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./voc.sh \
    --train_config conf/vocoder.yaml \
    "$@"
