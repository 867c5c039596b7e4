"""Windows of utterances."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ctap.data.cropping import crop_durations, most_phones


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 60))
def test_most_phones_is_the_most_of_all_windows(durations, size):
    spans = np.array(durations)
    total = int(spans.sum())
    tokens = np.arange(len(spans))
    starts = range(max(1, total - min(size, total) + 1))
    counts = [len(crop_durations(tokens, spans, start, min(size, total))[0]) for start in starts]
    assert most_phones(spans, size) == max(counts)
