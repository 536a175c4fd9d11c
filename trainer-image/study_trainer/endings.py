"""How a trial ends: the record's words and the process's exit code, from the exception that ended the training.

The exit code says the same as the record, for a trainer that has none. Frameworks report a full accelerator by
exceptions of their own, which are told by class name and message, so that none of them has to be imported here.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

DIVERGED = 65
"""Exit code: the parameters made the training diverge."""
OUT_OF_MEMORY = 66
"""Exit code: the parameters need more memory, on the accelerator or the host, than there is."""
INTERRUPTED = 130
TERMINATED = 143
"""Exit code: stopped from outside by SIGTERM."""

MESSAGE_LENGTH = 256

_OUT_OF_MEMORY_CLASSES = {"OutOfMemoryError", "ResourceExhaustedError"}
_OUT_OF_MEMORY_WORDS = ("resource_exhausted", "out of memory")


class Diverged(Exception):
    """The training diverged: raise it with a sentence that says how. The trial becomes Infeasible, which is a result,
    not a fault.
    """


@dataclass(frozen=True, slots=True)
class Ending:
    """The last word on a trial. ``state`` is Succeeded, Infeasible or Failed; ``reason`` one CamelCase word;
    ``message`` one sentence.
    """

    state: str
    reason: str
    message: str
    exit_code: int


COMPLETED = Ending("Succeeded", "Completed", "The training completed.", 0)
STOPPED = Ending("Failed", "Terminated", "The trainer was stopped from outside by SIGTERM.", TERMINATED)


def ending_of(exception: BaseException | None) -> Ending:
    """What the exception that left the training says of the trial; None and ``sys.exit(0)`` are a completion."""
    match exception:
        case None:
            return COMPLETED
        case Diverged():
            return Ending("Infeasible", "Diverged", _sentence(str(exception) or "The training diverged."), DIVERGED)
        case KeyboardInterrupt():
            return Ending("Failed", "Terminated", "The trainer was interrupted from the keyboard.", INTERRUPTED)
        case SystemExit():
            return _ending_of_exit(exception.code)
        case _:
            message = _sentence(f"{type(exception).__name__}: {exception}")
            if any(_is_out_of_memory(cause) for cause in _causes(exception)):
                return Ending("Infeasible", "OutOfMemory", message, OUT_OF_MEMORY)
            return Ending("Failed", "Error", message, 1)


def _ending_of_exit(code: object) -> Ending:
    match code:
        case None | 0:
            return COMPLETED
        case 65:
            return Ending("Infeasible", "Diverged", "The trainer exited with code 65.", DIVERGED)
        case 66:
            return Ending("Infeasible", "OutOfMemory", "The trainer exited with code 66.", OUT_OF_MEMORY)
        case int():
            return Ending("Failed", "Error", f"The trainer exited with code {code}.", code)
        case _:
            return Ending("Failed", "Error", _sentence(str(code)), 1)


def _is_out_of_memory(exception: BaseException) -> bool:
    if isinstance(exception, MemoryError) or type(exception).__name__ in _OUT_OF_MEMORY_CLASSES:
        return True
    if isinstance(exception, OSError):
        return exception.errno == errno.ENOMEM
    return isinstance(exception, RuntimeError) and any(word in str(exception).lower() for word in _OUT_OF_MEMORY_WORDS)


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception and those that led to it, each once."""
    seen: set[int] = set()
    cause: BaseException | None = exception
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _sentence(text: str) -> str:
    """One line of at most 256 characters."""
    line = " ".join(text[: 4 * MESSAGE_LENGTH].split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"
