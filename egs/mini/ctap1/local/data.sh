#!/usr/bin/env bash
# Usage: data.sh [--corpus DIR] OUT_DIR
# Speaks the embedded corpus, unless there is one, and reads it as AISHELL-3, whose layout it has.
set -euo pipefail

corpus=""                # an embedded corpus that is there already
downloaddir=downloads    # where a new one goes

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
. parse_options.sh
. log.sh

(($# == 1)) || die "expected one argument, the data directory to write (see --help)"
here=$(dirname "${BASH_SOURCE[0]}")
if [[ -z ${corpus} ]]; then
    corpus=${downloaddir}/mini
    [[ -d ${corpus} ]] || "${python:-python3}" "${here}/make_corpus.py" "${corpus}"
fi
"${here}/../../../aishell3/ctap1/local/data.sh" --corpus "${corpus}" "$1"
