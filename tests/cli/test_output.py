"""What commands do where their output is not a good terminal."""

import re
import shlex
import signal
import subprocess

import pytest

from tests.cli.commands import STUDY, Workplace, read_rest, read_until
from tests.local.studies import manifest

COMMANDS = ("list", "export study", "report study", "next study", "lint study.yaml", "watch study", "run study.yaml")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = Workplace(tmp_path_factory.mktemp("finished"))
    study = manifest("record")
    study["spec"] |= {"notes": "größer ✓", "training": {"steps": 10}}
    place.write(study)
    assert place.study("run", "study.yaml").returncode == 0
    return place


def shell(place, command, **variables):
    """The command line under bash, with ``study`` for the command; its exit code is that of the first that failed."""
    line = f'set -o pipefail; study() {{ {shlex.join(STUDY)} "$@"; }}; {command}'
    environment = place.environment | variables
    return subprocess.run(["bash", "-c", line], cwd=place.path, env=environment, capture_output=True, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_the_output_is_one_sentence(finished, command):
    done = shell(finished, f"study {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == "the output: No space left on device"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_goes_away_interrupts_without_a_word(finished, command):
    done = shell(finished, f"study {command} | true")
    assert done.returncode == 130
    assert not re.search(b"Traceback|Exception|rror", done.stderr)


@pytest.mark.parametrize("command", COMMANDS)
def test_closed_streams_are_no_fault(finished, command):
    done = shell(finished, f"study {command} <&- >&- 2>&-")
    assert done.returncode == 0


def test_a_running_study_whose_reader_goes_away_is_interrupted_and_leaves_nothing_running(place):
    place.write(manifest("record", "0.2", trials=30))
    process = place.start("run", "study.yaml")
    read_until(process, "Accepted")
    process.stdout.close()
    assert process.wait(60) == 130
    assert "Interrupted" in place.study("list").stdout


def test_a_file_is_utf_8_whatever_the_locale(finished):
    for command in ("next study --longer 10", "export study --summary", "report study --markdown -"):
        done = shell(finished, f"study {command}", PYTHONIOENCODING="latin-1")
        assert (done.returncode, "größer ✓" in done.stdout.decode()) == (0, True), command


def test_a_terminal_gets_what_it_can_show(finished):
    variables = {"PYTHONIOENCODING": "latin-1:strict", "LC_ALL": "C.UTF-8"}
    code, shown = finished.on_a_terminal("next", "study", "--longer", "10", **variables)
    assert code == 0 and "?" in shown


def test_colours_are_left_out_where_nobody_wants_them(finished):
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    assert coloured.search(finished.on_a_terminal("report", "study")[1])
    assert not coloured.search(finished.on_a_terminal("report", "study", NO_COLOR="1")[1])


def test_a_dumb_terminal_gets_lines(finished):
    code, shown = finished.on_a_terminal("watch", "study", TERM="dumb")
    assert code == 0 and shown.startswith("Finished 4/4") and "\x1b" not in shown


def test_ctrl_c_is_told_by_the_exit_code(place):
    place.write(manifest("record", "2", trials=30))
    running = place.start("run", "study.yaml")
    read_until(running, "Accepted")
    process = place.start("watch", "study")
    read_until(process, "Running")
    process.send_signal(signal.SIGINT)
    said = read_rest(process)
    assert process.returncode == 130 and "Traceback" not in said
    running.terminate()
    running.communicate(timeout=30)


@pytest.mark.parametrize("folder", ["nowhere", "study.yaml"])
def test_a_folder_that_is_none_is_told(finished, folder):
    done = finished.study("list", "--studies", folder)
    assert (done.returncode, f"{folder} is no folder" in done.stderr) == (1, True)
