#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# LibriTTS to one data directory: wav.scp, text, utt2spk and more. Checking, phones and the division into sets follow;
# they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of train-clean-100/ and others, or the one LibriTTS/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given
parts=""                 # those to read, such as "train-clean-100 dev-clean"; default: all there are

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/log.sh
. log.sh

(($# == 1)) || die "expected one argument, the data directory to write (see --help)"
# shellcheck disable=SC2086 # parts are words
"${python:-python3}" "$(dirname "${BASH_SOURCE[0]}")/prepare_libritts.py" --corpus "${corpus:-${downloaddir}}" \
    --out_dir "$1" ${parts:+--parts ${parts}}
