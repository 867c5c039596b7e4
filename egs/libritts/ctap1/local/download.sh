#!/usr/bin/env bash
# Usage: download.sh DIR [--mirror URL] [--keep_archive true|false] [PART]...
# Fetches parts of LibriTTS (dev-clean, test-clean and train-clean-100, unless others are named) to DIR/LibriTTS; goes
# on where an earlier attempt stopped. Run only if asked for.
# --mirror: OpenSLR, or a server with the same files, such as https://openslr.elda.org/resources.
set -euo pipefail

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/log.sh
. log.sh

(($# >= 1)) && [[ $1 != -* ]] || die "usage: download.sh DIR [option]... [part]... (options of ctap.bin.fetch_archive)"
declare -A sha256=(
    [dev-clean]=da0864e1bd26debed35da8a869dd5c04dfc27682921936de7cff9c8a254dbe1a
    [dev-other]=d413eda26f3a152ac7c9cf3658ef85504dfb1b625296e5fa83727f5186cca79c
    [test-clean]=234ea5b25859102a87024a4b9b86641f5b5aaaf1197335c95090cde04fe9a4f5
    [test-other]=33a5342094f3bba7ccc2e0500b9e72d558f72eb99328ac8debe1d9080402f10d
    [train-clean-100]=c5608bf1ef74bb621935382b8399c5cdd51cd3ee47cec51f00f885a64c6c7f6b
    [train-clean-360]=ce7cff44dcac46009d18379f37ef36551123a1dc4e5c8e4eb73ae57260de4886
    [train-other-500]=e35f7e34deeb2e2bdfe4403d88c8fdd5fbf64865cae41f027a185a6965f0a5df
)
out=$1
shift
options=() parts=()
while (($#)); do
    case $1 in
        --*)
            (($# >= 2)) || die "$1: expected a value"
            options+=("$1" "$2")
            shift
            ;;
        *)
            [[ -n ${sha256[$1]:-} ]] || die "$1: no part of LibriTTS; expected ${!sha256[*]}"
            parts+=("$1")
            ;;
    esac
    shift
done
((${#parts[@]})) || parts=(dev-clean test-clean train-clean-100)
for part in "${parts[@]}"; do
    "${python:-python3}" -m ctap.bin.fetch_archive --out_dir "${out}" --name LibriTTS --part "${part}" \
        --mirror https://www.openslr.org/resources --url "60/${part}.tar.gz" \
        --checksum "${sha256[${part}]}" "${options[@]}"
done
