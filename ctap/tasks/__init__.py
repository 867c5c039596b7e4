"""What trains, what is frozen, what is logged: pretraining, TTS, VC, ASR; the trainer."""
