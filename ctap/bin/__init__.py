"""One thin entry point per stage command."""

import atexit
import gc

# A command loads some thousand modules and often runs for seconds: with its usual thresholds the garbage
# collector takes a quarter of that time and frees nothing.
gc.set_threshold(50_000, 20, 20)
atexit.register(gc.freeze)
