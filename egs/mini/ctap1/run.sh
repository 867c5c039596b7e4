#!/usr/bin/env bash
# The embedded corpus, spoken by eSpeak NG here and now: the whole recipe in minutes on a laptop, no download.
#   ./run.sh
#   ./run.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")"

./ctap.sh \
    --target_speakers "SSB7009 SSB7010" \
    --labeled_minutes 2 \
    --dev_utts 24 \
    --train_config conf/ctap_mini.yaml \
    --finetune_config conf/finetune_mini.yaml \
    --labeled_config conf/finetune_labeled_mini.yaml \
    --duration_config conf/duration_mini.yaml \
    --duration_adapt_config conf/duration_adapt_mini.yaml \
    --asr_config conf/asr_mini.yaml \
    --judge_config conf/judge_mini.yaml \
    --units 600 \
    --eval_utts 48 \
    --vc_utts 10 \
    --max_refs 4 \
    --systems "ctap_no_decoder ctap_mse_embed ctap_phoneme_decoder ctap_paper ctap_ours logmel" \
    --no_decoder_config conf/ablations/ctap_no_decoder_mini.yaml \
    --mse_embed_config conf/ablations/ctap_mse_embed_mini.yaml \
    --phoneme_decoder_config conf/ablations/ctap_phoneme_decoder_mini.yaml \
    --paper_config conf/ablations/ctap_paper_mini.yaml \
    --ours_config conf/ctap_mini.yaml \
    --acoustic_config conf/acoustic_mini.yaml \
    --semantic_config conf/semantic_mini.yaml \
    --table1_jobs 2 \
    --table1_args "--trainer.max_steps 300 --trainer.epoch_steps 150" \
    --table1_asr_args "--trainer.max_steps 220" \
    --table1_finetune_args "--trainer.max_steps 100" \
    "$@"
