# shellcheck shell=bash
# How programs here start a Python module of the toolkit; to be sourced.
#
#   run_module MODULE ARGUMENT...   with the active environment, or else that of `make env`, as path.sh takes it

run_module() {
    local root python=python3
    root=$(CDPATH='' cd -- "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
    # conda's base does not count as active
    if [[ -z ${VIRTUAL_ENV:-} && ${CONDA_DEFAULT_ENV:-base} == base && -x ${root}/.venv/bin/python ]]; then
        python=${root}/.venv/bin/python
    fi
    PYTHONPATH=${root}${PYTHONPATH:+:${PYTHONPATH}} exec "${python}" -m "$@"
}
