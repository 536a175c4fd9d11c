"""What this machine has to have for a run: the program, the folder it runs in, and a free port."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Collection, Mapping
from pathlib import Path
from random import Random

from study_operator.backends.local.template import TrainerTemplate
from study_operator.backends.port import Refused

_PORTS = range(20000, 30000)
"""Below the ports that Linux and macOS hand out for outgoing connections, so that none of these is in the way."""


def check_command(template: TrainerTemplate, environ: Mapping[str, str], cwd: Path) -> None:
    """Raises Refused, with the field's path, where the trainer cannot be started here.

    A command is needed: only the image knows what its entrypoint is, and a local run has no image.
    """
    if not template.container.get("command"):
        raise Refused(
            f"{template.path}.command: a local run needs a command, because it runs on this machine and not in the "
            f"image {template.image!r}; write down what the image runs, such as [python, train.py]"
        )
    folder = working_folder(template, cwd)
    command = template.command({})
    program = command.arguments[0]
    if "$(" in program:
        return
    path = command.environment.get("PATH", environ.get("PATH", os.defpath))
    found = shutil.which(folder / program) if "/" in program else shutil.which(program, path=path)
    if found is None:
        field = f"{template.path}.command[0]"
        raise Refused(f"{field}: the program {program!r} is not found on this machine; PATH is {path}")


def working_folder(template: TrainerTemplate, cwd: Path) -> Path:
    """Where the trainer runs: the template's folder, else ``cwd``. Raises Refused where there is none."""
    folder = cwd / str(template.container.get("workingDir") or ".")
    if not folder.is_dir():
        raise Refused(f"{template.path}.workingDir: there is no folder {folder} on this machine")
    return folder


def free_port(taken: Collection[int], random: Random) -> int:
    """A port that nobody listens on now and that is not in ``taken``. Raises Refused where every one is in use."""
    for port in random.sample(_PORTS, len(_PORTS)):
        if port not in taken and _unused(port):
            return port
    raise Refused(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free for a trainer's metrics")


def _unused(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
