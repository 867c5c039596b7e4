#!/usr/bin/env bash
# Usage: download.sh DIR [--checksum HEX] [--url URL] [--keep_archive true|false]
# Fetches AISHELL-3 (19 GB) to DIR/data_aishell3, going on where an earlier attempt stopped. Run only if asked for.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (see download.py --help)"
exec "${python:-python3}" "$(dirname "${BASH_SOURCE[0]}")/download.py" --out_dir "$@"
