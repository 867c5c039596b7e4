"""Listening tests: mean opinion scores of prosody similarity, speaker similarity and speech quality (3.3).

In the order of a test's life: :mod:`~ctap.listening.material` finds what is compared,
:mod:`~ctap.listening.sounds` brings it to one level and rate, :mod:`~ctap.listening.plan` says
who hears what, :mod:`~ctap.listening.build` writes the test, :mod:`~ctap.listening.web` its page;
:mod:`~ctap.listening.server` collects the answers, :mod:`~ctap.listening.answers` checks them,
:mod:`~ctap.listening.store` keeps and reads them, :mod:`~ctap.listening.scores` and
:mod:`~ctap.listening.screening` say what they mean and whom to trust, and
:mod:`~ctap.listening.table` shows it.
"""
