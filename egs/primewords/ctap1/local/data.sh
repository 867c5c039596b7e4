#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# Primewords to one data directory: wav.scp, text, utt2spk. Checking, phones and the division into sets follow; they
# are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of audio_files/, or the one it lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
read_corpus prepare_primewords.py
