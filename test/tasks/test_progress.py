"""Lines of a training's log."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from ctap.tasks import progress


def test_a_line_a_minute_and_one_an_epoch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """40 s a step, resumed at step 10 of 20, epochs of 5 steps: what a reader of the log sees."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock.now)
    trainer = SimpleNamespace(global_step=10, max_steps=20, callback_metrics={"val/loss": 1.5})
    lines = progress.LineProgress(every=60.0)
    with caplog.at_level(logging.INFO):
        lines.on_train_start(trainer, None)
        for step in range(11, 21):
            clock.now += 40
            trainer.global_step = step
            lines.on_train_batch_end(trainer, None)
            if step % 5 == 0:
                lines.on_train_epoch_end(trainer, None)
    assert caplog.messages == [
        "step 12/20  40.00 s a step  0:05:20 left",
        "step 14/20  40.00 s a step  0:04:00 left",
        "step 15/20  40.00 s a step  0:03:20 left  val/loss 1.5000",
        "step 17/20  40.00 s a step  0:02:00 left",
        "step 19/20  40.00 s a step  0:00:40 left",
        "step 20/20  40.00 s a step  0:00:00 left  val/loss 1.5000",
    ]


def test_no_line_before_the_first_step(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With gradients gathered over several batches the first ones are no step yet."""
    monkeypatch.setattr(progress.time, "monotonic", lambda: 0.0)
    trainer = SimpleNamespace(global_step=0, max_steps=20, callback_metrics={})
    lines = progress.LineProgress(every=0.0)
    with caplog.at_level(logging.INFO):
        lines.on_train_start(trainer, None)
        lines.on_train_batch_end(trainer, None)
        assert caplog.messages == []
        trainer.global_step = 1
        lines.on_train_batch_end(trainer, None)
    assert caplog.messages == ["step 1/20  0.00 s a step  0:00:00 left"]
