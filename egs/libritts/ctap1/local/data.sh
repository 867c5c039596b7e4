#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# LibriTTS to one data directory: wav.scp, text, utt2spk and more. Checking, phones and the division into sets follow;
# they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of train-clean-100/ and others, or the one LibriTTS/ or LibriTTS_R/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given
parts=""                 # those to read, such as "train-clean-100 dev-clean"; default: all there are

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
# shellcheck disable=SC2086 # parts are words
read_corpus prepare_libritts.py ${parts:+--parts ${parts}}
