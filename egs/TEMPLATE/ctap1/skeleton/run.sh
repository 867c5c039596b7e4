#!/usr/bin/env bash
# The options of this corpus. What is given on the command line comes after them and wins:
#   ./run.sh --stage 0 --stop_stage 6 --corpus /path/to/corpus
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

# Add the corpus's own choices here, for example `--nj 8 \`.
./ctap.sh \
    "$@"
