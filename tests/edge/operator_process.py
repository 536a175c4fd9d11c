"""The operator as a process of its own, as a cluster runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import requests

from tests.cluster.server import dies_with_parent, free_port


class OperatorProcess:
    """One replica; ``options`` are those of its command line, beside the kubeconfig and the port."""

    def __init__(self, kubeconfig: Path, log: Path, *options: str) -> None:
        self.log = log
        self._port = free_port()
        self._command = [
            sys.executable,
            "-m",
            "study_operator.operator",
            f"--kubeconfig={kubeconfig}",
            f"--http-port={self._port}",
            "--http-address=127.0.0.1",
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, stage: str = "acting") -> None:
        """Start it, and wait until it is in ``stage``."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(dies_with_parent(self._command), stdout=log, stderr=subprocess.STDOUT)
        self.wait_for(stage)

    def wait_for(self, stage: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while self.ask("readyz").strip() != stage:
            assert self._running.poll() is None, f"the operator ended:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"not {stage} in {seconds} s:\n{self.log.read_text()}"
            time.sleep(0.05)

    def ask(self, path: str) -> str:
        """What it answers at ``path``; empty while nothing answers."""
        try:
            return requests.get(f"http://127.0.0.1:{self._port}/{path}", timeout=5).text
        except requests.RequestException:
            return ""

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def exit_code(self, seconds: float = 30.0) -> int:
        """Wait until it has ended by itself."""
        return self._running.wait(seconds)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the operator was not started"
        return self._process

    def __enter__(self) -> OperatorProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask it to end, so that it lets go of the lease."""
        with suppress(subprocess.TimeoutExpired):
            self._running.terminate()
            self._running.wait(15)
        self.kill()
