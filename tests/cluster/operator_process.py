"""``study-operator`` as a process of its own, as a Deployment runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.server import Running, Server, free_port

PROGRAM = str(Path(sys.executable).with_name("study-operator"))


class OperatorProcess(Server, Running):
    """One replica, started by ``program``. Its log, which all its starts share, is JSON, one object a line."""

    def __init__(self, folder: Path, arguments: Sequence[str], program: Sequence[str] = (PROGRAM,)) -> None:
        folder.mkdir(exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        probes = ("--http-address=127.0.0.1", f"--http-port={port}")
        super().__init__([*program, *probes, *arguments], folder / "operator.log")

    def start_and_wait(self, stage: str = "acting") -> None:
        self.start()
        self.wait_for(stage)

    def wait_for(self, stage: str, seconds: float = 60.0) -> None:
        self.wait_until(lambda: self.stage == stage, seconds)

    @property
    def stage(self) -> str:
        """What the readiness probe says, empty while nothing answers."""
        return self.ask("readyz").strip()

    def ask(self, path: str) -> str:
        """What it answers at ``path``; empty while nothing answers."""
        try:
            return requests.get(f"{self.url}/{path}", timeout=5).text
        except requests.RequestException:
            return ""

    def signal(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.poll()

    def ends(self, seconds: float = 30.0) -> int:
        """Its exit code, once it has ended by itself."""
        return self._child.wait(seconds)

    def revive(self) -> None:
        """Start it again if it has ended, as the cluster does."""
        if self.exit_code is not None:
            self.kill()
            self.start()

    def metrics(self, name: str) -> dict[tuple[str, ...], float]:
        """The samples of one metric of its own, by their labels' values in the order of the labels' names."""
        families = text_string_to_metric_families(self.ask("metrics"))
        samples = (sample for family in families for sample in family.samples)
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in samples
            if sample.name == name
        }

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every line of the log. Raises ValueError for a line that is no JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def _child(self) -> subprocess.Popen[bytes]:
        assert self._process, "it was not started"
        return self._process

    def __enter__(self) -> OperatorProcess:
        """Start it and wait until it acts; at the end it is asked to end, so that it lets go of the lease."""
        self.start_and_wait()
        return self
