"""What no moment of death may cost: a trial, or a trial twice."""

import random
import resource
import shutil
import time

import yaml

from tests.cli.commands import read_rest, read_until
from tests.local.studies import manifest

KILLS = 12
TRIALS = 60


def test_kill_9_at_any_moment_loses_and_duplicates_nothing(place):
    moments = random.Random(20)
    place.write(manifest("record", "0.3", trials=TRIALS))
    for kill in range(KILLS):
        process = place.start("run", "study.yaml")
        if kill % 4:  # the others die while they start
            read_until(process, "Study study")
        time.sleep(moments.uniform(0, 1.2))
        assert process.poll() is None, "a kill has to find the study running"
        process.kill()
        process.communicate()
    ended = place.study("run", "study.yaml")
    assert ended.returncode == 0, ended.stdout
    assert place.begun == {f"study-{index}": 1 for index in range(TRIALS)}
    assert {trial["status"]["attempts"] for trial in place.trials.values()} == {1}
    assert place.status["trials"]["succeeded"] == TRIALS
    undisturbed = place.path / "undisturbed"
    place.study("run", "study.yaml", "--folder", str(undisturbed), "--parallelism", "8")
    assert ranking_of(undisturbed / "status.yaml") == place.status["ranking"]


def test_a_full_disk_costs_nothing_once_there_is_room_again(place):
    place.write(manifest("record", trials=4))
    process = place.start("run", "study.yaml", preexec_fn=lambda: limit_file_size(1100))
    read_until(process, "DiskFull: ")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert place.begun == {f"study-{index}": 1 for index in range(4)}
    assert place.status["trials"]["succeeded"] == 4


def limit_file_size(size):
    """The one way to make any file system full for one process alone, and with room again later."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def ranking_of(path):
    return yaml.safe_load(path.read_text())["ranking"]


def test_a_folder_that_is_removed_under_a_study_ends_it_and_leaves_nothing_running(place):
    place.write(manifest("sleep", "60", trials=2))
    process = place.start("run", "study.yaml")
    read_until(process, "Accepted")
    while (place.path / "studies").exists():  # something may be written into a folder just before it is removed
        shutil.rmtree(place.path / "studies", ignore_errors=True)
    said = read_rest(process)
    assert process.returncode == 1
    assert "does not hold the study default/study any more" in said or "is not there any more" in said
