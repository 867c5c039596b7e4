#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# AISHELL-1 to one data directory: wav.scp, text, utt2spk, utt2part and, if its resources lie beside it, spk2gender.
# Checking, pinyin, phones and the division into sets follow; they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of wav/ and transcript/, or the one data_aishell/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
read_corpus prepare_aishell1.py
