"""One thread that uses the models, and its queue: sentences waiting for one model are processed together."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ctap.errors import UserError
from ctap.models.inference import Model
from ctap.models.many import Wanted, synthesize_many
from ctap.serving.limits import Limits, RefusedError

GATHER = 0.01  # seconds that a sentence waits for others


@dataclass
class _Job:
    """Work for the thread: a function, or a sentence ``wanted`` of ``model``."""

    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    until: float
    call: Callable[[], Any] | None = None
    model: Model | None = None
    wanted: Wanted | None = None
    given_up: threading.Event = field(default_factory=threading.Event)

    def answer(self, result: Any) -> None:
        """Hand over a result or an exception."""
        failed = isinstance(result, BaseException)

        def hand_over() -> None:
            if not self.future.done():
                self.future.set_exception(result) if failed else self.future.set_result(result)

        try:
            self.loop.call_soon_threadsafe(hand_over)
        except RuntimeError:  # the server has ended meanwhile
            logging.debug("an answer came too late")


class Worker:
    """Carries out requests one after the other, sentences of one model together.

    Args:
        limits: How many requests wait, how many sentences are processed together, and for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.batches: list[int] = [0] * (limits.together + 1)
        self._queue: queue.Queue[_Job | None] = queue.Queue(limits.waiting)
        self._thread = threading.Thread(target=self._run, daemon=True, name="models")
        self._thread.start()

    def close(self) -> None:
        """End once what is in the queue is done."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    async def do(self, call: Callable[[], Any], until: float) -> Any:
        """The result of ``call``, carried out in the thread; ``until`` when, by the monotonic clock."""
        return await self._submit(until, call=call)

    async def say(self, model: Model, wanted: Wanted, until: float) -> Any:
        """``wanted``, said by ``model``."""
        return await self._submit(until, model=model, wanted=wanted)

    async def _submit(self, until: float, **work: Any) -> Any:
        loop = asyncio.get_running_loop()
        job = _Job(loop.create_future(), loop, until, **work)
        try:
            self._queue.put_nowait(job)
        except queue.Full:
            raise RefusedError(503, f"{self.limits.waiting} requests are waiting; try again later") from None
        try:
            return await asyncio.wait_for(job.future, until - time.monotonic())
        except asyncio.TimeoutError:
            raise RefusedError(503, f"not done within {self.limits.wait_seconds:g} s; try less") from None
        except UserError as error:
            raise RefusedError(400, str(error)) from None
        finally:
            job.given_up.set()

    def _run(self) -> None:
        kept: _Job | None = None
        while (job := kept or self._queue.get()) is not None:
            kept, batch = None, [job]
            if job.wanted is not None:
                batch, kept, ended = self._gather(job)
                if ended:
                    self._queue.put(None)
            batch = [own for own in batch if not own.given_up.is_set() and time.monotonic() < own.until]
            if batch:
                self._carry_out(batch)

    def _gather(self, first: _Job) -> tuple[list[_Job], _Job | None, bool]:
        """Sentences for one model that come within a moment, together no longer than the longest allowed.

        Returns:
            The sentences; the job after them; whether to end.
        """
        batch, left = [first], self.limits.characters - len(first.wanted.text)
        end = time.monotonic() + GATHER
        while len(batch) < self.limits.together:
            try:
                job = self._queue.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if job is None:
                return batch, None, True
            if job.model is not first.model or len(job.wanted.text) > left:
                return batch, job, False
            left -= len(job.wanted.text)
            batch.append(job)
        return batch, None, False

    def _carry_out(self, batch: list[_Job]) -> None:
        first = batch[0]
        try:
            if first.call is not None:
                first.answer(first.call())
                return
            self.batches[len(batch)] += 1
            for job, said in zip(batch, synthesize_many(first.model, [j.wanted for j in batch]), strict=True):
                job.answer(said)
        except (UserError, RefusedError) as error:
            for job in batch:
                job.answer(error)
        except Exception:
            logging.exception("a request failed")
            for job in batch:
                job.answer(RefusedError(500, "the server could not do this; its log says why"))
