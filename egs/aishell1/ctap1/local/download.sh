#!/usr/bin/env bash
# Usage: download.sh DIR [--mirror URL] [--keep_archive true|false]
# Fetches AISHELL-1 (15 GB) to DIR/data_aishell, the archives of its speakers unpacked, then the speakers' genders,
# which can be done without, to DIR/resource_aishell; goes on where an earlier attempt stopped. Run only if asked for.
# --mirror: OpenSLR, or a server with the same files, such as https://openslr.elda.org/resources.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
fetch=("${python:-python3}" -m ctap.bin.fetch_archive --out_dir "$1" --mirror https://www.openslr.org/resources)
"${fetch[@]}" --name data_aishell --url 33/data_aishell.tgz --size 15582913665 \
    --checksum 2f494334227864a8a8fec932999db9d8 --nested 'wav/*.tar.gz' "${@:2}"
# What options say of the corpus's archive (--url, --checksum and the like) doesn't hold for this one.
"${fetch[@]}" "${@:2}" --name resource_aishell --url 33/resource_aishell.tgz --size 1246920 \
    --checksum 957d480a0fcac85fc18e550756f624e5 ||
    log "warning: no resource_aishell: target speakers are chosen without regard to gender" >&2
