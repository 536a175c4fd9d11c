"""What trainers do wrong is told in a sentence, and costs neither another trial nor the operator."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.node_agent import NodeAgent
from tests.cluster.operator_process import OperatorProcess
from tests.end_to_end.place import Object, Place
from tests.end_to_end.studies import METRIC, RECORD, SLEEP, expected_trials, sh, study, trainer
from tests.end_to_end.trainer import curve

ENDINGS = {
    "silent": (sh("exit 0"), "Failed", "NoResult", "never reported the objective validation_error"),
    "failing": (sh("echo boom >&2; exit 3"), "Failed", "Error", "exited with code 3"),
    "crashing": (sh("kill -SEGV $$$$"), "Failed", "Error", "SIGSEGV"),
    "missing": (["no-such-program"], "Failed", "Error", "no-such-program"),
    "nan": (trainer("objective", "nan"), "Infeasible", "Diverged", "the last validation_error is nan at step 2"),
    "infinite": (trainer("objective", "inf"), "Infeasible", "Diverged", "the last validation_error is inf at step 2"),
    "diverging": (trainer("diverges"), "Infeasible", "Diverged", "the loss is a mountain"),
    "exit-65": (sh("exit 65"), "Infeasible", "Diverged", "The training diverged"),
    "full": (trainer("out_of_memory"), "Infeasible", "Constraint", "out of memory"),
    "exit-66": (sh("exit 66"), "Infeasible", "Constraint", "out of memory"),
    "huge": (trainer("says", "huge"), "Failed", "NoResult", "is not a record"),
    "deep": (trainer("says", "deep"), "Failed", "NoResult", "is not a record"),
    "wrong": (trainer("says", "wrong"), "Failed", "NoResult", "validation_error"),
    "list": (trainer("says", "list"), "Failed", "NoResult", "object"),
    "truncated": (trainer("says", "truncated"), "Failed", "NoResult", "cut off"),
    "bytes": (trainer("says", "bytes"), "Failed", "NoResult", "is not a record"),
}
"""By the study's name: what its trainer does, and the state, the reason and some words that its trial ends with."""


def test_bad_ends_are_told(place: Place, operator: OperatorProcess) -> None:
    for name, (command, *_) in ENDINGS.items():
        place.apply(study(name, command, trials=1))
    told = {}
    for name in ENDINGS:
        status = place.finishes(name)
        assert "best" not in status and not status["ranking"]
        told[name] = place.trial_status(name, 0)
    expected = {name: (state, reason) for name, (_, state, reason, _) in ENDINGS.items()}
    assert {name: (status["state"], status["reason"]) for name, status in told.items()} == expected
    unclear = {
        name: told[name]["message"] for name, (*_, words) in ENDINGS.items() if words not in told[name]["message"]
    }
    assert not unclear


def test_a_trial_that_the_kernel_kills_for_its_memory_is_infeasible(
    place: Place, operator: OperatorProcess, node_agent: NodeAgent
) -> None:
    place.apply(study("hungry", sh(SLEEP), trials=1))
    node_agent.oom_kill(place.namespace, place.running_pod("hungry-0"))
    place.finishes("hungry")
    told = place.trial_status("hungry", 0)
    assert (told["state"], told["reason"]) == ("Infeasible", "Constraint")


def test_a_plain_gauge_is_enough(place: Place, operator: OperatorProcess) -> None:
    told = only_trial(place, trainer("gauge", 4))
    assert (told["state"], told["source"]) == ("Succeeded", "Prometheus")
    assert 0.125 <= float(told["objective"]["value"]) <= 0.3125
    assert told["metrics"][METRIC]["count"] >= 2


def test_the_record_alone_is_enough(place: Place, operator: OperatorProcess) -> None:
    told = only_trial(place, sh(RECORD))
    assert (told["state"], told["source"]) == ("Succeeded", "TerminationRecord")


def test_a_clock_that_jumps_loses_no_point(place: Place, operator: OperatorProcess) -> None:
    manifest = study("lonely", trainer("jumping_clock", 30), trials=1)
    told = only_trial(place, trainer("jumping_clock", 30))
    [expected] = expected_trials(manifest)
    values = curve(float(expected["parameters"]["learning_rate"]), expected["seed"], 30)
    assert told["objective"]["value"] == repr(min(values))
    assert told["metrics"][METRIC]["count"] == 30
    assert (told["source"], told.get("incomplete")) == ("Prometheus", None)
    assert told["curves"][METRIC] == {"steps": list(range(1, 31)), "values": values}


@pytest.mark.timeout(1500)
def test_a_million_points_do_not_fill_the_memory(place: Place, operator: OperatorProcess) -> None:
    told = only_trial(place, trainer("many_points", 1_000_000), seconds=1200)
    assert told["state"] == "Succeeded"
    assert told["metrics"][METRIC]["count"] == 1_000_000
    assert len(told.get("curves", {}).get(METRIC, {"steps": []})["steps"]) <= 48
    peak = max(int(line.split()[1]) for line in status_of(operator.pid) if line.startswith("VmHWM"))
    assert peak < 400_000, f"{peak} kB"


def only_trial(place: Place, command: list[str], seconds: int = 180, **more: Any) -> Object:
    """The status of the one trial of a study."""
    place.apply(study("lonely", command, trials=1, **more))
    place.finishes("lonely", seconds)
    return place.trial_status("lonely", 0)


def status_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/status").read_text().splitlines()
