#!/usr/bin/env bash
# CSMSC is given out by its makers to whom they know: there is nothing to fetch without asking.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

die "CSMSC can't be fetched: ask for it at https://www.data-baker.com/data/index/TNtts and give --corpus"
