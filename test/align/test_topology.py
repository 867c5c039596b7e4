"""What may follow what, and that the search finds the best of all paths."""

import itertools

import numpy as np
import pytest

from ctap.align import topology
from ctap.align.topology import (
    CLOSURE,
    NO_PATH,
    PAUSE_BEFORE,
    SILENCE,
    Units,
    build_graph,
)
from ctap.align.viterbi import viterbi
from ctap.errors import UserError
from ctap.text.languages import older
from ctap.text.mandarin import unit_of
from ctap.text.sentences import starts_syllable

MANDARIN = older()


def search(scores, graph):
    return viterbi(scores, graph.states, graph.stay, graph.offsets, graph.weights, graph.start, graph.end)


def test_syllables_start_where_pinyin_says():
    # wan2 er2 (no initials), hao3, dianr3 (erhua), m2 (syllabic nasal), a5
    phones = ["uan2", "er2", "h", "ao3", "d", "ian3", "rr", "m2", "a5"]
    starts = [i for i in range(len(phones)) if starts_syllable(phones, i)]
    assert starts == [0, 1, 2, 4, 7, 8]


def test_pauses_stand_only_between_syllables():
    phones = ["n", "i3", "h", "ao3", "d", "ian3", "rr"]
    graph = build_graph(phones, Units({"n", "i", "h", "ao", "d", "ian", "rr"}, MANDARIN))
    inside = {PAUSE_BEFORE - int(owner) for owner in graph.owner if owner <= PAUSE_BEFORE}
    assert inside == {2, 4}


def test_closures_are_shared_by_stops_and_affricates_only():
    units = Units({"d", "zh", "sh", "a"}, MANDARIN)
    assert units.states("d")[0] == units.states("zh")[0] == CLOSURE
    assert CLOSURE not in units.states("sh") + units.states("a1")
    assert [MANDARIN.has_closure(p) for p in ("p", "q", "x", "m", "a1")] == [True, True, False, False, False]


def test_unseen_phones_borrow_from_their_own_class():
    units = Units({"a", "eng", "sh", "t"}, MANDARIN)
    assert units.states("ueng1") == units.states("eng1")
    assert units.states("s") == units.states("sh")
    assert units.states("p")[1:] == units.states("t")[1:]
    nasals = Units({"m", unit_of("m2")}, MANDARIN)
    assert nasals.states("m2") != nasals.states("m")  # a syllabic nasal is not the initial
    alone = Units({"a", "m"}, MANDARIN)
    assert alone.states("m2") == alone.states("m")  # but much like it


def test_rare_units_get_no_states_of_their_own():
    units = Units.count([["n", "i3"]] * 8 + [["l", "a1"]] * 7, MANDARIN)
    assert units.known == ("i", "n")


@pytest.mark.parametrize("phones", [[], ["sil", "a1"], ["xyz"]])
def test_refuses_what_is_no_phone(phones):
    with pytest.raises(UserError):
        build_graph(phones, Units({"a"}, MANDARIN))


def brute_force(scores, graph):
    """Score of the best of all node sequences."""
    best = -np.inf
    for nodes in itertools.product(range(len(graph.states)), repeat=len(scores)):
        total = graph.start[nodes[0]] + graph.end[nodes[-1]] + scores[0, graph.states[nodes[0]]]
        for t in range(1, len(scores)):
            step = nodes[t] - nodes[t - 1]
            ways = [graph.stay[nodes[t]]] if step == 0 else []
            arcs = zip(graph.offsets[nodes[t]], graph.weights[nodes[t]], strict=True)
            ways += [w for offset, w in arcs if step == offset and step > 0]
            if not ways:
                break
            total += max(ways) + scores[t, graph.states[nodes[t]]]
        else:
            best = max(best, total)
    return best


@pytest.mark.parametrize("seed", range(5))
def test_viterbi_finds_the_best_of_all_paths(seed, monkeypatch):
    monkeypatch.setattr(topology, "PAUSE_FRAMES", 1)  # few paths enough to try them all
    rng = np.random.default_rng(seed)
    units = Units({"n", "a"}, MANDARIN)
    graph = build_graph(["n", "a1"], units)
    scores = rng.normal(size=(5, units.num_states)).astype(np.float32) * 2
    path, score = search(scores, graph)
    assert score == pytest.approx(brute_force(scores, graph), abs=1e-4)
    assert np.all(np.diff(path) >= 0)
    assert set(graph.owner[path]) >= {0, 1}  # every phone gets a frame


def test_pause_is_heard_where_it_is_and_nowhere_else():
    units = Units({"m", "a", "l"}, MANDARIN)
    phones = ["m", "a1", "l", "a2"]
    graph = build_graph(phones, units)
    truth = [SILENCE] * 5
    for phone in phones[:2]:
        truth += [s for s in units.states(phone) for _ in range(3)]
    truth += [SILENCE] * 8
    for phone in phones[2:]:
        truth += [s for s in units.states(phone) for _ in range(3)]
    scores = np.full((len(truth), units.num_states), -5, np.float32)
    scores[np.arange(len(truth)), truth] = 0
    path, _ = search(scores, graph)
    assert graph.states[path].tolist() == truth
    assert np.sum(graph.owner[path] == PAUSE_BEFORE - 2) == 8
    path, _ = search(np.delete(scores, np.arange(23, 31), axis=0), graph)
    assert not np.any(graph.owner[path] <= PAUSE_BEFORE)


@pytest.mark.parametrize(("frames", "pause"), [(8, False), (12, False), (16, True), (40, True)])
def test_silence_before_a_stop_is_closure_when_short_and_pause_when_long(frames, pause):
    """Where the two sound the same, a closure is at most 65 ms long."""
    units = Units({"a", "t"}, MANDARIN)
    graph = build_graph(["a1", "t", "a2"], units)
    truth = [SILENCE] * 4 + [s for s in units.states("a1") for _ in range(5)] + [CLOSURE] * frames
    truth += [s for p in ("t", "a2") for s in units.states(p)[p == "t" :] for _ in range(5)] + [SILENCE] * 4
    scores = np.full((len(truth), units.num_states), -50, np.float32)
    scores[np.arange(len(truth)), truth] = 0
    scores[:, SILENCE] = scores[:, CLOSURE] = scores[:, [SILENCE, CLOSURE]].max(axis=1)
    path, _ = search(scores, graph)
    heard = int(np.sum(graph.owner[path] == PAUSE_BEFORE - 1))
    assert (heard > 0) == pause
    closure = int(np.sum(graph.states[path] == CLOSURE))
    assert heard + closure == frames


def test_states_are_skipped_at_a_cost_at_the_start_as_elsewhere():
    """Two states for a phone of one frame; of two frames, the middle one, or the first."""
    units = Units({"m", "a"}, MANDARIN)
    graph = build_graph(["m", "a1"], units)
    costs = [search(np.zeros((frames, units.num_states), np.float32), graph)[1] for frames in (2, 4)]
    assert costs == pytest.approx([4 * topology._SKIP, 2 * topology._SKIP + topology._STAY])


def test_too_few_frames_have_no_path():
    graph = build_graph(["n", "a1", "l", "a2"], Units({"n", "a", "l"}, MANDARIN))
    assert search(np.zeros((3, 20), np.float32), graph)[1] <= NO_PATH
    assert search(np.zeros((4, 20), np.float32), graph)[1] > NO_PATH / 2
