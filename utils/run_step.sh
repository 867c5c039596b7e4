# shellcheck shell=bash
# Steps that are done once and again only if what they read has changed; to be sourced.
#
#   run_step --mark FILE [--name TEXT] [--in PATH]... [--opt KEY=VALUE]... [--out PATH]... [--fresh PATH]...
#            -- COMMAND [ARGUMENT]...
#
#   --mark FILE      written when the command has succeeded; holds the fingerprint of options and inputs
#   --name TEXT      what log lines call the step (default: the name of the mark)
#   --in PATH        a file, a directory (all files below it) or a quoted glob that the step reads; must exist
#   --opt KEY=VALUE  an option that the result depends on
#   --out PATH       what the step makes: must exist afterwards, and the step is repeated if it is gone
#   --fresh PATH     removed before the step is redone because something changed, so that nothing old is resumed
#
# The step is skipped if the mark holds the same fingerprint, unless ${force} is "true". COMMAND is run as it is
# given, in a subshell with `set -e`; it may be a shell function (whose variables do not come back). It sees
#   CTAP_STEP_CHANGED      true if an earlier result or attempt must not be built upon (changed input, --force)
#   CTAP_STEP_FINGERPRINT  the fingerprint, to keep beside checkpoints
# Two runs of one step exclude each other; what a killed run left running is stopped first.
#
# Call it as a plain command. In a condition (`run_step ... || ...`, `if run_step ...`) bash switches `set -e`
# off for everything inside, so a shell function would go on after a failing line.

_step_utils=$(CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=utils/log.sh
. "${_step_utils}/log.sh"

# step_is_done --mark FILE [--in PATH]... [--opt KEY=VALUE]... [--out PATH]...: whether run_step would skip this step.
step_is_done() { python3 -IS "${_step_utils}/done.py" ask "$@" 2>/dev/null; }

run_step() {
    # Names are prefixed because a shell function given as command sees them.
    local _step_mark="" _step_name="" _step_output _step_line _step_status=0 _step_lock _step_begin=${SECONDS}
    local -a _step_args=()
    while (($#)); do
        case $1 in
            --)
                break
                ;;
            --mark | --name | --in | --opt | --out | --fresh)
                if (($# < 2)) || [[ $2 == -- ]]; then
                    log "error: run_step: $1 needs a value" >&2
                    return 2
                fi
                [[ $1 != --mark ]] || _step_mark=$2
                [[ $1 != --name ]] || _step_name=$2
                _step_args+=("$1" "$2")
                shift 2
                ;;
            *)
                log "error: run_step: unexpected '$1' before -- (is a glob not quoted?)" >&2
                return 2
                ;;
        esac
    done
    if (($# < 2)) || [[ -z ${_step_mark} ]]; then
        log "error: run_step: expected --mark FILE ... -- COMMAND" >&2
        return 2
    fi
    shift
    _step_name=${_step_name:-${_step_mark##*/}}
    # In a group, or bash would say it in words of its own and end the script.
    if ! mkdir -p "$(dirname "${_step_mark}")" ||
        ! { exec {_step_lock}>>"$(dirname "${_step_mark}")/.${_step_mark##*/}.lock"; }; then
        log "error: ${_step_name}: can't write to $(dirname "${_step_mark}")" >&2
        return 1
    fi

    [[ ${force:-false} != true ]] || _step_args+=(--force)
    _step_output=$(python3 -IS "${_step_utils}/done.py" check --owner $$ --lock_fd "${_step_lock}" \
        "${_step_args[@]}") || _step_status=$?
    local _step_state="" _step_print=""
    while IFS= read -r _step_line; do
        if [[ -z ${_step_state} ]]; then
            read -r _step_state _step_print <<<"${_step_line}"
        else
            log "${_step_name}: ${_step_line}"
        fi
    done <<<"${_step_output}"
    if ((_step_status)) || [[ ${_step_state} == "done" ]]; then
        exec {_step_lock}>&-
        return "${_step_status}"
    fi

    local -x CTAP_STEP_CHANGED=false CTAP_STEP_FINGERPRINT=${_step_print}
    [[ ${_step_state} != changed ]] || CTAP_STEP_CHANGED=true
    local _step_errexit=false
    [[ $- != *e* ]] || _step_errexit=true
    set +e
    (
        set -e
        "$@"
    )
    _step_status=$?
    if ((_step_status == 0)); then
        python3 -IS "${_step_utils}/done.py" finish "${_step_args[@]}"
        _step_status=$?
    fi
    [[ ${_step_errexit} == false ]] || set -e
    exec {_step_lock}>&-
    if ((_step_status)); then
        log "error: ${_step_name}: failed with status ${_step_status} ($1)" >&2
    else
        log "${_step_name}: done in $((SECONDS - _step_begin)) s"
    fi
    return "${_step_status}"
}
