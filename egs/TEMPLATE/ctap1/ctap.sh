#!/usr/bin/env bash
# shellcheck disable=SC2034 # NAME_args are read by their names; test_stage_options.py looks for options without use
# The CTAP recipe: from a corpus to a pretrained model, TTS voices, converted speech, recognised phones, scores.
#
#   ./run.sh --stage 0 --stop_stage 6
#
# -1  download the corpus (only with --download true)
#  0  data preparation                        -> data/{train,dev,test,target_<speaker>_...}
#  1  durations of phones                     -> data/<set>/{aligned_phones,durations}
#  2  log-mel features                        -> dump/<set>
#  3  CTAP pretraining                        -> exp/<tag>
#  4  minimally-supervised TTS                -> exp/tts_<speaker>
#  5  voice conversion                        -> exp/vc_<speaker>
#  6  ASR                                     -> exp/asr
#  7  the paper's Table 1: compared systems   -> exp/table1, exp/TABLE1.md, exp/TABLE1.html
#  8  packing                                 -> exp/packed
#
# Small trainings: --config conf/mini.conf (two processor cores, minutes), conf/base.conf (an evening), conf/gpu.conf
# (an hour on a GPU); the default are the paper's. CTAP_CMD=slurm before the command: through Slurm (cmd.sh).
#
# A finished step is skipped; one whose input or options have changed says what changed and runs again. A killed
# run is started again with the same command and ends with what an undisturbed run gives.

set -euo pipefail
unset CDPATH # of the user's shell: cd would go elsewhere, and say so on stdout
cd -- "$(dirname "$0")"

# General
stage=0                   # first stage
stop_stage=6              # last stage
skip_stages=""            # stages to leave out, such as "4 5" or 4,5
force=false               # repeat finished steps
nj=0                      # parallel jobs of data stages; 0: one a processor
decode_nj=0               # jobs that use networks (synthesis, recognition ...); 0: one a GPU, without GPUs as many as nj
ngpu=0                    # GPUs of one node, of trainings and of networks in use; 0: processors
nproc=1                   # processes of a node that train together where there is no GPU
num_nodes=1               # nodes that train together, under torchrun or Slurm
seed=777                  # of splits, weights, batches and noise
datadir=data              # Kaldi data directories
dumpdir=dump              # features
expdir=exp                # models, logs, results
tag=""                    # name of the pretraining; default: the name of its configuration

# Corpus
corpus=""                 # directory of the corpus
download=false            # stage -1: fetch the corpus
checksum=""               # SHA-256 or MD5 of its archive, if you know it
downloaddir=downloads     # where to
download_args=""          # more options of local/download.sh, such as parts of the corpus
data_args=""              # more options of local/data.sh
join=""                   # other corpora that are trained on, too: data/local/all of recipes whose stage 0 has run
target_speakers=auto      # kept out of pretraining: names, none, or auto
num_targets=4             # how many auto takes at most
labeled_minutes=15        # of each target speaker, with text
dev_utts=auto             # utterances of dev; 0: none, and trainings take their last weights
test_share=0.1            # of a target speaker, held out where the corpus has no test part
pretrain_on=train         # what CTAP learns from: train, or labeled: the labeled minutes of target speakers, too
targets_in_train=auto     # pretrain on target speakers too; auto: only if there are one or two speakers
min_seconds=0.1           # shorter utterances are left out, and named
max_seconds=60            # longer ones, too
language=mandarin         # of its texts: mandarin, english, espeak:VOICE (such as espeak:de), custom:FILE (egs/own_corpus.md)
languages=""              # several in one training: "mandarin english"; --language "mandarin english" says the same
phones_of=""              # model or data directory whose phones the corpus keeps to, of a language that collects them
phone_map=""              # table of phones that are not wanted, or not known there, to those that stand for them: "ʁ r"
sandhi=false              # Mandarin: tone sandhi where hanzi are read: in a corpus without pinyin, and in synthesis
spell_latin=false         # Mandarin: Latin letters by their names (KTV, T恤), there as in synthesis; false: left out, and named

# Mels
audio_config=""           # other mel settings than 24 kHz, 40 bands, hop 240: conf/audio/hifigan.yaml; needs a --vocoder for them

