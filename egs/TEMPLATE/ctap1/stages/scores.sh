# shellcheck shell=bash disable=SC2154 # the options and helpers are those of ctap.sh
# How speech is scored, in stages 4 to 7; to be sourced. Arguments written name=value are read by `local`, all or up to --.

# Recordings of all speakers as the speaker encoder hears them, to compare with.
embed_voices() {
    local spk set
    local -a sets=(train) inputs=() spk2utt=() scp=()
    for spk in $(targets); do sets+=("target_${spk}_speech"); done
    for set in "${sets[@]}"; do
        inputs+=(recordings:"${datadir}/${set}")
        spk2utt+=(in:"${datadir}/${set}/spk2utt")
        scp+=("${datadir}/${set}/wav.scp")
    done
    [[ -s ${voices}/spk2utt ]] || rm -f -- "${voices}/spk2utt" # the speaker encoder was missing, and may be there now
    network voices ctap.bin.embed_speakers "${inputs[@]}" made:"${voices}/spk2utt" --spk2utt "${spk2utt[@]}" \
        --wav_scp "${scp[@]}" --out_dir "${voices}" --max_refs "${max_refs}"
}

# recognize SPEECH NAME MODEL [WORD]...: recognises a wav.scp (or what else MODEL reads) -> exp/recognized/NAME.
recognize() {
    generate "recognition_$2" ctap.bin.recognize title:"recognition of $2" each:"$1" \
        --out into:"${expdir}/recognized/$2/phones" --model in:"$3" --scp table:"$1" --switch_penalty "${switch_penalty}" \
        "${@:4}"
}

# judge SPEECH NAME: recognises a wav.scp by the judge -> exp/recognized/NAME.
judge() { recognize "$1" "$2" "${trained}/judge/model"; }

# The judge, with nothing of CTAP in it: hears recordings and generated speech of all systems with the same ears.
train_judge() {
    local test=${expdir}/eval/test
    if [[ -z ${pretrained} ]]; then
        merge_labeled labeled "${dumpdir}" "${dumpdir}/labeled"
        training judge judge "${judge_config}" --train_dir in:"${dumpdir}/labeled" "${with_dev[@]}" \
            -- "${judge_options[@]}"
    fi
    choose_test test "${eval_utts}" "${test}"
    resynthesize test
    judge "${test}/wav.scp" test
    judge "${test}_vocoded/wav.scp" test_vocoded
    rate name=judge task=judge data="${test}" heard="${expdir}/recognized/test" out="${expdir}/judge/scores.json" \
        frames=true config="${judge_config}" -- vocoded="${expdir}/recognized/test_vocoded"
}

