#!/usr/bin/env bash
# Usage: setup_env.sh DIR
# Makes the virtual environment DIR (`make env` does: .venv) or completes the one that is there.
#
# Variables:
#   PYTHON           interpreter to make it from (default: python3, else python3.13 ... python3.10)
#   TORCH_INDEX_URL  package index to look for torch and torchaudio in, besides the configured one, for example
#                    the one of a CUDA version; default: on Linux without an NVIDIA driver that of the CPU builds
#
# A set-up that was killed is started over, unless DIR was made by somebody else. tools/README.md says more.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cpu_index=https://download.pytorch.org/whl/cpu
pins=${root}/tools/constraints.txt
speaker_encoder=Resemblyzer

say() { echo "env: $*"; }
die() {
    echo "env: error: $*" >&2
    exit 1
}

if (($# != 1)) || [[ $1 == -* ]]; then
    sed -n '2,/^set /{/^set /!p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2
    exit 2
fi
env=${1%/}
ours=${env}/.made_by_ctap         # in environments that this script may clear
unfinished=${env}.setting_up      # beside them while it works; left by a killed set-up
trap 'exit 130' INT
trap 'exit 143' TERM

# new_enough PYTHON: whether it is Python 3.10 or newer.
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
    local candidate
    if [[ -n ${PYTHON:-} ]]; then
        command -v "${PYTHON}" >/dev/null || die "PYTHON=${PYTHON}: no such program"
        new_enough "${PYTHON}" || die "PYTHON=${PYTHON} is $("${PYTHON}" -V 2>&1); Python 3.10 or newer is needed"
        echo "${PYTHON}"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
        if command -v "${candidate}" >/dev/null && new_enough "${candidate}"; then
            echo "${candidate}"
            return
        fi
    done
    die "Python 3.10 or newer is needed, found $(python3 -V 2>&1 || echo none); install one, or name it: make env PYTHON=/path/to/python3"
}

make_venv() {
    local python
    python=$(find_python)
    "${python}" -c 'import venv, ensurepip' 2>/dev/null ||
        die "$("${python}" -V 2>&1) comes without venv; on Debian and Ubuntu: apt-get install python3-venv"
    say "making ${env} with $("${python}" -V 2>&1)"
    touch "${unfinished}"
    "${python}" -m venv "$@" "${env}" || die "${python} -m venv ${env} failed; its message is above"
    touch "${ours}"
}

pip() { "${env}/bin/python" -m pip --disable-pip-version-check "$@"; }

# install ARGUMENT...: pip install, with what to do if it fails.
install() {
    local status=0
    local -a quiet=()
    [[ -t 1 ]] || quiet=(--quiet)
    pip install --no-compile "${quiet[@]}" "$@" || status=$?
    ((status > 0)) || return 0
    # pip has ended by itself, so what is there is whole; a killed one leaves the mark, and the next run starts over.
    ((status > 128)) || rm -f "${unfinished}"
    die "pip install $* failed with status ${status}: see what it said above; \`make env\` again continues from here"
}

# Whether torch will find an NVIDIA driver.
has_gpu() { [[ -e /proc/driver/nvidia/version ]] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; }

answers() {
    "${env}/bin/python" - "$1" <<'END' 2>/dev/null
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/torch/", method="HEAD"), timeout=5)
END
}

# The build of torch decides what everything else drags in, so it goes first.
install_torch() {
    local pin
    pin=$(sed -n 's/^torch==\([^ ;]*\).*/\1/p' "${pins}")
    if "${env}/bin/python" -c 'import sys, importlib.metadata as m
sys.exit(m.version("torch").split("+")[0] != sys.argv[1])' "${pin}" 2>/dev/null; then
        return
    fi
    if [[ -n ${TORCH_INDEX_URL:-} ]]; then
        say "torch ${pin}, also from ${TORCH_INDEX_URL}"
        install -c "${pins}" --extra-index-url "${TORCH_INDEX_URL}" torch torchaudio
    elif [[ $(uname -s) != Linux ]] || has_gpu; then
        say "torch ${pin}"
        install -c "${pins}" torch
    elif pip install --quiet --dry-run --no-deps "torch==${pin}+cpu" >/dev/null 2>&1; then
        say "torch ${pin}, CPU build of the configured index (no NVIDIA driver here)"
        install -c "${pins}" "torch==${pin}+cpu"
    elif answers "${cpu_index}"; then
        say "torch ${pin}, CPU build (no NVIDIA driver here; TORCH_INDEX_URL chooses another)"
        install -c "${pins}" --extra-index-url "${cpu_index}" torch torchaudio
    else
        say "torch ${pin} as the configured index has it; it may be a CUDA build of some gigabytes"
        install -c "${pins}" torch
    fi
}

if [[ -e ${unfinished} ]]; then
    say "an earlier set-up of ${env} was cut off; starting over"
    make_venv --clear
elif [[ ! -e ${env} ]]; then
    make_venv
elif [[ ! -f ${env}/pyvenv.cfg ]]; then
    die "${env} exists and is not a virtual environment; name another: make env CTAP_ENV=DIR"
fi
new_enough "${env}/bin/python" || die "${env} has $("${env}/bin/python" -V 2>&1); Python 3.10 or newer is needed: remove it and run again"

"${env}/bin/python" -m pip --version >/dev/null 2>&1 || die "${env} has no working pip: remove it and run again"

rm -f "${env}/.ready"
[[ ! -e ${ours} ]] || touch "${unfinished}"
install_torch
say "ctap and what it needs, at the versions of tools/constraints.txt"
install -c "${pins}" -e "${root}[dev,eval]"
install -c "${pins}" --no-deps "${speaker_encoder}"
"${env}/bin/python" "${root}/tools/fix_torchaudio.py"
# Byte code of what every command imports, written once and here: where PYTHONDONTWRITEBYTECODE is set (containers
# often do), each start would compile it again, which takes longer than most commands.
env -u PYTHONDONTWRITEBYTECODE "${env}/bin/python" -W ignore -c \
    'import ctap.bin.train, ctap.models.inference, lightning, matplotlib.figure, resemblyzer, torch.utils.tensorboard'
touch "${env}/.ready"
rm -f "${unfinished}"
say "ready: . ${env}/bin/activate"
