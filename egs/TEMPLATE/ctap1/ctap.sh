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
# (an hour on a GPU, by estimate); the defaults are the paper's, for a GPU and a day (egs/README.md, "Which configuration").
# CTAP_CMD=slurm before the command: jobs run through Slurm (cmd.sh).
#
# A finished step is skipped; one whose input or options have changed says what changed and runs again. A killed
# run is started again with the same command and gives the same result as an uninterrupted run.

set -euo pipefail
unset CDPATH # the user's could make cd go elsewhere, and print that to stdout
cd -- "$(dirname "$0")"

# General
stage=0                   # first stage
stop_stage=6              # last stage
skip_stages=""            # stages to leave out, such as "4 5" or 4,5
force=false               # repeat finished steps
nj=0                      # parallel jobs of data stages; 0: one per processor
decode_nj=0               # jobs that use networks (synthesis, recognition ...); 0: one per GPU, or without GPUs as many as nj
ngpu=0                    # GPUs per node, for trainings and for networks in use; 0: none, processors only
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
downloaddir=downloads     # where the download goes
download_args=""          # more options of local/download.sh, such as parts of the corpus
data_args=""              # more options of local/data.sh
join=""                   # more corpora to train on: data/local/all of recipes whose stage 0 has run
target_speakers=auto      # kept out of pretraining: names, none, or auto
num_targets=4             # how many auto takes at most
labeled_minutes=15        # of each target speaker, with text
dev_utts=auto             # utterances of dev; 0: none, and trainings take their last weights
test_share=0.1            # of a target speaker, held out where the corpus has no test part
pretrain_on=train         # what CTAP learns from: train, or labeled, which adds the labeled minutes of target speakers
targets_in_train=auto     # pretrain on target speakers too; auto: only if there are one or two speakers
min_seconds=0.1           # shorter utterances are left out, and named
max_seconds=60            # longer utterances are left out, and named
language=mandarin         # of its texts: mandarin, english, espeak:VOICE (such as espeak:de), custom:FILE (egs/own_corpus.md)
languages=""              # several in one training: "mandarin english"; --language "mandarin english" says the same
phones_of=""              # model or data directory whose phones are used, for a language whose phones are collected from the corpus
phone_map=""              # table of replacements for phones that are unwanted or not known to that model: "ʁ r"
sandhi=false              # Mandarin: tone sandhi where hanzi are read: in a corpus without pinyin, and in synthesis
spell_latin=false         # Mandarin: read Latin letters by their names (KTV, T恤), in the corpus and in synthesis; false: leave them out

# Mels
audio_config=""           # mel settings other than 24 kHz, 40 bands, hop 240: conf/audio/hifigan.yaml; needs a --vocoder for them
shard_hours=""            # hours of speech in one file of features, at most; without, each of the --nj jobs writes one

# Durations
aligner=gmm               # built-in aligner
aligner_model=""          # use this trained aligner instead of training one
aligner_args=""           # more options of ctap.bin.train_aligner
drop_outliers=none        # doubtful: leave out utterances whose text does not seem to match; all: also with an odd phone
textgrids=false           # also write TextGrids for Praat: exp/align/<set>/textgrids
align_pictures=4          # alignments of train that are drawn, the least sure ones among them; 0: none
durations=""              # directory of TextGrids or durations files <set>/..., instead of aligning
label_table=""            # more spellings of phones in its TextGrids: lines such as "er  e rr | e r"

# Models
all_args=""                              # more options of every training of stages 3 to 7: "--trainer.precision 32-true";
                                         # the options of single trainings, below, override them; words are quoted as in a shell
pretrained=""                            # exp of a recipe that has run stages 3 and 4: its CTAP (--tag), duration model, judge and aligner
                                         # are used, and not trained here
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
melody=model              # F0 of converted speech: model, as in the paper, or source: the source's, shifted to the target's pitch
asr_config=conf/asr.yaml                 # phoneme decoder
asr_args=""                              # more of its options
units=2000                               # sentencepiece units of the CTC head, at most; 0: no head

