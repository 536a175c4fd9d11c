"""``study-operator`` as a process of its own, as a Deployment runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.server import Server, free_port


class OperatorProcess(Server):
    """One replica. Its log, which all its starts share, is JSON, one object a line."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        program = Path(sys.executable).with_name("study-operator")
        probes = ["--http-address=127.0.0.1", f"--http-port={self.url.rpartition(':')[2]}"]
        super().__init__([str(program), *probes, *arguments], folder / "operator.log")

    @property
    def stage(self) -> str:
        """What the readiness probe says, empty while nothing answers."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).text.strip()
        except requests.ConnectionError:
            return ""

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process, "it was not started"
        return self._process.poll()

    def start_and_wait(self, stage: str = "acting") -> None:
        self.start()
        self.wait_until(lambda: self.stage == stage)

    def revive(self) -> None:
        """Start it again if it has ended, as the cluster does."""
        if self.exit_code is not None:
            self.kill()
            self.start()

    def metrics(self, name: str) -> dict[tuple[str, ...], float]:
        """The samples of one metric of its own, by their labels' values in the order of the labels' names."""
        text = requests.get(f"{self.url}/metrics", timeout=5).text
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in samples
            if sample.name == name
        }

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every line of the log. Raises ValueError for a line that is no JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]
