#!/usr/bin/env bash
# What a GPU is to be checked and measured with, in one go: figures of docs/speed.md and docs/contrastive.md.
#   tools/bench/gpu.sh OUT_DIR
# Losses beside each other, the paper-size training step, stages 3 to 6 of egs/mini under `precision: auto` and
# `16-mixed`, both at once, and the tests that use a GPU meanwhile. Logs are OUT_DIR/*.log.
set -euo pipefail
if (($# != 1)); then
    echo "usage: tools/bench/gpu.sh OUT_DIR" >&2
    exit 2
fi
if ! command -v nvidia-smi >/dev/null; then
    echo "gpu.sh: error: there is no nvidia-smi; this measures an NVIDIA GPU" >&2
    exit 1
fi
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
export PYTHONPATH=${root}${PYTHONPATH:+:${PYTHONPATH}} PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1

# took NAME COMMAND...: run it with its output in OUT_DIR/NAME.log, and say how long it took and how it ended.
took() {
    local name=$1 rc=0 started=${SECONDS}
    shift
    "$@" >"${out}/${name}.log" 2>&1 || rc=$?
    echo "${name}: exit status ${rc}, $((SECONDS - started)) s" | tee -a "${out}/summary.log"
}

recipe() { (CDPATH='' cd -- egs/mini/ctap1 && ./run.sh --ngpu 1 --nj "$(nproc)" "$@"); }

nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader | tee "${out}/summary.log"
took stages_0_to_2 recipe --stage 0 --stop_stage 2 &
for tf32 in "" --tf32; do
    took "contrastive${tf32}" python tools/bench/contrastive.py --device cuda --hold 4 --repeats 5 \
        --frames 2048 8192 30000 --only usual tiled triton inf_cl torch_linear ${tf32:+"${tf32}"}
done
took train_step python tools/bench/train_step.py --device cuda --config egs/TEMPLATE/ctap1/conf/ctap.yaml \
    --lengths aishell3 --steps 20 --warm_up 5
took train_step_mini python tools/bench/train_step.py --device cuda --lengths aishell3 --steps 30 --warm_up 5
wait
took auto recipe --stage 3 --stop_stage 6 --expdir exp_auto &
took 16_mixed recipe --stage 3 --stop_stage 6 --expdir exp_16 --all_args "--trainer.precision 16-mixed" &
took tests timeout 200 python -m pytest -q -n 6 -p no:cacheprovider test/loss test/nn test/tasks test/models
wait
for name in auto 16; do
    cp "egs/mini/ctap1/exp_${name}/RESULTS.md" "${out}/RESULTS_${name}.md" || true
done
