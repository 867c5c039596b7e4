# shellcheck shell=bash
# Options of a script, Kaldi-style; to be sourced after the script has set their defaults.
#
#   nj=4          # number of parallel jobs
#   force=false   # repeat finished steps
#   . parse_options.sh
#
# `--nj 8` or `--nj=8` then sets nj. Lower-case variables that the script has set are its options; dashes in an
# option count as underscores. A variable whose default is true or false may be given bare (`--force`). A default
# that is a number asks for a number. `--config FILE` sets what its lines `name=value` say, as if it stood there: what
# comes later wins. A value may stand in quotes, and a comment behind it. Parsing ends at the first argument that is not
# an option, or at `--`; what is left are the script's arguments. `--help` prints the comment at the top of the script,
# and the options that are set at the start of a line above the one that sources this file, with their defaults and
# comments; comment lines between them become headings. `here=$(command)` without a comment is taken for no option there.

# Prints the options of script $1: `heading<TAB>text`, `option<TAB>name<TAB>comment`, `more<TAB>comment`.
_po_list() {
    local line in_header=true
    while IFS= read -r line; do
        if [[ ${in_header} == true ]]; then
            [[ ${line} != '#'* ]] || continue
            in_header=false
        fi
        if [[ ${line} =~ ^(\.|source)[[:space:]].*(parse_options|read_corpus)\.sh ]]; then
            return 0
        elif [[ ${line} == [a-z]*=\$\(* && ${line} != *'#'* ]]; then
            : # computed, and not described: no option
        elif [[ ${line} =~ ^([a-z][a-z0-9_]*)=(\"[^\"]*\"|\'[^\']*\'|[^[:space:]\"\']*)[[:space:]]*(#[[:space:]]*(.*))?$ ]]; then
            printf 'option\t%s\t%s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[4]}"
        elif [[ ${line} =~ ^([a-z][a-z0-9_]*)= ]]; then
            printf 'option\t%s\t\n' "${BASH_REMATCH[1]}"
        elif [[ ${line} =~ ^#[[:space:]]*(shellcheck[[:space:]].*)?$ ]]; then
            :
        elif [[ ${line} =~ ^#[[:space:]]*(.*)$ ]]; then
            printf 'heading\t%s\n' "${BASH_REMATCH[1]}"
        elif [[ ${line} =~ ^[[:space:]]+#[[:space:]]*(.*)$ ]]; then
            printf 'more\t%s\n' "${BASH_REMATCH[1]}"
        fi
    done <"$1"
}

# Prints the help of script $1.
_po_help() {
    local kind first second line
    while IFS= read -r line; do
        [[ ${line} == '#'* ]] || break
        [[ ${line} != '#!'* && ${line} != '# shellcheck '* ]] || continue
        line=${line#\#}
        printf '%s\n' "${line# }"
    done <"$1"
    printf '\nOptions, with their defaults:\n'
    while IFS=$'\t' read -r kind first second; do
        case ${kind} in
            heading) printf '\n%s\n' "${first}" ;;
            option) printf '  --%-22s %s%s\n' "${first}" "${second}${second:+ }" "(${!first-})" ;;
            more) printf '  %-24s %s\n' "" "${first}" ;;
        esac
    done < <(_po_list "$1")
    printf '\n  --%-22s %s\n' "config FILE" "options from the lines name=value of a file; the last one given wins"
    printf '  --%-22s %s\n' help "print this and stop"
}

# Prints an error for script $1 to stderr.
_po_error() {
    printf '%s: error: %s\n' "${1##*/}" "$2" >&2
}

# Succeeds if $1 is the name of an option: a lower-case shell variable that is set and not this file's.
_po_known() {
    [[ $1 =~ ^[a-z][a-z0-9_]*$ && -n ${!1+set} ]]
}

# Succeeds if the word $2 behind option $1 is another option. Options of a program, for NAME_args, are not.
_po_is_option() {
    local next=${2#--}
    [[ $1 == *_args ]] || next=${next%%=*}
    [[ $2 == --* ]] && _po_known "${next//-/_}"
}

# Says that --$2 is not an option of script $1, and which names are similar; $3 says where it stands.
_po_unknown() {
    local near
    near=$(_po_list "$1" | awk -F '\t' '$1 == "option" { print $2 }' | python3 -IS -c '
import difflib, sys
names = sys.stdin.read().split()
near = difflib.get_close_matches(sys.argv[1], names, 4, 0.6)
near += [n for n in names if sys.argv[1] in n and n not in near and len(sys.argv[1]) > 2]
print(" ".join("--" + n for n in near))' "$2") || near=""
    _po_error "$1" "${3-}no option --$2${near:+; near: ${near}} (--help lists all)"
}

# Sets option $2 of script $1 to $3, after checking its sort. An option may come twice (a recipe's choice, then
# the user's): its sort is that of the script's own default.
declare -A _po_default=()
_po_set() {
    _po_default[$2]=${_po_default[$2]-${!2}}
    local default=${_po_default[$2]}
    if [[ ${default} == true || ${default} == false ]] && [[ $3 != true && $3 != false ]]; then
        _po_error "$1" "--$2 expects true or false, not '$3'"
        return 1
    fi
    if [[ ${default} =~ ^-?[0-9]+(\.[0-9]+)?$ && ! $3 =~ ^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$ ]]; then
        _po_error "$1" "--$2 expects a number, not '$3'"
        return 1
    fi
    printf -v "$2" '%s' "$3"
}

# _po_value TEXT: a value as the shell would take it: without a comment, and without quotes around all of it.
_po_value() {
    local text=$1
    if [[ ${text} =~ ^[[:space:]]*\"([^\"]*)\"[[:space:]]*(#.*)?$ || ${text} =~ ^[[:space:]]*\'([^\']*)\'[[:space:]]*(#.*)?$ ]]; then
        text=${BASH_REMATCH[1]}
    elif [[ ${text} =~ ^([^\"\']*[^[:space:]\"\'])?[[:space:]]+#.*$ ]]; then
        text=${BASH_REMATCH[1]}
    fi
    printf '%s' "${text}"
}

# _po_file SCRIPT FILE: sets the options of SCRIPT that the lines `name=value` of FILE name.
_po_file() {
    local _po_line _po_number=0 _po_key
    if ((${#FUNCNAME[@]} > 20)); then
        _po_error "$1" "--config $2: files that name each other"
        return 1
    elif [[ ! -f $2 || ! -r $2 ]]; then
        _po_error "$1" "--config $2: can't read it; expected a file of lines name=value"
        return 1
    fi
    while IFS= read -r _po_line || [[ -n ${_po_line} ]]; do
        _po_number=$((_po_number + 1))
        _po_line=${_po_line%$'\r'}
        [[ -n ${_po_line//[[:space:]]/} && ${_po_line} != '#'* ]] || continue
        _po_key=${_po_line%%=*}
        if [[ ${_po_line} != *=* ]]; then
            _po_error "$1" "$2:${_po_number}: expected name=value, got '${_po_line}'"
            return 1
        elif [[ ${_po_key} == config ]]; then
            _po_file "$1" "${_po_line#*=}" || return 1
        elif ! _po_known "${_po_key}"; then
            _po_unknown "$1" "${_po_key}" "$2:${_po_number}: "
            return 1
        else
            _po_set "$1" "${_po_key}" "$(_po_value "${_po_line#*=}")" || return 1
        fi
    done <"$2"
}

_po_script=${BASH_SOURCE[1]:-$0}
[[ ${_po_script##*/} != read_corpus.sh ]] || _po_script=${BASH_SOURCE[2]:-$0} # which sources this for its script
while (($#)); do
    case $1 in
        --help | -h)
            _po_help "${_po_script}"
            exit 0
            ;;
        --)
            shift
            break
            ;;
        --?*)
            _po_name=${1#--}
            _po_name=${_po_name%%=*}
            _po_name=${_po_name//-/_}
            if [[ ${_po_name} == config ]] && ! _po_known config; then
                if [[ $1 != *=* ]] && (($# < 2)); then
                    _po_error "${_po_script}" "--config needs a file of lines name=value"
                    exit 1
                fi
                if [[ $1 == *=* ]]; then _po_value=${1#*=}; else _po_value=$2 && shift; fi
                _po_file "${_po_script}" "${_po_value}" || exit 1
                shift
                continue
            fi
            if ! _po_known "${_po_name}"; then
                _po_unknown "${_po_script}" "${_po_name}"
                exit 1
            fi
            if [[ $1 == *=* ]]; then
                _po_set "${_po_script}" "${_po_name}" "${1#*=}" || exit 1
                shift
            elif [[ ${!_po_name} == true || ${!_po_name} == false ]] && { (($# < 2)) || [[ $2 == -* ]]; }; then
                _po_set "${_po_script}" "${_po_name}" true
                shift
            elif (($# < 2)) || _po_is_option "${_po_name}" "$2"; then
                _po_error "${_po_script}" "--${_po_name} needs a value"
                exit 1
            else
                _po_set "${_po_script}" "${_po_name}" "$2" || exit 1
                shift 2
            fi
            ;;
        -[!0-9]*)
            _po_error "${_po_script}" "'$1' is not an option; options start with two dashes (--help lists them)"
            exit 1
            ;;
        *)
            break
            ;;
    esac
done
unset _po_name _po_value _po_script _po_default
