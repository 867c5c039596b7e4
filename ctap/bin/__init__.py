"""One thin entry point per stage command."""

import atexit
import gc

# A command loads some thousand modules and often runs for seconds: at its usual pace the collector takes a
# quarter of that to find that nothing can go.
gc.set_threshold(50_000, 20, 20)
atexit.register(gc.freeze)
