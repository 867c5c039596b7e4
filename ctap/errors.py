"""Errors that the user can correct, and how a command shows them."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_SPACE = "free space there, or choose another place, and run again"
_RIGHTS = "see who owns it and may use it (ls -ld), or choose another place"
_PLACE = "choose another place, or make room for it there"
REFUSALS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: "files may not be that large here (see `ulimit -f`, or the file system's limit)",
    errno.EROFS: "choose a place that can be written to",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENOTDIR: _PLACE,
    errno.EISDIR: _PLACE,
    errno.EEXIST: _PLACE,
    errno.ENOTEMPTY: _PLACE,
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "links go round in a circle there",
    errno.ENOENT: "make it first, or see where its links lead",
    errno.EMFILE: "allow more open files (`ulimit -n`)",
    errno.ENFILE: "this machine has too many open files",
    errno.EIO: "the disk or the network fails there",
    errno.ESTALE: "the network file system has lost it; run again",
}
"""What a file system may refuse, and what to do about it."""
_OF_WRITES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class UserError(RuntimeError):
    """A mistake in the user's input: the message names the place, what was expected and what to do."""

    status = 1
    """Exit status of a command that ends on it."""


def refusal(error: BaseException | None) -> OSError | None:
    """What a file system refused, if ``error`` is that or, of writes, came of it (as torch.save hides it)."""
    known: Collection[int] = REFUSALS
    while error is not None and not isinstance(error, UserError):
        if isinstance(error, OSError) and error.errno in known:
            return error
        error, known = error.__cause__ or error.__context__, _OF_WRITES
    return None


def explain(error: OSError, path: str | os.PathLike[str] | None = None) -> str:
    """``path: what was refused``, and ``; what to do`` if known; the path is the error's own if not given."""
    path = path or error.filename2 or error.filename
    words = os.strerror(error.errno), REFUSALS.get(error.errno)
    return f"{os.fsdecode(path) if path else 'a file'}: {'; '.join(filter(None, words))}"


@contextlib.contextmanager
def writing(path: str | os.PathLike[str], through: str | os.PathLike[str] | None = None) -> Iterator[None]:
    """Name ``path`` in what the file system refuses inside: errors of a write itself name no file.

    Args:
        path: what is written.
        through: the hidden name that it has meanwhile, which would tell a user nothing.

    Raises:
        UserError: in place of such an error; others pass.
    """
    try:
        yield
    except UserError as error:  # such as of a file inside
        error.args = tuple(_shown(word, path, through) for word in error.args)
        raise
    except Exception as error:
        found = refusal(error)
        if found is None:
            raise
        raise UserError(_shown(explain(found, None if _named(found) else path), path, through)) from error


def _shown(message: Any, path: str | os.PathLike[str], through: str | os.PathLike[str] | None) -> Any:
    """A message with the name that a user knows in place of the hidden one."""
    if through is None or not isinstance(message, str):
        return message
    return message.replace(os.fspath(through), os.fspath(path))


def _named(error: OSError) -> bool:
    return isinstance(error.filename, (str, bytes))  # and no file descriptor


def cli(main: Callable[P, R]) -> Callable[P, R]:
    """Make ``main`` a command: a :class:`UserError`, and what a file system refuses, becomes one line.

    It goes to stderr as ``error: ...``, and the command ends with the error's status.
    """

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with _threads_in_one_line():
                return main(*args, **kwargs)
        except UserError as error:
            _end(str(error), error.status)
        except BrokenPipeError:  # whoever read has seen enough, such as `head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where Python flushes what is left
            raise SystemExit(128 + signal.SIGPIPE) from None
        except OSError as error:
            if error.errno not in REFUSALS:
                raise
            _end(explain(error, None if _named(error) else _output()), UserError.status)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None

    return wrapped


@contextlib.contextmanager
def _threads_in_one_line() -> Iterator[None]:
    """What a file system refuses to a library's thread, such as TensorBoard's, is a line as well."""
    usual = threading.excepthook

    def end_thread(ended: threading.ExceptHookArgs) -> None:
        if (found := refusal(ended.exc_value)) is None:
            usual(ended)
        else:
            print(f"warning: {explain(found)}", file=sys.stderr)

    threading.excepthook = end_thread
    try:
        yield
    finally:
        threading.excepthook = usual


def _end(message: str, status: int) -> NoReturn:
    with contextlib.suppress(OSError):  # stderr may lie on the very disk that is full
        print(f"error: {message}", file=sys.stderr, flush=True)
    raise SystemExit(status) from None


def _output() -> str | None:
    """Where the command line says that results go, for errors that name no file."""
    words = iter(sys.argv[1:])
    for word in words:
        option, equals, value = word.partition("=")
        if option in ("--out", "--out_dir"):
            return value if equals else next(words, None)
    return None
