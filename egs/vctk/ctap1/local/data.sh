#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# VCTK to one data directory: wav.scp, text, utt2spk and more. Checking, phones and the division into sets follow;
# they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of wav48_silence_trimmed/ (or wav48/) and txt/, or the one VCTK-Corpus-0.92/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given
microphone=mic1         # mic1 or mic2

# shellcheck source=utils/read_corpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../../utils/read_corpus.sh"
read_corpus prepare_vctk.py --microphone "${microphone}"
