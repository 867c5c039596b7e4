"""Which stage of the recipe makes what, for messages that tell users what to run."""

from __future__ import annotations

#: Part of a model to the stage that trains it.
STAGE_OF = {"ctap": 3, "duration": 4, "asr": 6}
