"""Listening tests: mean opinion scores of prosody similarity, speaker similarity and speech quality (3.3).

In the order of a test's life: :mod:`~ctap.eval.listening.material` finds what is compared,
:mod:`~ctap.eval.listening.sounds` brings it to one level and rate, :mod:`~ctap.eval.listening.plan` says
who hears what, :mod:`~ctap.eval.listening.build` writes the test, :mod:`~ctap.eval.listening.web` its page;
:mod:`~ctap.eval.listening.server` and :mod:`~ctap.eval.listening.store` collect the answers,
:mod:`~ctap.eval.listening.answers` checks and reads them, :mod:`~ctap.eval.listening.scores` and
:mod:`~ctap.eval.listening.screening` say what they mean and whom to trust, and
:mod:`~ctap.eval.listening.table` shows it.
"""
