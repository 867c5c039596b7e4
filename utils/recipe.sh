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

# What this script starts must not outlive it, even if it is killed.
export CTAP_RUN=$$.${RANDOM}${RANDOM}
guard.py $$ </dev/null &>/dev/null &
disown
