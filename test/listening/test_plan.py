"""Who hears what: balance for any number of systems, items and listeners; the file that keeps it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.listening.plan import balanced, read_plan, shares, stretch


@given(st.integers(1, 8), st.integers(1, 13), st.integers(1, 120), st.integers(1, 30))
def test_any_stretch_is_balanced_and_listeners_cover_all_evenly(
    systems: int, items: int, take: int, listeners: int
) -> None:
    pairs = balanced([f"s{i}" for i in range(systems)], range(items))
    assert sorted(pairs) == sorted({(f"s{i}", j) for i in range(systems) for j in range(items)})
    names = [f"{s}/{i}" for s, i in pairs]
    take = min(take, len(names))
    given_out: Counter[str] = Counter(dict.fromkeys(names, 0))
    for slot in range(listeners):
        share = stretch(names, slot, take)
        assert len(set(share)) == take
        per_system = Counter(name.partition("/")[0] for name in share)
        counts = [per_system[f"s{i}"] for i in range(systems)]
        assert max(counts) - min(counts) <= 1
        given_out.update(share)
    assert max(given_out.values()) - min(given_out.values()) <= 1


@given(st.dictionaries(st.sampled_from("abc"), st.integers(1, 40), min_size=1), st.integers(0, 150))
def test_shares_use_the_limit_and_are_even(counts: dict[str, int], limit: int) -> None:
    found = shares(counts, limit)
    assert list(found) == list(counts)
    assert all(0 <= found[q] <= counts[q] for q in counts)
    assert sum(found.values()) == (min(limit, sum(counts.values())) if limit else sum(counts.values()))
    cut = [n for q, n in found.items() if n < counts[q]]
    assert not cut or max(found.values()) - min(cut) <= 1


def test_a_plan_is_read_as_written_and_a_changed_one_is_refused(make_test, tmp_path) -> None:
    built = make_test(max_trials=10)
    path = tmp_path / "test/test.json"
    assert read_plan(tmp_path / "test") == built.plan
    data = json.loads(path.read_text())
    next(iter(data["trials"].values()))["system"] = "vocoded"
    for text, message in [
        (json.dumps(data), "was changed"),
        ("{}", "expected a listening test"),
        ("<html>", "not JSON"),
        (json.dumps({**data, "trials": [1]}), "not a whole listening test"),
    ]:
        path.write_text(text)
        with pytest.raises(UserError, match=message):
            read_plan(path)
    with pytest.raises(UserError, match="listening_test build"):
        read_plan(tmp_path)