# Durations
aligner=gmm               # built-in aligner
aligner_model=""          # a trained aligner instead of training one
aligner_args=""           # more options of ctap.bin.train_aligner
drop_outliers=none        # doubtful: leave out utterances whose text does not seem to match; all: with an odd phone, too
textgrids=false           # write TextGrids for Praat, too: exp/align/<set>/textgrids
align_pictures=4          # alignments of train that are drawn, the least sure ones among them; 0: none
durations=""              # directory of TextGrids or durations files <set>/..., instead of aligning
label_table=""            # more ways in which its TextGrids write phones: lines such as "er  e rr | e r"

# Models
all_args=""                              # more options of every training of stages 3 to 7: "--trainer.precision 32-true";
                                         # those of the trainings' own, below, win; all are quoted as in a shell
train_config=conf/ctap.yaml              # CTAP pretraining
train_args=""                            # more of its options: "--trainer.max_steps 1000"
finetune_config=conf/finetune.yaml       # decoder and prompt encoder, on speech alone
finetune_args=""                         # more of its options
labeled_config=conf/finetune_labeled.yaml # the same, on the labeled minutes
labeled_args=""                          # more of its options
duration_config=conf/duration.yaml       # duration models, on all labeled speech
duration_args=""                         # more of its options
duration_adapt_config=conf/duration_adapt.yaml # the same, on the labeled minutes
duration_adapt_args=""                   # more of its options
duration_model=diffusion  # durations of synthesised speech: diffusion or deterministic
melody=model              # F0 of converted speech: the model's, as in the paper, or the source's, moved to the target's height
asr_config=conf/asr.yaml                 # phoneme decoder
asr_args=""                              # more of its options
units=2000                               # sentencepiece units of the CTC head, at most; 0: no head

# Waves
vocoder=pretrained        # pretrained (comes with the package), griffin_lim, or the directory of one that was trained
                          # (egs/*/voc1) or comes from elsewhere (docs/vocoder.md)

# Scores
judge_config=conf/judge.yaml # recogniser on log-mel of recordings, for error rates of what stages 4, 5 and 7 say
judge_args=""             # more of its options
eval_utts=100             # utterances of each target speaker, and of test, that are synthesised and scored
switch_penalty=4.0        # nats that a change of phone costs in recognition, of the ASR and of the judge; 0: none
vc_utts=20                # test utterances of other speakers that are converted to each target speaker
max_refs=10               # recordings a speaker that the speaker encoder hears
device=auto               # of networks in use: cpu, cuda (a GPU a job), or auto: cuda with --ngpu, else cpu
transcriber=""            # an outside recogniser for error rates of characters or words, such as "transformers:openai/whisper-small";
                          # also faster_whisper: and funasr: (some of its models run code of their own: docs/table1.md)

# Table 1 (stage 7)
systems="codec wav2vec2 hubert whisper ctap_no_decoder ctap_mse_embed ctap_phoneme_decoder ctap_paper ctap_ours logmel" # its rows
table1_jobs=1                              # rows made at a time
paper_config=conf/ctap.yaml                # the paper's CTAP
ours_config=conf/ablations/ctap_ours.yaml  # ours
no_decoder_config=conf/ablations/ctap_no_decoder.yaml # CTAP w/o decoder
mse_embed_config=conf/ablations/ctap_mse_embed.yaml # CTAP + L_mse(embed)
phoneme_decoder_config=conf/ablations/ctap_phoneme_decoder.yaml # CTAP + decoder_phoneme
acoustic_config=conf/acoustic.yaml         # acoustic model of systems without a decoder of their own
acoustic_args=""                           # more of its options
semantic_config=conf/semantic.yaml         # semantic prediction model of systems without a phoneme encoder
semantic_args=""                           # more of its options
table1_args=""                             # more options of their pretraining, such as "--trainer.max_steps 1000"
table1_asr_args=""                         # of their phoneme models
table1_finetune_args=""                    # and of their fine-tuning
codec_model=facebook/encodec_24khz         # of the compared systems: a directory, or a name on the hub
codec_bandwidth=6                          # kbit/s of its codes
wav2vec2_model=TencentGameMate/chinese-wav2vec2-base # the same
hubert_model=TencentGameMate/chinese-hubert-base # the same
whisper_model=openai/whisper-small         # the same
hubert_layer=9                             # of HuBERT, whose frames are taken
hubert_clusters=500                        # k-means of these frames

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. ./path.sh
# shellcheck source=egs/TEMPLATE/ctap1/cmd.sh
. ./cmd.sh
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/recipe.sh
. recipe.sh
if [[ ${pretrain_on} != train && ${pretrain_on} != labeled ]]; then
    log "error: --pretrain_on ${pretrain_on}: expected train or labeled" >&2
    exit 2
