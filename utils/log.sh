# shellcheck shell=bash
# Log lines for recipes; to be sourced. `2026-11-22 21:30:01 (ctap.sh) message`

# log MESSAGE...: one line on stdout.
log() {
    printf '%(%F %T)T (%s) %s\n' -1 "${0##*/}" "$*"
}

# die MESSAGE...: one line on stderr, and the script ends with status 1.
die() {
    log "error: $*" >&2
    exit 1
}
