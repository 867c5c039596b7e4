#!/usr/bin/env bash
# Usage: shell_scripts.sh
# Prints every shell script of the repository, one a line: files that end in .sh, and files whose first line names
# sh or bash. Data, experiments and environments are not looked at. `make lint` gives them to shellcheck.
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/.."

find . \( -name .git -o -name '.venv*' -o -name __pycache__ -o -path './egs/*/*/data' -o -path './egs/*/*/dump' \
    -o -path './egs/*/*/exp' -o -path './egs/*/*/downloads' -o -path './build' -o -path './dist' \) -prune \
    -o -type f -print | LC_ALL=C sort | while IFS= read -r file; do
    case ${file##*/} in
        *.sh)
            echo "${file#./}"
            ;;
        ?*.*) ;;
        *)
            first=""
            IFS= read -r -n 100 first <"${file}" 2>/dev/null || true
            [[ ! ${first} =~ ^\#!.*[/\ ](ba)?sh(\ |$) ]] || echo "${file#./}"
            ;;
    esac
done
