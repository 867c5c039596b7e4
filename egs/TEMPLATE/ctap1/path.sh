# shellcheck shell=bash
# What every script of a recipe needs on its path; to be sourced in the recipe's directory: `. ./path.sh`

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
    echo "path.sh: error: bash ${BASH_VERSION}; recipes need 4.4 or newer" >&2
    # shellcheck disable=SC2317  # reached if this file is run instead of sourced
    return 1 2>/dev/null || exit 1
fi
unset CDPATH # the user's could make cd go elsewhere, and print that to stdout
# -P: the recipe may be reached through a link; what counts is where it lies.
CTAP_ROOT=$(cd -P -- "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
export CTAP_ROOT
if [[ ! -d ${CTAP_ROOT}/ctap || ! -d ${CTAP_ROOT}/utils ]]; then
    echo "path.sh: error: ${CTAP_ROOT} is not the toolkit; a recipe lies at egs/<name>/ctap1 below it" >&2
    # shellcheck disable=SC2317  # reached if this file is run instead of sourced
    return 1 2>/dev/null || exit 1
fi

# The environment of `make env`, unless the user has activated another one (conda's base does not count).
if [[ -z ${VIRTUAL_ENV:-} && ${CONDA_DEFAULT_ENV:-base} == base && -f ${CTAP_ROOT}/.venv/bin/activate ]]; then
    # shellcheck source=/dev/null
    . "${CTAP_ROOT}/.venv/bin/activate"
fi

# Sourcing twice adds nothing.
[[ :${PATH}: == *:"${CTAP_ROOT}/utils":* ]] || export PATH=${CTAP_ROOT}/utils:${PATH}
[[ :${PYTHONPATH:-}: == *:"${CTAP_ROOT}":* ]] || export PYTHONPATH=${CTAP_ROOT}${PYTHONPATH:+:${PYTHONPATH}}

# Everything is sorted by bytes; C.UTF-8 sorts like C and lets tools read hanzi.
case $(locale -a 2>/dev/null) in
    *C.UTF-8* | *C.utf8*) export LC_ALL=C.UTF-8 ;;
    *) export LC_ALL=C ;;
esac
export PYTHONUTF8=1 PYTHONUNBUFFERED=1

# A thread that waits for others soon gives up its core: on a busy machine, trainings then take about half the time
# (docs/speed.md, "Beside other work").
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