# rate name=EXPERIMENT task=TASK data=DIR heard=DIR out=FILE frames=BOOL config=CONFIG [-- LABEL=DIR...]: scores what a
# recogniser of CONFIG heard against the phones of data, beside what it heard in other versions.
rate() {
    local name task data heard out frames config
    local -a against=()
    while (($#)) && [[ $1 != -- ]]; do local "$1" && shift; done
    (($# < 2)) || against=(--against "${@:2}")
    module "rate_${name}" ctap.bin.score_asr --ref_dir in:"${data}" --hyp_dir in:"${heard}" --out out:"${out}" \
        --name "${name}" --task "${task}" --frames "${frames}" --seed "${seed}" --config "${config}" "${against[@]/=/=in:}"
}

# hear_words name=EXPERIMENT task=TASK data=DIR said=DIR -- LABEL=DIR...: characters or words of data that the outside
# recogniser hears in what is said, a directory with a wav.scp, beside other versions. Nothing without --transcriber; what
# one heard in earlier speech is then removed.
hear_words() {
    local name task data said item speech part heard=${expdir}/transcribed
    local -a against=() reads=()
    while (($#)) && [[ $1 != -- ]]; do local "$1" && shift; done
    if [[ -z ${transcriber} ]]; then
        [[ ! ${said}/wav.scp -nt ${expdir}/${name}/scores_transcripts.json ]] ||
            rm -f -- "${expdir}/${name}/scores_transcripts".{json,tsv}
        return 0
    fi
    [[ ! -d ${transcriber#*:} ]] || reads=(read:"${transcriber#*:}")
    for item in said="${said}" "${@:2}"; do
        speech=${item#*=} part=${item#*="${expdir}"/}
        generate "transcription_${part}" ctap.bin.transcribe title:"transcription of ${speech}" \
            each:"${speech}/wav.scp" --out into:"${heard}/${part}/text" --asr "${transcriber}" \
            --scp table:"${speech}/wav.scp" --language_of in:"${data}" "${reads[@]}"
        [[ ${item} == said=* ]] || against+=("${item%%=*}=in:${heard}/${part}")
    done
    module "words_${name}" ctap.bin.score_transcripts --ref_dir in:"${data}" --hyp_dir in:"${heard}/${said#"${expdir}"/}" \
        --out out:"${expdir}/${name}/scores_transcripts.json" --name "${name}" --task "${task}" \
        --asr "${transcriber}" --seed "${seed}" --config "${transcriber}" --against "${against[@]}"
}

# score_tts name=EXPERIMENT speaker=SPEAKER said=DIR timed=DIR config=NAME [from_speech=DIR]: synthesised speech against
# recordings of the same text, and what is heard in it. Beside it, what is heard with the recordings' durations (timed),
# and from their S (from_speech): which of the steps from text to wave loses what.
score_tts() {
    local name speaker said timed config from_speech=""
    local "$@"
    local data=${expdir}/eval/target_${speaker} heard=${expdir}/recognized
    local -a versions=(recording="${data}" vocoded="${data}_vocoded")
    local -a judged=(recording="${heard}/target_${speaker}" vocoded="${heard}/target_${speaker}_vocoded")
    score_sounds task=tts name="${name}" speaker="${speaker}" data="${data}" said="${said}" timed="${timed}" \
        config="${config}" -- --vocoded table:"${data}_vocoded/wav.scp"
    samples task=tts name="${name}" speaker="${speaker}" data="${data}" said="${said}" -- "${versions[@]}"
    judge "${said}/wav.scp" "${name}"
    judge "${data}/wav.scp" "target_${speaker}"
    judge "${data}_vocoded/wav.scp" "target_${speaker}_vocoded"
    if [[ -n ${from_speech} ]]; then
        judge "${from_speech}/wav.scp" "${name}_from_speech"
        versions+=("from S=${from_speech}")
        judged+=("from S=${heard}/${name}_from_speech")
    fi
    if [[ ${timed} != "${said}" ]]; then
        judge "${timed}/wav.scp" "${name}_timed"
        versions+=("durations given=${timed}")
        judged+=("durations given=${heard}/${name}_timed")
    fi
    rate name="${name}" task=tts data="${data}" heard="${heard}/${name}" \
        out="${expdir}/${name}/scores_recognition.json" frames=false config="${judge_config}" -- "${judged[@]}"
    hear_words name="${name}" task=tts data="${data}" said="${said}" -- "${versions[@]}"
}

# score_vc name=EXPERIMENT speaker=SPEAKER said=DIR config=NAME [from_phonemes=DIR]: converted speech, which keeps the timing
# of its sources. Beside it, what is said from phonemes with that timing, and so without having heard the source.
score_vc() {
    local name speaker said config from_phonemes=""
    local "$@"
    local data=${expdir}/eval/vc_sources heard=${expdir}/recognized
    local -a unheard=() sounds=(source="${data}")
    if [[ -n ${from_phonemes} ]]; then
        unheard=(--from_phonemes table:"${from_phonemes}/wav.scp")
        sounds+=(from_phonemes="${from_phonemes}")
    fi
    score_sounds task=vc name="${name}" speaker="${speaker}" data="${data}" said="${said}" timed="${said}" \
        config="${config}" -- --source_scp "${data}/wav.scp" "${unheard[@]}"
    samples task=vc name="${name}" speaker="${speaker}" data="${data}" said="${said}" -- "${sounds[@]}"
    judge "${said}/wav.scp" "${name}"
    judge "${data}/wav.scp" vc_sources
    rate name="${name}" task=vc data="${data}" heard="${heard}/${name}" \
        out="${expdir}/${name}/scores_recognition.json" frames=false config="${judge_config}" \
        -- source="${heard}/vc_sources"
    hear_words name="${name}" task=vc data="${data}" said="${said}" -- source="${data}"
}

# score_sounds task=TASK name=EXPERIMENT speaker=SPEAKER data=DIR said=DIR timed=DIR config=NAME -- WORD...: what is said
# against the recordings of data, and its voice against the speaker's; the words are more of the command.
score_sounds() {
    local task name speaker data said timed config
    while (($#)) && [[ $1 != -- ]]; do local "$1" && shift; done
    module "score_${name}" ctap.bin.score_speech --reference table:"${data}/wav.scp" \
        --hypothesis table:"${said}/wav.scp" --msep_hypothesis table:"${timed}/wav.scp" --target_speaker "${speaker}" \
        --speakers in:"${voices}" --name "${name}" --task "${task}" --out out:"${expdir}/${name}/scores.json" \
        --settings in:"${dumpdir}/audio.json" --seed "${seed}" --config "${config}" --nj free:"${nj}" "${@:2}"
}

# samples task=TASK name=EXPERIMENT speaker=SPEAKER data=DIR said=DIR -- ROLE=DIR...: sounds to hear, beside those of the
# roles.
samples() {
    local task name speaker data said role
    local -a waves=()
    while (($#)) && [[ $1 != -- ]]; do local "$1" && shift; done
    for role in "${@:2}"; do waves+=("${role%%=*}=table:${role#*=}/wav.scp"); done
    module "samples_${name}" ctap.bin.list_samples --out out:"${expdir}/${name}/samples.json" --speaker "${speaker}" \
        --text "${data}/text" --settings in:"${dumpdir}/audio.json" \
        --waves "${waves[@]}" "${task}=table:${said}/wav.scp"
}
