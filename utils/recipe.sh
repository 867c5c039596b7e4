# shellcheck shell=bash
# What a recipe's script has behind its options: log lines, steps, words, jobs; to be sourced after parse_options.sh.
# Ends the script if an argument is left that no option took. What the script starts ends with it.

# shellcheck source=utils/log.sh
. log.sh
# shellcheck source=utils/run_step.sh
. run_step.sh
# shellcheck source=utils/words.sh
. words.sh
# shellcheck source=utils/jobs.sh
. jobs.sh

# shellcheck disable=SC2034  # the recipe's directory, for its stages
here=$(pwd)
if (($#)); then
    log "error: unexpected argument '$1' (see --help)" >&2
    exit 2
fi

if [[ ! ${device:=auto} =~ ^(auto|cpu|cuda)$ ]]; then
    log "error: --device ${device}: expected cpu, cuda or auto; CUDA_VISIBLE_DEVICES says which GPUs" >&2
    exit 2
fi

# whole_numbers OPTION...: ends the script if one of these options is no whole number.
whole_numbers() {
    local option
    for option in "$@"; do
        [[ ${!option} =~ ^-?(0|[1-9][0-9]*)$ ]] || die "--${option} ${!option}: expected a whole number"
    done
}

# at_least LEAST OPTION...: the same, or one below LEAST.
at_least() {
    local least=$1 option
    shift
    whole_numbers "$@"
    for option in "$@"; do ((${!option} >= least)) || die "--${option} ${!option}: expected ${least} or more"; done
}

# directories OPTION...: drops the slashes that completion leaves behind a name, or each step would be another one.
directories() {
    local option value
    for option in "$@"; do
        value=${!option}
        while [[ ${value} == ?*/ ]]; do value=${value%/}; done
        printf -v "${option}" '%s' "${value}"
    done
}

# not_empty OPTION...: ends the script if one of these options, a directory, is empty: what is in it would lie in /.
not_empty() {
    local option
    for option in "$@"; do [[ -n ${!option} ]] || die "--${option} '': expected a directory"; done
}

# in_order: ends the script if the first stage comes after the last, and so nothing would be done.
in_order() {
    # shellcheck disable=SC2154 # options of the script
    ((stage <= stop_stage)) || die "--stage ${stage}: nothing to do, --stop_stage is ${stop_stage}; for this stage alone add --stop_stage ${stage}"
}

# processors: of this machine that this process may use; nproc takes OMP_NUM_THREADS, a job's threads, for them.
processors() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

# place PATH: as it is to be printed, from the root.
place() { if [[ $1 == /* ]]; then echo "$1"; else echo "${here}/$1"; fi; }

# What this script starts must not outlive it, even if it is killed.
export CTAP_RUN=$$.${RANDOM}${RANDOM}
guard.py $$ </dev/null &>/dev/null &
disown
