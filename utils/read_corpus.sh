# shellcheck shell=bash
# What the local/data.sh of a corpus has behind its options, if a reader in Python lies beside it; to be sourced.
# Parses the options, as parse_options.sh says, and the one argument, the data directory to write.
#
#   corpus=""                # root of the corpus
#   downloaddir=downloads    # where stage -1 puts it; used if --corpus is not given
#   . ../../../../utils/read_corpus.sh    # from the script's own directory
#   read_corpus prepare_name.py

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. "$(dirname "${BASH_SOURCE[0]}")/../egs/TEMPLATE/ctap1/path.sh"
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/log.sh
. log.sh

(($# == 1)) || die "expected one argument, the data directory to write (see --help)"
tables_dir=$1

# read_corpus READER [OPTION...]: runs the reader beside the script on the corpus, with more options of its own.
read_corpus() {
    local reader=$1
    shift
    "${python:-python3}" "$(dirname "$0")/${reader}" --corpus "${corpus:-${downloaddir}}" --out_dir "${tables_dir}" "$@"
}