# Waves
vocoder=pretrained        # pretrained (comes with the package), griffin_lim, or the directory of one that was trained
                          # (egs/*/voc1) or comes from elsewhere (docs/vocoder.md)

# Scores
judge_config=conf/judge.yaml # recogniser on log-mel of recordings, for error rates of the speech of stages 4, 5 and 7
judge_args=""             # more of its options
eval_utts=100             # utterances of each target speaker, and of test, that are synthesised and scored
switch_penalty=4.0        # nats that a change of phone costs in recognition, of the ASR and of the judge; 0: none
vc_utts=20                # test utterances of other speakers that are converted to each target speaker
max_refs=10               # recordings per speaker for the speaker encoder
device=auto               # of networks in use: cpu, cuda (one GPU per job), or auto: cuda with --ngpu, else cpu
transcriber=""            # an external recogniser for error rates of characters or words, such as "transformers:openai/whisper-small";
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
codec_model=facebook/encodec_24khz         # weights of a compared system: a directory, or a name on the hub
codec_bandwidth=6                          # kbit/s of its codes
wav2vec2_model=TencentGameMate/chinese-wav2vec2-base # the same
hubert_model=TencentGameMate/chinese-hubert-base # the same
whisper_model=openai/whisper-small         # the same
hubert_layer=9                             # layer of HuBERT whose frames are used
hubert_clusters=500                        # k-means of these frames

# shellcheck source=egs/TEMPLATE/ctap1/path.sh
. ./path.sh
# shellcheck source=egs/TEMPLATE/ctap1/cmd.sh
. ./cmd.sh
# shellcheck source=utils/parse_options.sh
. parse_options.sh
# shellcheck source=utils/recipe.sh
. recipe.sh
whole_numbers stage stop_stage
at_least 0 nj decode_nj ngpu seed units align_pictures
at_least 1 nproc num_nodes num_targets eval_utts vc_utts max_refs table1_jobs
not_empty datadir dumpdir expdir downloaddir
directories datadir dumpdir expdir downloaddir corpus phones_of aligner_model durations pretrained vocoder
in_order
((nj > 0)) || nj=$(processors)
[[ -z ${languages} ]] || language=${languages}
[[ -n ${tag} ]] || tag=$(basename "${train_config}" .yaml)
trained=${pretrained:-${expdir}} # where CTAP, duration model and judge are
ctap_model=${trained}/${tag}/model
if [[ -n ${pretrained} ]]; then
    phones_of=${phones_of:-${ctap_model}}
    [[ -n ${aligner_model} || ! -d ${pretrained}/aligner ]] || aligner_model=${pretrained}/aligner
fi
if [[ ${vocoder} == pretrained || ${vocoder} == griffin_lim ]]; then speaks=(--vocoder "${vocoder}"); else speaks=(--vocoder in:"${vocoder}"); fi
voices=${expdir}/eval/voices
declare -a mel_settings=() limit=() shards=()
[[ -z ${audio_config} ]] || mel_settings=(--settings in:"${audio_config}")
[[ -z ${shard_hours} ]] || shards=(--shard_hours "${shard_hours}")
# The default is also the commands' own and is not a word of a step: what was made before it was one stays valid.
[[ ${max_seconds} == 60 ]] || limit=(--max_seconds "${max_seconds}")
# The words of each option NAME_args above -> NAME_options
while IFS= read -r args; do
    declare -a "${args%_args}_options=()"
    split_words "${args}" "${!args}" "${args%_args}_options"
done < <(sed -n -E 's/^([a-z0-9_]+_args)=.*/\1/p' "${0##*/}")
python=${python:-python3}
if ! "${python}" -c 'import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))' \
    torch lightning soundfile kaldiio jsonargparse; then
    log "error: ${python} lacks packages that recipes need; run 'make env' in ${CTAP_ROOT}, or see its tools/README.md" >&2
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
    local -a skipped=(table1)
    former_voices skipped
    "${python}" -m ctap.bin.report --expdir "${expdir}" --skip "${skipped[@]}" --out "${expdir}/RESULTS.md" --html "${expdir}/results.html"
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
