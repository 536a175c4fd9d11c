"""A run as processes that outlive the engine.

A kill of the engine must neither lose a run's exit code nor leave doubt whether a run is alive. So each run is a
session of its own, led by a few lines of shell that write the exit code to a file, and every process of it holds one
end of a named pipe: the pipe reports the end at once to whoever reads, child or adopted, and says of any run whether
something of it is alive. A process id alone could not: it is given to others after the end. The trainer's own words
never reach the shell as text, only as its arguments.

The exit code is on disk before the supervisor lets go of the pipe, and the process id before the trainer starts. So a
run folder whose pipe nobody holds has either its exit code, or lost its supervisor (a reboot, a kill -9), or never
began.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from study_operator.backends.local.durable import told

_SUPERVISOR = """
trap : TERM INT HUP
folder=$1
shift
echo "$$" > "$folder/pid" || exit 1
(exec "$@")
echo "$?" > "$folder/exit-code"
kill -KILL 0
"""
"""It survives the signals that end the trainer, and ends what the trainer left behind, as the end of a container's
first process does. ``exec`` in a subshell: a word such as ``exit`` is a program's name like any other."""

_ALIVE, _PID, _EXIT_CODE = "alive", "pid", "exit-code"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run's processes ended. ``code`` is None where the supervisor was killed before it could tell."""

    code: int | None
    at: float


class Process:
    """One run's processes, whether this engine started them or found them."""

    def __init__(self, folder: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        """Watch the run in ``folder``; the pipe is opened here and closed by :meth:`close`."""
        self.folder = folder
        self._child = child
        self._pipe = os.open(folder / _ALIVE, os.O_RDONLY | os.O_NONBLOCK)

    @classmethod
    def start(cls, folder: Path, arguments: Collection[str], environment: Mapping[str, str], cwd: Path) -> Process:
        """Start a run in its folder, which exists and has seen no run. Raises Refused and Exhausted with a sentence."""
        with told(folder / _ALIVE):
            os.mkfifo(folder / _ALIVE)
            reader = os.open(folder / _ALIVE, os.O_RDONLY | os.O_NONBLOCK)
            writer = os.open(folder / _ALIVE, os.O_WRONLY)
        try:
            with told(folder / "log.txt"), (folder / "log.txt").open("ab") as log:
                child = subprocess.Popen(
                    ["/bin/sh", "-c", _SUPERVISOR, "study", str(folder), *arguments],
                    env=dict(environment),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=[writer],
                )
            return cls(folder, child)
        finally:
            os.close(writer)
            os.close(reader)

    def alive(self) -> bool:
        """Whether any process of the run holds the pipe."""
        try:
            return os.read(self._pipe, 1) != b""
        except BlockingIOError:
            return True

    def ended(self) -> Ended | None:
        """None while the run goes on, also after the death of its supervisor alone."""
        alive = self.alive()  # before the exit code is looked for, which is written while the pipe is held
        ending = read_ending(self.folder)
        return ending if ending is not None or alive else Ended(None, time.time())

    async def wait(self) -> Ended:
        """Until the run ends. The pipe wakes us; the exit code is looked for besides, lest a daemon keeps the pipe."""
        loop = asyncio.get_running_loop()
        while (ending := self.ended()) is None:
            closed = asyncio.Event()
            loop.add_reader(self._pipe, closed.set)
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(closed.wait(), timeout=2)
            finally:
                loop.remove_reader(self._pipe)
        return ending

    def signal(self, number: signal.Signals) -> None:
        """To every process of the run that is still there."""
        leader = self._child.pid if self._child is not None else read_pid(self.folder)
        if leader is not None and self.alive():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(leader, number)

    def close(self) -> None:
        """Let go of the run, which goes on if it has not ended."""
        ended = self.ended() is not None
        os.close(self._pipe)
        if self._child is not None and ended:
            self._child.wait()  # its last act was to kill its own group
        elif self._child is not None and self._child.returncode is None:
            self._child.returncode = 0  # it is not ours any more, and Popen need not warn of that


def began(folder: Path) -> bool:
    """Whether a run in this folder came as far as its supervisor: if not, nothing was computed and nothing is lost."""
    return read_pid(folder) is not None


def read_pid(folder: Path) -> int | None:
    """The leader of the run's process group."""
    text = _line(folder / _PID)
    return None if text is None else int(text)


def read_ending(folder: Path) -> Ended | None:
    """The exit code and when it was written; None where there is none."""
    text = _line(folder / _EXIT_CODE)
    return None if text is None else Ended(int(text), (folder / _EXIT_CODE).stat().st_mtime)


def _line(path: Path) -> str | None:
    """A number's line; None where it is absent or cut short."""
    try:
        text = path.read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return text.strip() if text.endswith("\n") and text.strip().isdigit() else None


def forget(folder: Path) -> None:
    """Remove what tells how the run stands; its log, samples and checkpoints stay."""
    for name in (_ALIVE, _PID, _EXIT_CODE):
        (folder / name).unlink(missing_ok=True)
