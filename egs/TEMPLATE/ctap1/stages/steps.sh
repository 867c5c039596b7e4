# shellcheck shell=bash disable=SC2154 # the options are those of ctap.sh
# How a step is written, to be sourced. A step is done once, and again only if what it reads or is told has changed
# (utils/run_step.sh); that is taken from the words of its command, where these mean more than they say:
#
#   in:PATH         the command gets PATH, which it reads: a file, or a directory with all below it
#   table:DIR/FILE  the command gets DIR/FILE, and reads what else lies in DIR, too
#   read:PATH       read, but not told to the command
#   recordings:DIR  read: the recordings of a data directory; not told to the command
#   phones:DIR      the same of what is said in them: phones, words, whose they are, in which language
#   out:PATH        the command gets PATH, which it makes
#   into:DIR/FILE   the command gets DIR, and makes FILE there at last
#   made:PATH       made, but not told to the command
#   free:WORD       the command gets WORD, on which its result does not depend
#   opt:KEY=VALUE   what the result depends on, if it is not told to the command
#   each:LIST       of `generate`: a table with a line for each utterance; not told to the command
#   title:TEXT      what the log calls the step, if not by its name
#   --              what follows goes to the command as it is
#
# A label may stand before a path: `recording=in:PATH`. A step that reads one thing more says so in one place, its
# command. Where that is a function, what it took from an option by itself would not count: options are words, too.
#
#   step NAME COMMAND WORD...          a program, or a function
#   module NAME MODULE WORD...         a Python module, here
#   network NAME MODULE WORD...        one that computes a network, where these run
#   generate NAME MODULE WORD...       one that does so for each utterance, in several jobs
#   training NAME TASK CONFIG WORD...  a training -> exp/NAME

# The mark of a step lies in .done of the directory in which it makes something: data, dump or else exp. Runs that share
# data, each with an exp of its own, so see what the others have made of them.

# With asking=true no step is run; a training that is not done ends the shell, and all others count as done.
#
# begin_run: to be called once, before the first step; with --force each step is then repeated once, however many
# stages ask for it.
begin_run() {
    { mkdir -p "${expdir}/.done" && : >"${expdir}/.done/.begun"; } || die "${expdir}/.done: can't be written to"
}

step() { _as_step "$@"; }

module() { _as_step "$1" _module "${@:2}"; }
_module() { "${python}" -m "$@"; }

network() { _as_step "$1" _network "$@"; }
_network() { one_network "${expdir}/log/$1.log" "${@:2}"; }

