#!/usr/bin/env bash
# Usage: download.sh DIR [--keep_archive true|false] [--checksum SHA256]
# Fetches LJSpeech (2.6 GB) to DIR/LJSpeech-1.1; goes on where an earlier attempt stopped. Run only if asked for.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... (those of ctap.bin.fetch_archive)"
"${python:-python3}" -m ctap.bin.fetch_archive --out_dir "$1" --name LJSpeech-1.1 \
    --url https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2 \
    --checksum be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5 "${@:2}"
