"""SIGTERM, at once.

Python runs a signal's handler only between two of its own instructions, and a training step may spend minutes in a
compiled one, longer than the grace that a cluster gives. The interpreter does write each signal's number to the
wake-up descriptor at once, so a thread that reads there writes the record and ends the process whatever the main
thread is doing.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable


class TerminationWatch:
    """Calls ``terminated`` from a thread of its own when the process gets SIGTERM, until it is closed."""

    def __init__(self, terminated: Callable[[], None]) -> None:
        """Raises ValueError outside the main thread, where no handler can be set."""
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._previous_handler = signal.signal(signal.SIGTERM, self._wake) or signal.SIG_DFL
        self._previous_descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=self._leave_to_child)
        threading.Thread(target=self._watch, args=(terminated,), name="study-termination", daemon=True).start()

    def close(self) -> None:
        """SIGTERM does again what it did before."""
        self._leave()
        self._writer.close()

    def _leave_to_child(self) -> None:
        """A forked child, such as a data loader's worker, shares the descriptor: its SIGTERM would end its parent."""
        self._leave()
        _release()

    def _leave(self) -> None:
        if signal.getsignal(signal.SIGTERM) == self._wake:
            signal.signal(signal.SIGTERM, self._previous_handler)
            signal.set_wakeup_fd(self._previous_descriptor)

    def _watch(self, terminated: Callable[[], None]) -> None:
        with self._reader:
            while received := self._reader.recv(1):
                if received[0] == signal.SIGTERM:
                    terminated()

    def _wake(self, number: int, _frame: object) -> None:
        """Reached too where an event loop has taken over the wake-up descriptor."""
        self._writer.send(bytes([number]))


def _hold() -> None:
    """A SIGTERM that reaches a child before it has left the watch waits until it has."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
