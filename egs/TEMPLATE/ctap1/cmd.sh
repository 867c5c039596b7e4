# shellcheck shell=bash
# Where jobs run. Edit this file, or choose for one run: `CTAP_CMD=slurm ./run.sh ...`
#
# A command is used as `${train_cmd} JOB=1:N log/x.JOB.log command ... JOB`; see `run_local --help` and
# `run_slurm --help`.

cmd_backend=${CTAP_CMD:-local}

case ${cmd_backend} in
    local)
        # This machine. Add `--max-jobs-run 4` to run fewer jobs at a time than there are cores.
        train_cmd="run_local"  # work on a CPU: preparation, features
        cuda_cmd="run_local"   # training, gets `--gpu N` from the recipe
        decode_cmd="run_local" # networks in use: synthesis, recognition, dumps; gets `--gpu 1` if on GPUs
        ;;
    slurm)
        # Options that run_slurm does not know go to sbatch: put your partition, account and limits here.
        train_cmd="run_slurm --mem 4G --time 1-0"
        cuda_cmd="run_slurm --mem 32G --time 4-0"
        decode_cmd="run_slurm --mem 8G --time 1-0"
        ;;
    *)
        echo "cmd.sh: error: unknown backend '${cmd_backend}', expected local or slurm" >&2
        # shellcheck disable=SC2317  # reached if this file is run instead of sourced
        return 1 2>/dev/null || exit 1
        ;;
esac
export train_cmd cuda_cmd decode_cmd
