"""A container as a local process: started in a folder of its own, ended by signal, its last words read from files."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.api import Object
from tests.cluster.pod_status import running, terminated
from tests.cluster.server import dies_with_parent

_MESSAGE_BYTES = 4096
_LOG_BYTES, _LOG_LINES = 2048, 80
_START_ERROR = 128


class Container:
    """One container of a pod. ``state`` is its state as the pod's status tells it."""

    def __init__(self, spec: Object, folder: Path) -> None:
        self._spec = spec
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._started = datetime.now(UTC)
        self._out_of_memory = False
        self.state: Object = {}

    @property
    def log(self) -> Path:
        return self._folder / "output.log"

    @property
    def _message(self) -> Path:
        return self._folder / "termination-log"

    async def start(self, command: Sequence[str], variables: Mapping[str, str], address: str) -> None:
        """Start the process; if it cannot start, the container has terminated with StartError.

        A local process cannot be given another /dev/termination-log or another network, so two variables replace
        them: the trainer's contract reads both.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        working_folder = Path(self._spec.get("workingDir", self._folder))
        environment = {
            **_image_environment(self._folder),
            **variables,
            "STUDY_METRICS_ADDRESS": address,
            "STUDY_TERMINATION_LOG": str(self._message),
        }
        self._started = datetime.now(UTC)
        problem = _cannot_start(command[0], environment["PATH"], working_folder)
        if problem:
            self.state = self._terminated(_START_ERROR, "StartError", problem)
            return
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *dies_with_parent(command),
                cwd=working_folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.state = running(self._started)

    async def ended(self) -> None:
        """Wait for the process, and end what it left behind in its group, as the end of a container's first process
        does."""
        process = self._process
        if process is None:
            return
        code = await process.wait()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self._process = None
        exit_code = code if code >= 0 else 128 - code
        reason = "OOMKilled" if self._out_of_memory else "Error" if exit_code else "Completed"
        self.state = self._terminated(exit_code, reason, self._last_words(exit_code))

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def out_of_memory(self) -> None:
        """End it as the kernel does when the container's memory limit is reached."""
        self._out_of_memory = True
        self.signal(signal.SIGKILL)

    def _last_words(self, exit_code: int) -> str:
        said = _tail(self._message, _MESSAGE_BYTES)
        if not said and exit_code and self._spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            said = "".join(_tail(self.log, _LOG_BYTES).splitlines(keepends=True)[-_LOG_LINES:])
        return said

    def _terminated(self, exit_code: int, reason: str, message: str) -> Object:
        return terminated(exit_code, reason, message, self._started, datetime.now(UTC))


def _image_environment(home: Path) -> dict[str, str]:
    """What an image would set: the interpreter of the tests first, so that ``python`` has their packages."""
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}


def _cannot_start(program: str, path: str, folder: Path) -> str | None:
    if not folder.is_dir():
        return f"failed to create containerd task: chdir to cwd ({folder}) failed: no such file or directory"
    if shutil.which(program, path=path) is None:
        return f'failed to create containerd task: exec: "{program}": executable file not found in $PATH'
    return None


def _tail(path: Path, size: int) -> str:
    try:
        return path.read_bytes()[-size:].decode(errors="replace")
    except FileNotFoundError:
        return ""
