"""The command `study` as a process of its own, as a person starts it."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
STUDY = [sys.executable, "-c", "from study_operator.cli.main import main; main(prog_name='study')"]


class Workplace:
    """A folder to start commands in, and what they leave there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts = path / "counts.txt"
        self._started: list[subprocess.Popen[str]] = []
        self.environment = os.environ | {
            "PYTHONPATH": f"{ROOT / 'operator'}{os.pathsep}{ROOT / 'trainer-image'}",
            "COUNT_FILE": str(self.counts),
            "COLUMNS": "120",
        }

    def write(self, manifest: dict[str, Any] | str, name: str = "study.yaml") -> Path:
        file = self.path / name
        file.write_text(
            manifest if isinstance(manifest, str) else yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
        )
        return file

    def study(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*STUDY, *arguments], cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=120
        )

    def start(self, *arguments: str, inside: Sequence[str] = (), **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["env", "--default-signal=INT", *inside, *STUDY, *arguments],  # a shell's background ignores it
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        self._started.append(process)
        return process

    def stop(self) -> None:
        """End what a test that failed left running."""
        for process in self._started:
            process.terminate()
            process.communicate(timeout=60)

    def on_a_terminal(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit code, and all that was shown."""
        controller, terminal = pty.openpty()
        variables = self.environment | {"TERM": "xterm"} | environment
        process = subprocess.Popen([*STUDY, *arguments], cwd=self.path, env=variables, stdout=terminal)
        os.close(terminal)
        shown = bytearray()
        with suppress(OSError):  # Linux' way of saying that the other end is closed
            while chunk := os.read(controller, 65536):
                shown += chunk
        os.close(controller)
        return process.wait(), shown.decode(errors="replace")

    @property
    def status(self) -> dict[str, Any]:
        return yaml.safe_load((self.path / "studies/study/status.yaml").read_text())

    @property
    def trials(self) -> dict[str, dict[str, Any]]:
        files = (self.path / "studies/study/trials").glob("*.json")
        return {file.stem: json.loads(file.read_text()) for file in files}

    @property
    def begun(self) -> Counter[str]:
        """How often each trial's trainer was started."""
        return Counter(self.counts.read_text().split()) if self.counts.exists() else Counter()


def interrupt(process: subprocess.Popen[str], times: int = 1) -> tuple[int, str]:
    """The exit code and the rest of the output after so many times Ctrl-C, each seen to be answered."""
    said = []
    for answer in ["No more trials", "Stopping"][:times]:
        process.send_signal(signal.SIGINT)
        said.append(read_until(process, answer))
    said.append(read_rest(process))
    return process.returncode, "".join(said)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """The output up to the line that has the words."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} was never said:\n{''.join(lines)}")


def read_rest(process: subprocess.Popen[str]) -> str:
    """What it still says until it ends; `communicate` with a time limit passes over what was read ahead with a line."""
    with process.stdout:
        said = process.stdout.read()
    process.wait(timeout=60)
    return said