generate() { _as_step "$1" _generate "$@"; }
# The tables that the jobs write are joined in the end.
_generate() {
    local jobs table
    in_jobs networks "${each}" "${folder}" "${expdir}/log/$1" "${@:2}"
    ((jobs > 1)) || return 0
    for table in "${folder}"/*.1; do
        table=${table%.1}
        LC_ALL=C sort "${table}".[0-9]* >"${table}.joined" || unwritable "${table}.joined"
        rm "${table}".[0-9]*
        mv "${table}.joined" "${table}"
    done
}

training() {
    local name=$1 task=$2 config=$3 base
    local -a shared=()
    # A configuration may stand on others (base:), which are read as well.
    while IFS= read -r base; do shared+=(read:"${base}"); done < <("${python}" -m ctap.config "${config}" | tail -n +2)
    [[ -z ${all_args} ]] || shared+=(opt:"all_args=${all_args}")
    log "training ${name}: log ${expdir}/log/train_${name}.log, curves: tensorboard --logdir ${expdir}/${name}"
    _as_step "train_${name}" _training "${name}" "${task}" in:"${config}" title:"training ${name}" \
        opt:"seed=${seed}" "${shared[@]}" made:"${expdir}/${name}/model" "${@:4}"
}
# On the devices asked for.
_training() {
    local name=$1 task=$2 config=$3
    local -a start=("${python}" -m) nodes=()
    local accelerator=cpu each=${nproc}
    ((ngpu == 0)) || accelerator=gpu each=${ngpu}
    local -a devices=(--trainer.accelerator "${accelerator}" --trainer.devices "${each}" --trainer.num_nodes "${num_nodes}")
    if ((each * num_nodes > 1)); then
        start=(torchrun --nnodes "${num_nodes}" --nproc_per_node "${each}" --max_restarts 0)
        if ((num_nodes > 1)); then
            start+=(--rdzv_backend c10d --rdzv_id "${name}")
            # Without MASTER_ADDR, run_slurm --srun takes the job's first node.
            if [[ -n ${MASTER_ADDR:-} || " ${cuda_cmd} " != *" --srun "* ]]; then
                : "${MASTER_ADDR:?with --num_nodes set MASTER_ADDR, and start the training on the other nodes: egs/README.md}"
                start+=(--rdzv_endpoint "${MASTER_ADDR}:${MASTER_PORT:-29500}")
            fi
        fi
        start+=(-m)
    fi
    # srun starts the command on each node of its job, which are as many as train together, whatever cmd.sh says.
    [[ " ${cuda_cmd} " != *" --srun "* ]] || nodes=(--num-nodes "${num_nodes}")
    # shellcheck disable=SC2086 # the launcher and its options are words
    ${cuda_cmd} "${nodes[@]}" --gpu "${ngpu}" "${expdir}/log/train_${name}.log" \
        "${start[@]}" ctap.bin.train "${task}" --config "${config}" --trainer.seed "${seed}" "${all_options[@]}" \
        "${devices[@]}" --out "${expdir}/${name}" --restart "${force}" "${@:4}"
}

# _as_step NAME WORD...: the command that the words stand for, as a step; its options begin with the first dash.
_as_step() {
    local name=$1 title=$1 each="" folder="" word label table mark first=0
    local -a about=() words=() counted=() tables
    shift
    while (($#)); do
        word=$1 label=""
        shift
        if [[ ${word} =~ ^([^:/=]+=)((in|table|out):.*)$ ]]; then
            label=${BASH_REMATCH[1]} word=${BASH_REMATCH[2]}
        fi
        case ${word} in
            in:*) about+=(--in "${word#in:}") words+=("${label}${word#in:}") ;;
            table:*)
                word=${word#table:}
                about+=(--in "${word%/*}") words+=("${label}${word}")
                ;;
            read:*) about+=(--in "${word#read:}") ;;
            recordings:* | phones:*)
                tables=(wav.scp utt2audio)
                [[ ${word} != phones:* ]] || tables=(phones utt2spk word_phones text.json)
                word=${word#*:}
                for table in "${tables[@]}"; do
                    # The first must be there; what was made elsewhere, or is of a language without words, lacks others.
                    [[ ${table} != "${tables[0]}" && ! -e ${word}/${table} ]] || about+=(--in "${word}/${table}")
                done
                ;;
            out:*) about+=(--out "${word#out:}") words+=("${label}${word#out:}") ;;
            into:*)
                word=${word#into:} folder=${word%/*}
                about+=(--out "${word}") words+=("${folder}")
                ;;
            made:*) about+=(--out "${word#made:}") ;;
            opt:*) about+=(--opt "${word#opt:}") ;;
            free:*) words+=("${word#free:}") counted[${#words[@]}-1]=free ;;
            each:*) each=${word#each:} ;;
            title:*) title=${word#title:} ;;
            --)
                words+=("$@")
                starting_points "$@"
                break
                ;;
            *) words+=("${word}") ;;
        esac
    done
    while ((first < ${#words[@]})) && [[ ${words[first]} != -* ]]; do first=$((first + 1)); done
    local -a options=("${words[@]:first}")
    for word in "${!counted[@]}"; do options[word - first]=any; done
    ((first == ${#words[@]})) || about+=(--opt "options=$(quoted "${options[@]}")")
    mark=$(place_of_marks "${about[@]}")/${name}
    if [[ ${asking:-false} == true ]]; then
        [[ ${name} != train_* ]] || step_is_done --mark "${mark}" "${about[@]}" || exit 1
        return 0
    fi
    local force=${force:-false} begun=${expdir}/.done/.begun
    [[ ! -e ${begun} || ! ${mark} -nt ${begun} ]] || force=false # repeated already
    run_step --mark "${mark}" --name "stage ${current}, ${title}" "${about[@]}" -- "${words[@]}"
}

# place_of_marks ABOUT...: where the mark of a step with this --out lies.
place_of_marks() {
    local place=${expdir}
    while (($#)); do
        if [[ $1 == --out ]]; then
            case $2 in
                "${expdir}"/*) place=${expdir} && break ;;
                "${datadir}"/*) place=${datadir} && break ;;
                "${dumpdir}"/*) place=${dumpdir} && break ;;
            esac
        fi
        shift
    done
    echo "${place}/.done"
}

# starting_points WORD...: what the user's options of a training start from is read -> about
starting_points() {
    while (($#)); do
        case $1 in
            --init=*) [[ ! -e ${1#--init=} ]] || about+=(--in "${1#--init=}") ;;
            --init) [[ -z ${2-} || ! -e $2 ]] || about+=(--in "$2") ;;
        esac
        shift
    done
}

# unwritable FILE: ends the step; the shell's own message does not name the file if its disk is full.
unwritable() { die "$1: can't be written (is the disk full?)"; }
