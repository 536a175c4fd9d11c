"""A server program as a child process that never outlives the tests."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_UNPRIVILEGED_AND_NOT_EPHEMERAL = range(20_000, 32_000)
"""Linux hands out 32768-60999 to outgoing connections, so a port of that range could be gone when a server is
restarted on it."""


class ServerFailed(Exception):
    """A server ended or did not become ready; the message carries the end of its log."""


def free_port() -> int:
    """A loopback port that nothing listens on and that no outgoing connection will take."""
    while True:
        port = random.SystemRandom().choice(_UNPRIVILEGED_AND_NOT_EPHEMERAL)
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def dies_with_parent(command: Sequence[str]) -> list[str]:
    """``command``, killed by the kernel when the thread that starts it ends.

    So a killed test run leaves no servers behind. Where setpriv (util-linux) is missing, only an orderly end stops it.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else list(command)


class Running(ABC):
    """Something that runs while the block runs that it is the context manager of."""

    @abstractmethod
    def start(self) -> None:
        """Returns when it can be used."""

    @abstractmethod
    def stop(self) -> None:
        """End it."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Server:
    """One server program: started, watched until ready, stopped, started again with the same command."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.command = command
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process, f"{self.command[0]} is not running"
        return self._process.pid

    def start(self) -> None:
        assert self._process is None, f"{self.command[0]} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(dies_with_parent(self.command), stdout=log, stderr=subprocess.STDOUT)

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Poll ``ready``. Raises ServerFailed if the program ends first, or is not ready in time."""
        deadline = time.monotonic() + seconds
        while not ready():
            code = self._process.poll() if self._process else "no start"
            if code is not None:
                raise ServerFailed(f"{Path(self.command[0]).name} ended with {code}:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{Path(self.command[0]).name} was not ready in {seconds} s:\n{self._log_tail()}")
            time.sleep(0.05)

    def stop(self, seconds: float = 10.0) -> None:
        """Ask it to end, and kill it after ``seconds``; nothing happens if it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
