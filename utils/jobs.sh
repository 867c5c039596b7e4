# shellcheck shell=bash disable=SC2154 # the variables are those of the recipe and its cmd.sh
# How a recipe's work is cut into jobs, and through which launcher and on which device they run; to be sourced.
#
#   jobs_for LIST [MOST]                       how many jobs so many utterances are worth, at most MOST (nj)
#   parallel JOBS LOG_DIR MODULE [OPTION]...   work of the data stages, through train_cmd, on processors
#   networks JOBS LOG_DIR MODULE [OPTION]...   work of networks, through decode_cmd, on their device
#   one_network LOG MODULE [OPTION]...         the same in a single job, which takes no share
#   network_jobs                               jobs of networks worth having at a time
#   in_jobs HOW LIST DIR LOG_DIR MODULE [OPTION]...
#                                              `parallel` or `networks`, in as many jobs as LIST is worth, which write
#                                              into DIR; then their number is in `jobs`, for what joins that
#
# Reads nj, decode_nj (0: as said at network_jobs), device (auto, cpu, cuda), ngpu, train_cmd, decode_cmd, python.

jobs_for() {
    local lines jobs most=${2:-${nj}}
    lines=$(wc -l <"$1")
    jobs=$(((lines + 7) / 8))
    echo $((jobs < 1 ? 1 : jobs < most ? jobs : most))
}

# on_gpu: whether networks run on GPUs. With auto they do where the recipe was given GPUs, not where one merely is:
# what this machine sees says nothing of the machines that jobs go to.
on_gpu() { [[ ${device} == cuda ]] || { [[ ${device} == auto ]] && ((ngpu > 0)); }; }

# network_jobs: as asked for, else one a GPU, or on processors as many as the data stages have.
network_jobs() {
    if ((decode_nj > 0)); then
        echo "${decode_nj}"
    elif on_gpu; then
        echo $((ngpu > 0 ? ngpu : 1))
    else
        echo "${nj}"
    fi
}

parallel() { _launch "${train_cmd}" "$@"; }

networks() {
    if on_gpu; then
        _launch "${decode_cmd} --gpu 1" "$@" --device cuda
    else
        _launch "${decode_cmd}" "$@" --device cpu
    fi
}

one_network() {
    local log=$1 use="" where=cpu
    shift
    ! on_gpu || use="--gpu 1" where=cuda
    # shellcheck disable=SC2086 # the launcher and its options are words
    ${decode_cmd} ${use} "${log}" "${python}" -m "$@" --device "${where}"
}

in_jobs() {
    local how=$1 list=$2 folder=$3 most=${nj}
    [[ ${how} != networks ]] || most=$(network_jobs)
    jobs=$(jobs_for "${list}" "${most}")
    rm -rf "${folder}" # where another number of jobs may have left more
    "${how}" "${jobs}" "${@:4}"
}

# _launch LAUNCHER JOBS LOG_DIR MODULE [OPTION]...: python -m MODULE in so many jobs of one thread each.
_launch() {
    local launcher=$1 jobs=$2 logs=$3 module=$4
    shift 4
    # shellcheck disable=SC2086 # the launcher and its options are words
    ${launcher} CTAP_JOB=1:"${jobs}" "${logs}/${module##*.}.CTAP_JOB.log" \
        env OMP_NUM_THREADS=1 "${python}" -m "${module}" "$@" --job CTAP_JOB --num_jobs "${jobs}"
}
