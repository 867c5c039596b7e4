#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# AISHELL-3, or a corpus in its layout, to one data directory of what it holds: wav.scp, text, pinyin, utt2spk,
# spk2gender, utt2part, prosody. Checking, phones and the division into sets follow; they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of train/ and test/, or the one data_aishell3/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
read_corpus prepare_aishell3.py
