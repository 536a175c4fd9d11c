"""Trainers as a study starts them: a process with the contract's environment, scraped over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import free_port


class Trainer:
    """A running trainer process."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self.record_path = folder / "termination-log"
        self.port = free_port()
        self.process = subprocess.Popen(
            ["env", "--default-signal=INT", *command],  # a shell's background ignores it
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("STUDY_", "HP_"))},
                "STUDY_NAME": "study",
                "STUDY_TRIAL": "study-0",
                "STUDY_SEED": "7",
                "STUDY_METRICS_ADDRESS": "127.0.0.1",
                "STUDY_METRICS_PORT": str(self.port),
                "STUDY_METRICS_LINGER": "0",
                "STUDY_TERMINATION_LOG": str(self.record_path),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait(self) -> int:
        self.output, _ = self.process.communicate(timeout=120)
        return self.process.returncode

    def wait_for_line(self, line: str) -> None:
        assert self.process.stdout is not None
        for printed in self.process.stdout:
            if printed.strip() == line:
                return
        raise AssertionError(f"the trainer ended before it printed {line}")

    def wait_for_record(self) -> None:
        while not self.record_path.exists():
            assert self.process.poll() is None, "the trainer ended without a record"
            time.sleep(0.01)

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads(self.record_path.read_text()))

    def scrape(self) -> str:
        """The metrics, once the trainer serves them."""
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                    return str(answer.read().decode())
            except urllib.error.URLError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)


Start = Callable[..., Trainer]


@pytest.fixture
def start_trainer(tmp_path: Path) -> Iterator[Start]:
    """Starts ``start_trainer(script_or_command, VARIABLE="value", ...)``; a script is run by Python."""
    trainers: list[Trainer] = []

    def start(script: str | list[str], **environment: str) -> Trainer:
        command = [sys.executable, "-c", script] if isinstance(script, str) else script
        trainers.append(Trainer(tmp_path, command, environment))
        return trainers[-1]

    yield start
    for trainer in trainers:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(trainer.process.pid, signal.SIGKILL)
        trainer.process.communicate()
