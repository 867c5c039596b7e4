#!/usr/bin/env bash
# Usage: download.sh DIR [--mirror URL] [--size BYTES] [--checksum MD5_OR_SHA256] [--keep_archive true|false]
# Fetches Primewords (9 GB) to DIR/primewords_md_2018_set1, going on where an earlier attempt stopped. Run only if
# asked for. The size is that of the recipes of Kaldi (multi_cn) and ESPnet; --size 0 takes what the server says. Its
# publisher names no checksum; give one that you know.
# --mirror: OpenSLR, or a server with the same files, such as https://openslr.elda.org/resources.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
exec "${python:-python3}" -m ctap.bin.fetch_archive --name primewords_md_2018_set1 --size 9057625192 \
    --mirror https://www.openslr.org/resources --url 47/primewords_md_2018_set1.tar.gz --out_dir "$@"
