"""From the release before this one to this one and back, under studies that run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import (
    RECORD,
    begun_trials,
    expected_ranking,
    expected_trials,
    once_each,
    ranking,
    sh,
    study,
)
from tests.upgrade.conftest import Upgrades
from tests.upgrade.release import Release

TRIALS = 18


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Where trainers leave their trial's name as they start."""
    return tmp_path / "begun.txt"


def running(name: str, begun: Path) -> dict[str, Any]:
    return study(name, sh(f"sleep 2; {RECORD}"), begun=begun, trials=TRIALS, parallelism=3)


def reaches(place: Place, name: str, succeeded: int) -> None:
    """Wait until so many trials have ended, and others run."""
    eventually(
        lambda: place.status(name).get("trials", {}),
        lambda trials: trials.get("succeeded", 0) >= succeeded and trials.get("running", 0) > 0,
    )


def holds(place: Place, manifest: dict[str, Any], begun: Path) -> None:
    """The study has finished as if nothing had happened: every trial once, each at the point that its seed gives."""
    name = manifest["metadata"]["name"]
    status = place.finishes(name)
    assert (status["trials"]["succeeded"], status["trials"]["failed"]) == (TRIALS, 0)
    assert begun_trials(begun) == once_each(name, TRIALS)
    assert ranking(status) == expected_ranking(manifest)
    for index, (trial, expected) in enumerate(zip(place.trials(name).values(), expected_trials(manifest), strict=True)):
        assert (index, trial["spec"] | expected) == (index, trial["spec"])
        assert trial["status"]["attempts"] == 1


def test_studies_that_run_go_on_under_the_next_release(
    upgrades: Upgrades, place: Place, old: Release, new: Release, begun: Path
) -> None:
    upgrades.install(old)
    done, manifest = study("done", sh(RECORD), trials=4), running("live", begun)
    place.apply(done)
    told = place.finishes("done")
    place.apply(study("idle", sh(RECORD), suspend=True))
    place.becomes("idle", "Suspended")
    place.apply(manifest)
    reaches(place, "live", 3)
    before = place.read("studies", "live")["metadata"]["generation"]

    upgrades.install(new)

    holds(place, manifest, begun)
    assert set(upgrades.jobs(place).values()) == {old.version, new.version}, "each has started some of the trials"
    assert place.read("studies", "live")["metadata"]["generation"] == before
    after = place.status("done")
    for what in ("ranking", "best", "trials", "startTime", "completionTime", "observedGeneration"):
        assert after[what] == told[what]
    [finish] = [condition for condition in told["conditions"] if condition["type"] == "Finished"]
    same = ("status", "reason", "lastTransitionTime")
    assert [place.condition("done", "Finished")[what] for what in same] == [finish[what] for what in same]
    place.change("idle", suspend=False)
    assert place.finishes("idle")["trials"]["succeeded"] == 4
    assert upgrades.errors() == []


def test_a_manifest_of_the_old_release_is_no_drift_and_new_fields_have_their_defaults(
    upgrades: Upgrades, place: Place, old: Release, new: Release
) -> None:
    upgrades.install(old)
    manifest = study("plain", sh(RECORD), suspend=True)
    of_today = {**manifest, "metadata": {"name": "new"}, "spec": {**manifest["spec"], "lastLaunch": True}}
    assert 'unknown field "spec.lastLaunch"' in place.refusal(of_today)
    place.apply(manifest)
    place.becomes("plain", "Suspended")
    upgrades.install(new)
    place.apply(of_today)
    place.becomes("new", "Suspended")
    assert place.read("studies", "plain")["spec"]["lastLaunch"] is False
    arguments = ("diff", f"--namespace={place.namespace}", "--filename=-")
    assert upgrades.control.kubectl(*arguments, input=json.dumps(manifest)).stdout == ""
    assert place.apply(manifest).strip().endswith("unchanged")


def test_studies_that_run_go_on_after_a_rollback(
    upgrades: Upgrades, place: Place, old: Release, new: Release, begun: Path
) -> None:
    upgrades.install(old)
    upgrades.install(new)
    done, manifest = study("done", sh(RECORD), trials=4), running("live", begun)
    place.apply(done)
    told = place.finishes("done")
    place.apply(manifest)
    reaches(place, "live", 3)

    upgrades.roll_back()

    holds(place, manifest, begun)
    assert set(upgrades.jobs(place).values()) == {old.version, new.version}
    assert ranking(place.status("done")) == ranking(told), "the old operator reads what the new one wrote"
    assert place.condition("done", "Finished")["status"] == "True"
    assert upgrades.errors() == []


def test_definitions_that_kubectl_installed_are_given_to_the_release(
    upgrades: Upgrades, place: Place, old: Release, new: Release
) -> None:
    """As docs/upgrade.md says."""
    control = upgrades.control
    control.kubectl("apply", "--server-side", f"--filename={old.chart / 'files' / 'crds'}")
    with pytest.raises(AssertionError, match="cannot be imported into the current release"):
        upgrades.install(new)
    owner = ("meta.helm.sh/release-name=study-operator", "meta.helm.sh/release-namespace=study-operator")
    for crd in ("studies.tuning.study", "trials.tuning.study"):
        control.kubectl("label", "crd", crd, "app.kubernetes.io/managed-by=Helm")
        control.kubectl("annotate", "crd", crd, *owner)
    upgrades.install(new)
    place.apply(study("adopted", sh(RECORD), lastLaunch=True))
    assert place.finishes("adopted")["trials"]["succeeded"] == 4


def test_an_uninstall_that_kept_everything_is_completed_by_hand(
    upgrades: Upgrades, place: Place, new: Release, begun: Path
) -> None:
    upgrades.install(new)
    place.apply(running("live", begun))
    reaches(place, "live", 1)
    upgrades.cluster.helm("uninstall", "study-operator", "--wait", "--timeout=60s")
    assert place.status("live")["trials"]["succeeded"] >= 1
    eventually(lambda: [pod for pod in place.read("pods")["items"] if pod["status"]["phase"] == "Running"], _none)
    started = begun_trials(begun)
    upgrades.control.kubectl("delete", "studies", "--all", "--all-namespaces", "--cascade=foreground")
    eventually(lambda: place.names("jobs") | place.names("pods"), _none)
    upgrades.control.kubectl("delete", "crd", "studies.tuning.study", "trials.tuning.study")
    assert begun_trials(begun) == started, "without an operator nothing is started"
    assert upgrades.control.kubectl("get", "lease", "study-operator", "--namespace=kube-system").stdout


def _none(found: object) -> bool:
    return not found
