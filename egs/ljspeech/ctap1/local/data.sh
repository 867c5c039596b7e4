#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# LJSpeech to one data directory: wav.scp, text, utt2spk, spk2gender. Checking, phones and the division into sets
# follow; they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of metadata.csv and wavs/, or the one LJSpeech-1.1/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/log.sh
. log.sh

(($# == 1)) || die "expected one argument, the data directory to write (see --help)"
"${python:-python3}" "$(dirname "${BASH_SOURCE[0]}")/prepare_ljspeech.py" --corpus "${corpus:-${downloaddir}}" --out_dir "$1"
