#!/usr/bin/env bash
# Usage: download.sh DIR [--keep_archive true|false]
# Fetches AISHELL-1 (15 GB) to DIR/data_aishell, the archives of its speakers unpacked, and the speakers' genders to
# DIR/resource_aishell; goes on where an earlier attempt stopped. Run only if asked for.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
fetch=("${python:-python3}" -m ctap.bin.fetch_archive --out_dir "$1")
url=https://www.openslr.org/resources/33
"${fetch[@]}" --name resource_aishell --url "${url}/resource_aishell.tgz" --size 1246920 \
    --checksum 957d480a0fcac85fc18e550756f624e5
"${fetch[@]}" --name data_aishell --url "${url}/data_aishell.tgz" --size 15582913665 \
    --checksum 2f494334227864a8a8fec932999db9d8 --nested 'wav/*.tar.gz' "${@:2}"
