"""`study watch` of a study in a cluster: one watch, whatever happens to it."""

import json
from collections import Counter

import pytest

from tests.cli.commands import read_rest, read_until
from tests.local.studies import manifest

BEST = {"trial": "study-0", "arm": "optimizer=adam", "objective": "0.25", "parameters": {"learning_rate": "0.1"}}


@pytest.fixture
def tell(control_plane, namespace):
    """Write the status of a new study, as the operator would."""
    control_plane.install_crds()
    control_plane.kubectl("apply", f"--namespace={namespace}", "--filename=-", input=json.dumps(manifest("record")))

    def write(state, **status):
        patch = json.dumps({"status": {"state": state, **status}})
        where = ("--subresource=status", "--type=merge", f"--namespace={namespace}")
        control_plane.kubectl("patch", "study", "study", *where, f"--patch={patch}")

    return write


@pytest.fixture
def watching(control_plane, namespace, place, tell):
    """The command, which has begun to watch."""
    tell("Running", progress="1/4")
    process = place.start("watch", "study", f"--kubeconfig={control_plane.kubeconfig}", f"--namespace={namespace}")
    read_until(process, "Running 1/4")
    yield process
    process.kill()
    process.wait()


def test_it_asks_once_and_ends_with_the_study(control_plane, tell, watching):
    before = requests(control_plane)
    tell("Running", progress="2/4")
    read_until(watching, "Running 2/4")
    tell("Finished", progress="4/4", best=BEST)
    said = read_rest(watching)
    assert said == "Finished 4/4, best objective 0.25 by study-0 (optimizer=adam)\n"
    assert watching.returncode == 0
    assert requests(control_plane) - before <= Counter(list=1, watch=1)


def test_it_outlasts_the_api_server(control_plane, tell, watching):
    control_plane.stop_api_server()
    read_until(watching, "the API server cannot be reached")
    control_plane.start_api_server()
    tell("Running", progress="2/4")
    read_until(watching, "Running 2/4")
    tell("Finished", progress="4/4")
    watching.communicate(timeout=30)
    assert watching.returncode == 3


def test_a_study_that_is_deleted_ends_it(control_plane, namespace, watching):
    control_plane.kubectl("delete", "study", "study", f"--namespace={namespace}")
    said = read_rest(watching)
    assert (watching.returncode, said) == (1, "the study 'study' was deleted\n")


def requests(control_plane):
    """How often the command has asked so far, by verb."""
    entries = map(json.loads, control_plane.audit_log.read_text().splitlines())
    done = (entry for entry in entries if entry["userAgent"] == "study" and entry["stage"] == "ResponseComplete")
    return Counter(entry["verb"] for entry in done)
