"""Runs in a study's folder: how one stands, told from its files alone."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from study_operator.backends.local.durable import settle, told
from study_operator.backends.local.processes import Ended, Process, began, forget
from study_operator.backends.port import Run, RunPhase, StudyKey
from study_operator.results.taxonomy import RunEnd

RUN_FILE, RECORD_FILE, SAMPLES_FILE, LOG_FILE = "run.json", "termination-log", "samples.txt", "log.txt"

_RECORD_BYTES = 4096
"""What Kubernetes keeps of a termination message: its end."""

_SIGTERM, _SIGKILL, _SIGHUP = 128 + 15, 128 + 9, 128 + 1


@dataclass(frozen=True, slots=True)
class RunFile:
    """What an engine must know of a run that another one started. ``started`` is unix seconds, ``grace`` seconds."""

    id: str
    study_uid: str
    index: int
    port: int
    started: float
    grace: float

    @classmethod
    def read(cls, folder: Path) -> RunFile | None:
        """None where the folder holds no run."""
        try:
            return cls(**json.loads((folder / RUN_FILE).read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None


def create(folder: Path, file: RunFile) -> None:
    """A fresh run folder. It need not reach the disk: a run that never began counts for nothing. Raises Exhausted,
    Refused.
    """
    with told(folder / RUN_FILE):
        folder.mkdir()
        (folder / RUN_FILE).write_text(json.dumps(asdict(file), indent=1) + "\n", encoding="utf-8")


def find_run(folder: Path) -> tuple[RunFile, Process] | None:
    """The run in ``folder``; None where there is none, or where it never came to start anything."""
    file = RunFile.read(folder)
    if file is None or not (folder / "alive").exists():
        return None
    process = Process(folder)
    ended = process.ended()
    if ended is not None and ended.code is None and not began(folder):
        process.close()
        return None
    return file, process


def describe(study: StudyKey, file: RunFile, folder: Path, node: str, ended: Ended | None) -> Run:
    """The run as the controller sees it."""
    return Run(
        study=study,
        index=file.index,
        id=file.id,
        phase=RunPhase.RUNNING if ended is None else RunPhase.ENDED,
        node=node,
        pod=folder.name,
        started=datetime.fromtimestamp(file.started, UTC),
        finished=None if ended is None else datetime.fromtimestamp(max(ended.at, file.started), UTC),
        end=None if ended is None else run_end(ended, folder),
        termination="" if ended is None else _tail(folder / RECORD_FILE, _RECORD_BYTES),
    )


def run_end(ended: Ended, folder: Path) -> RunEnd:
    """How the run ended, in words. What the trainer wrote last stands for the reason of a failure."""
    match ended.code:
        case None:
            return RunEnd(None, "Lost", "Its processes vanished, as at a restart of the machine", True, False)
        case 0:
            return RunEnd(0, "Completed", "", False, False)
        case code if code in (_SIGTERM, _SIGHUP):
            return RunEnd(code, "Stopped", "It was stopped from outside", True, False)
        case code if code == _SIGKILL:
            killed = f"It was killed; the kernel does that when the memory is full. {_last_line(folder)}".strip()
            return RunEnd(code, "Killed", killed, False, False)
        case code:
            return RunEnd(code, "Error", _last_line(folder), False, False)


def discard(folder: Path) -> None:
    """End the run in ``folder``, if there is one, at once, and set it aside."""
    found = find_run(folder)
    if found is not None:
        found[1].signal(signal.SIGKILL)
        found[1].close()
    if folder.exists():
        set_aside(folder)


def set_aside(folder: Path) -> None:
    """Make room for another run of the same trial: this one's folder gets the next free number behind its name.

    A run that came to nothing leaves nothing.
    """
    forget(folder)
    (folder / RUN_FILE).unlink(missing_ok=True)
    log = folder / LOG_FILE
    if not log.exists() or (not log.stat().st_size and not (folder / SAMPLES_FILE).exists()):
        shutil.rmtree(folder)
        return
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    folder.rename(aside)
    settle(folder.parent)


def release(folder: Path) -> None:
    """The run is over and its result is durable: only what a person may want to read stays."""
    (folder / RUN_FILE).unlink(missing_ok=True)
    forget(folder)


def contract_here(folder: Path, port: int) -> Mapping[str, str]:
    """The variables that are this machine's: where the trainer serves, and where it writes."""
    return {
        "STUDY_METRICS_ADDRESS": "127.0.0.1",
        "STUDY_METRICS_PORT": str(port),
        "STUDY_METRICS_LINGER": "60",
        "STUDY_TERMINATION_LOG": str(folder / RECORD_FILE),
        "STUDY_CHECKPOINTS": str(folder / "checkpoints"),
    }


def _last_line(folder: Path) -> str:
    lines = [line.strip() for line in _tail(folder / LOG_FILE, _RECORD_BYTES).splitlines()]
    return next((line[:256] for line in reversed(lines) if line), "")


def _tail(path: Path, size: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read(size).decode("utf-8", errors="replace")
    except OSError:
        return ""
