"""Speech with numpy and onnxruntime alone: onnx_speech.py EXPORTED PROMPT.wav "jin1 tian1" OUT.wav"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime


class Speaker:
    def __init__(self, folder, threads=0):
        self.about = json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))
        self.filters = np.load(Path(folder) / "audio.npz")["filters"]
        options, session = onnxruntime.SessionOptions(), onnxruntime.InferenceSession
        options.intra_op_num_threads = threads
        self.parts = {n: session(Path(folder) / f"{n}.onnx", options) for n in self.about["graphs"]}

    def run(self, part, **inputs):
        return self.parts[part].run(None, inputs)[0]

    def mel(self, samples):  # [N] to [T, n_mels], as ctap.audio.logmel
        a = self.about["audio"]
        padded = np.pad(samples, a["n_fft"] // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, a["n_fft"])[:: a["hop_length"]]
        window = np.pad(np.hanning(a["win_length"] + 1)[:-1], (a["n_fft"] - a["win_length"]) // 2)
        mels = np.abs(np.fft.rfft(frames * window)) @ self.filters
        return np.log(np.maximum(mels, a["log_floor"])).astype(np.float32)

    def voice(self, samples):  # G of the loudest stretch of the prompt
        mel, size = self.mel(samples), self.about["prompt_frames"]
        mel = np.tile(mel, (-(-size // len(mel)), 1))
        sums = np.concatenate([[0.0], np.cumsum(mel.mean(axis=1))])
        start = int(np.argmax(sums[size:] - sums[:-size]))
        return self.run("prompt_encoder", mel=mel[None, start : start + size])

    def say(self, pinyin, g, speed=1.0, seed=0):
        random = np.random.default_rng(seed)
        if unknown := set(pinyin.split()) - set(self.about["pinyin"]):
            sys.exit(f"{' '.join(sorted(unknown))}: no pinyin; expected syllables such as jin1")
        phones = " ".join(["sil", *(self.about["pinyin"][s] for s in pinyin.split()), "sil"]).split()
        tokens = np.array([[self.about["tokens"].index(p) for p in phones]], dtype=np.int64)
        noise = random.normal(size=tokens.shape).astype(np.float32)
        spans = self.run("durations", tokens=tokens, g=g, noise=noise, speed=np.array([speed], np.float32))
        mel = self.run("decoder", embedding=self.run("phoneme_encoder", tokens=tokens, durations=spans), g=g)
        f0 = self.run("pitch", mel=mel)
        noise = random.normal(size=(1, (f0.shape[1] - 1) * self.about["audio"]["hop_length"]))
        return self.run("vocoder", mel=mel, f0=f0, noise=noise.astype(np.float32))[0]


if __name__ == "__main__":
    folder, prompt, pinyin, out = sys.argv[1:]
    speaker = Speaker(folder)
    rate = speaker.about["audio"]["sample_rate"]
    with wave.open(prompt) as file:
        if file.getparams()[:3] != (1, 2, rate):  # channels, bytes a sample, Hz
            sys.exit(f"{prompt}: expected one channel of 16 bits at {rate} Hz")
        voice = speaker.voice(np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768)
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((speaker.say(pinyin, voice) * 32767).astype(np.int16).tobytes())
