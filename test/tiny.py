"""The smallest configurations that hold every part, for tests."""

STACK = {"layers": 1, "dim": 16, "heads": 2, "ffn": 32, "dropout": 0.1, "positions": "rotary"}
MODEL = {
    "embed_dim": 8,
    "speech_encoder": STACK,
    "phoneme_encoder": STACK,
    "decoder": STACK,
    "prompt_encoder": {"channels": [4, 4], "dim": 6, "frames": 40, "reduction": 2, "summary": "recurrent"},
    "postnet_dim": 8,
}
DATA = {"batch_frames": 400, "batch_size": None, "max_frames": 100}
OPTIM = {"lr": 3e-3, "warmup_steps": 2}
TRAINER = {"max_steps": 8, "epoch_steps": 4, "keep_best": 2, "log_every": 1, "precision": "32-true"}
