#!/usr/bin/env bash
# Usage: data.sh --corpus DIR OUT_DIR
# CSMSC to one data directory: wav.scp, text, utt2spk and more. Checking, phones and the division into sets follow;
# they are every corpus's.
set -euo pipefail

corpus=""                # root of the corpus: the directory of Wave/ and ProsodyLabeling/, or the one BZNSYP/ lies in
downloaddir=downloads    # where stage -1 puts the corpus; used if --corpus is not given

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/log.sh
. log.sh

(($# == 1)) || die "expected one argument, the data directory to write (see --help)"
"${python:-python3}" "$(dirname "${BASH_SOURCE[0]}")/prepare_csmsc.py" --corpus "${corpus:-${downloaddir}}" \
    --out_dir "$1"
