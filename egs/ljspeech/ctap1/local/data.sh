#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# LJSpeech to one data directory: wav.scp, text, utt2spk, spk2gender. Checking, phones and the division into sets
# follow; they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of metadata.csv and wavs/, or the one LJSpeech-1.1/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
read_corpus prepare_ljspeech.py
