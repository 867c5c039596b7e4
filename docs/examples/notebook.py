"""Train, watch and synthesise in one script, cell by cell: notebook.py DUMP PROMPT.WAV OUT [STEPS]"""

# %% What is trained, on what
import sys
from pathlib import Path

from lightning import Callback

import ctap
from ctap.config import load_yaml

dump, prompt, out = map(Path, sys.argv[1:4])
steps = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
trainer = {"max_steps": steps, "epoch_steps": max(1, steps // 4)}
config = load_yaml(Path(__file__).with_name("own_encoder.yaml"))


# %% A callback of Lightning's, to look at whatever one likes
class Watch(Callback):
    def on_validation_end(self, trainer, task):
        shown = trainer.callback_metrics
        print(f"step {trainer.global_step}: retrieval {shown['val/phone_retrieval']:.3f}")


# %% Pretraining, the decoder with it; a run that was cut off goes on
config["trainer"] = trainer
model = ctap.train(config, dump, out / "ctap", callbacks=[Watch()])

# %% Durations, from the model at hand
durations = {"model": {"layers": 4, "channels": 64}, "trainer": trainer}
model = ctap.train(durations, dump, out / "duration", task="duration", init=model)

# %% Speech
speech = ctap.load(model).synthesize("今天天气很好。", prompt=prompt)
speech.save(out / "speech.wav")
print(f"{out / 'speech.wav'}: {len(speech.wave) / speech.sample_rate:.1f} s")
