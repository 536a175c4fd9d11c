"""`study run` on a disk that is full for a while: a small file system of its own, in a namespace of mounts."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import read_rest, read_until
from tests.local.studies import manifest

NAMESPACE = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
SMALL_DISK = """
mkdir studies && mount -t tmpfs -o size=480k tmpfs studies && head -c 400k /dev/zero > studies/ballast || exit 99
exec "$@"
"""


@pytest.fixture
def start_on_a_small_disk(place):
    """Start a command whose folder ``studies`` is a disk of 480 kB, most of it taken by the file ``ballast``."""
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    assert tried.returncode == 0, f"it takes root, or namespaces for users: {tried.stderr}"
    return lambda *arguments: place.start(*arguments, inside=[*NAMESPACE, "sh", "-c", SMALL_DISK, "sh"])


def test_it_says_so_once_waits_for_room_and_loses_nothing(place, start_on_a_small_disk):
    place.write(manifest("record", trials=12))
    process = start_on_a_small_disk("run", "study.yaml")
    said = read_until(process, "Make room and it goes on.")
    assert "No space left on device" in said.splitlines()[-1]
    ended = said.count("] study-")
    assert ended < 12
    Path(f"/proc/{process.pid}/root{place.path}/studies/ballast").unlink()
    said = read_rest(process)
    assert process.returncode == 0, said
    assert said.count("] study-") == 12 - ended
    assert "Make room" not in said