fi
whole_numbers stage stop_stage
at_least 0 nj decode_nj ngpu seed units align_pictures
at_least 1 nproc num_nodes num_targets eval_utts vc_utts max_refs table1_jobs
not_empty datadir dumpdir expdir downloaddir
directories datadir dumpdir expdir downloaddir corpus phones_of aligner_model durations vocoder
in_order
((nj > 0)) || nj=$(processors)
[[ -z ${languages} ]] || language=${languages}
[[ -n ${tag} ]] || tag=$(basename "${train_config}" .yaml)
ctap_exp=${expdir}/${tag}
marks=${expdir}/.done
if [[ ${vocoder} == pretrained || ${vocoder} == griffin_lim ]]; then speaks=(--vocoder "${vocoder}"); else speaks=(--vocoder in:"${vocoder}"); fi
voices=${expdir}/eval/voices
declare -a mel_settings=()
[[ -z ${audio_config} ]] || mel_settings=(--settings in:"${audio_config}")
# The words of each option NAME_args -> NAME_options
for args in $(compgen -v | grep '^[a-z].*_args$'); do
    declare -a "${args%_args}_options=()"
    split_words "${args}" "${!args}" "${args%_args}_options"
done
python=${python:-python3}
if ! "${python}" -c 'import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))' \
    torch lightning soundfile kaldiio jsonargparse; then
    log "error: ${python} has not all that recipes need; run 'make env' in ${CTAP_ROOT}, or see its tools/README.md" >&2
    exit 1
fi

# --- stages ----------------------------------------------------------------------------------------------

# Beside the file that a recipe's link leads to.
stages=$(dirname "$(readlink -f "${0##*/}")")/stages
# shellcheck source=egs/TEMPLATE/ctap1/stages/options.sh
. "${stages}/options.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/steps.sh
. "${stages}/steps.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/sets.sh
. "${stages}/sets.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/voices.sh
. "${stages}/voices.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/scores.sh
. "${stages}/scores.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/0_data.sh
. "${stages}/0_data.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/1_durations.sh
. "${stages}/1_durations.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/2_features.sh
. "${stages}/2_features.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/3_pretrain.sh
. "${stages}/3_pretrain.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/4_tts.sh
. "${stages}/4_tts.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/5_vc.sh
. "${stages}/5_vc.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/6_asr.sh
. "${stages}/6_asr.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/7_table1.sh
. "${stages}/7_table1.sh"
# shellcheck source=egs/TEMPLATE/ctap1/stages/8_pack.sh
. "${stages}/8_pack.sh"

report() {
    "${python}" -m ctap.bin.report --expdir "${expdir}" --skip table1 --out "${expdir}/RESULTS.md" --html "${expdir}/results.html"
    local exp
    exp=$(place "${expdir}")
    log "figures:  ${exp}/RESULTS.md"
    log "page:     ${exp}/results.html (pictures and sounds in it; open it in a browser)"
    log "pictures: ${exp}/*/images, ${exp}/*/samples"
    log "sounds:   ${exp}/tts_*/test*/wav, ${exp}/vc_*/test/wav"
}

# --- run -------------------------------------------------------------------------------------------------

check_options
begin_run
for current in -1 0 1 2 3 4 5 6 7 8; do
    runs "${current}" || continue
    log "stage ${current}"
    ((current < 1)) || needs_sets "${current}"
    "stage_${current}"
done
((stop_stage < 3)) || report
