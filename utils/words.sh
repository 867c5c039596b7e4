# shellcheck shell=bash
# Text of the user's, taken as it is and never as a pattern or as code; to be sourced.
#
#   split_words NAME TEXT ARRAY  the words of option --NAME, quoted as in a shell -> ARRAY
#   quoted WORD...               the words on one line, each quoted where it needs to be
#   has_key TABLE KEY            whether a table of `key value...` lines has KEY

# split_words NAME TEXT ARRAY: '--a 1 --b "x y"' is four words. Quotes and backslashes count as in a shell, nothing else
# does: nothing is expanded or run. Status 2 and one line if a quote is not closed.
split_words() {
    local -n _words=$3
    _words=()
    [[ -n $2 ]] || return 0
    mapfile -d '' -t _words < <(python3 -IS -c '
import os, shlex, sys
try:
    words = shlex.split(sys.argv[1])
except ValueError as error:
    words, state = [], str(error)
else:
    state = "split"
sys.stdout.buffer.write(b"".join(os.fsencode(word) + b"\0" for word in [state, *words]))' "$2")
    if [[ ${_words[0]-} != split ]]; then
        printf '%s: error: --%s: %s in: %s\n' "${0##*/}" "$1" "${_words[0]-python3 failed}" "$2" >&2
        return 2
    fi
    _words=("${_words[@]:1}")
}

# quoted WORD...: so that `a "b c"` and `a b c` are told apart.
quoted() {
    (($#)) || return 0
    local line
    printf -v line '%q ' "$@"
    printf '%s\n' "${line% }"
}

# has_key TABLE KEY
has_key() { grep -qxF -e "$2" <(cut -d ' ' -f 1 "$1"); }
