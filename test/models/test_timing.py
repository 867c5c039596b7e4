"""Durations of pieces, pauses between them."""

from ctap.models.timing import Timed, join, time_pieces
from ctap.text.sentences import Piece


def test_pieces_are_joined_with_pauses_of_the_length_asked_for():
    pieces = [
        Piece(["sil", "a1"], "sil"),  # the end of a sentence
        Piece(["b", "a1"], "sp"),  # cut at a comma
        Piece(["m", "a1"], ""),  # cut inside a phrase
        Piece(["sh", "a1", "sil"]),
    ]
    asked = []

    def predict(phones, number):
        asked.append((number, phones))
        return [10 + number] * len(phones)

    timed = time_pieces(pieces, predict, 25)
    assert asked == [
        (0, ["sil", "a1", "sil"]),
        (1, ["sil", "b", "a1", "sil"]),
        (2, ["sil", "m", "a1", "sil"]),
        (3, ["sil", "sh", "a1", "sil"]),
    ]
    assert join(timed) == Timed(
        ["sil", "a1", "sil", "b", "a1", "sp", "m", "a1", "sh", "a1", "sil"],
        [10, 10, 25, 11, 11, 12, 12, 12, 13, 13, 13],
    )
    assert [own.phones[0] for own in timed] == ["sil", "sil", "sp", "sh"]
    none = join(time_pieces(pieces, predict, 0))
    assert none.phones == ["sil", "a1", "b", "a1", "m", "a1", "sh", "a1", "sil"]
