#!/usr/bin/env bash
# Usage: download.sh DIR [--mirror URL] [--keep_archive true|false]
# Fetches THCHS-30 (6.4 GB) to DIR/data_thchs30, going on where an earlier attempt stopped. Run only if asked for.
# --mirror: OpenSLR, or a server with the same files, such as https://openslr.elda.org/resources.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
exec "${python:-python3}" -m ctap.bin.fetch_archive --name data_thchs30 --size 6453425169 \
    --mirror https://www.openslr.org/resources --url 18/data_thchs30.tgz \
    --checksum 2d2252bde5c8429929e1841d4cb95e90 --out_dir "$@"
