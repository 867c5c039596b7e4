#!/usr/bin/env bash
# Usage: download.sh DIR [--mirror URL] [--checksum HEX] [--url URL] [--keep_archive true|false]
# Fetches AISHELL-3 (19 GB) to DIR/data_aishell3, going on where an earlier attempt stopped. Run only if asked for.
# The size of the archive is known and checked; a checksum is not known to us, so the content is verified only
# against one that you give.
# --mirror: OpenSLR, or a server with the same files, such as https://openslr.elda.org/resources.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
exec "${python:-python3}" -m ctap.bin.fetch_archive --name data_aishell3 --size 19057141777 \
    --mirror https://www.openslr.org/resources --url 93/data_aishell3.tgz --out_dir "$@"
