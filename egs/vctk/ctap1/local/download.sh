#!/usr/bin/env bash
# Usage: download.sh DIR [--keep_archive true|false]
# Fetches VCTK 0.92 (11.7 GB) to DIR/VCTK-Corpus-0.92; goes on where an earlier attempt stopped. Run only if asked for.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
"${python:-python3}" -m ctap.bin.fetch_archive --out_dir "$1" --name VCTK-Corpus-0.92 \
    --url https://datashare.is.ed.ac.uk/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip \
    --checksum f96258be9fdc2cbff6559541aae7ea4f59df3fcaf5cf963aae5ca647357e359c "${@:2}"
