#!/usr/bin/env bash
# Fetch AISHELL-3 (19 GB) into a directory; only run when asked for (--download true).
# Options are those of download.py: --out_dir DIR [--checksum HEX] [--url URL] [--keep_archive true|false]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="${here}/../../../..${PYTHONPATH:+:${PYTHONPATH}}"
exec "${python:-python3}" "${here}/download.py" "$@"
