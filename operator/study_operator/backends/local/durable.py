"""Files that survive a kill at any instant, a full disk and a power cut.

A file is either as it was or as it was to become: the new text goes to a temporary file beside it, reaches the disk,
and takes the old one's name; then the folder, which holds the name, reaches the disk too. A full disk therefore costs
the new text only, and is told apart from every other failure, because it passes when room is made.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from study_operator.backends.port import Exhausted, Gone, Refused

TEMPORARY = ".partial-"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Occupied(Exception):
    """Another process holds the lock."""


def write_file(path: Path, text: str) -> None:
    """Replace ``path`` as a whole. Raises Exhausted, Gone and Refused with a sentence, and then leaves the old file as
    it was.
    """
    with told(path):
        descriptor, partial = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(partial).unlink()
            raise
        settle(path.parent)


def remove_file(path: Path) -> None:
    """Remove ``path``, durably; one that is not there is a success."""
    with told(path):
        path.unlink(missing_ok=True)
        settle(path.parent)


def settle(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partial_files(folder: Path) -> None:
    """What a kill in the middle of a write left behind."""
    for partial in folder.glob(f"{TEMPORARY}*"):
        partial.unlink(missing_ok=True)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into the port's, with a sentence that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise Gone(f"{path.parent} is not there any more") from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Exhausted(f"{path} cannot be written: {error.strerror}. Make room and it goes on.") from error
        raise Refused(f"{path} cannot be written: {error.strerror}") from error


class Lock:
    """Held by one process at a time, and let go by the operating system when that process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises Occupied, with the process id of the one that holds it, where it is taken."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise Occupied(holder or "unknown") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the lock go; the file stays, because removing it would let two processes lock two files of one name."""
        os.close(self._descriptor)
