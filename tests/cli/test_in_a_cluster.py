"""`study report`, `next` and `list` of studies that a real API server keeps."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from study_operator.api import Study, parse_study
from study_operator.api.yaml import load_manifest
from study_operator.backends.kubernetes.backend import KubernetesBackend
from study_operator.backends.kubernetes.client import Client, load_configuration
from study_operator.backends.local import Identity, StudyFolder
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.cli.main import main
from study_operator.cli.manifest_text import MARK
from study_operator.results.trial import Trial

from tests.cli import rounds
from tests.cluster.control_plane import ControlPlane
from tests.report.studies import MANIFEST, trials_of

STATUS = {"state": "Finished", "observedGeneration": 1}


class Kept:
    """Studies in a namespace, and the commands that look there."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        plane.install_crds()
        self.plane = plane
        self.namespace = namespace
        self.inside = f"--namespace={namespace}"

    def study(self, *arguments: object) -> Result:
        where = ("--kubeconfig", self.plane.kubeconfig, "--namespace", self.namespace)
        return CliRunner().invoke(main, [*map(str, (*arguments, *where))])

    def keep(self, text: str, trials: Sequence[Trial]) -> Study:
        """The study in ``text`` with its trials, as the operator leaves them."""
        manifest = load_manifest(text)
        manifest["metadata"]["namespace"] = self.namespace
        self.plane.apply(manifest)
        read = self.plane.kubectl("get", "study", manifest["metadata"]["name"], self.inside, "-o", "json").stdout
        study = parse_study(json.loads(read))
        asyncio.run(self._write(study, trials))
        return study

    async def _write(self, study: Study, trials: Sequence[Trial]) -> None:
        configuration, _ = await load_configuration(self.plane.kubeconfig)
        client = Client(configuration)
        backend = KubernetesBackend(client, now=lambda: datetime.now(UTC), clock=time.monotonic)
        ref = StudyRef(StudyKey(self.namespace, study.metadata.name), study.metadata.uid)
        for trial in trials:
            await backend.create_trial(ref, trial.spec)
            await backend.write_trial(ref, trial.spec, trial.status)
        await backend.write_study(ref, STATUS)
        await client.close()


@pytest.fixture
def kept(control_plane: ControlPlane, namespace: str) -> Kept:
    return Kept(control_plane, namespace)


def test_a_report_tells_of_a_study_in_a_cluster_what_it_tells_of_one_in_a_folder(kept: Kept, tmp_path: Path) -> None:
    trials = trials_of(kept.keep(MANIFEST, trials_of(parse_study(load_manifest(MANIFEST)))))
    folder = StudyFolder(tmp_path / "wide")
    folder.lock().release()
    folder.write_study(MANIFEST, Identity.first("u", datetime(2026, 1, 1, tzinfo=UTC)))
    for trial in trials:
        folder.write_trial(StudyRef(StudyKey("default", "wide"), "u"), trial)
    folder.write_status(STATUS)
    local = CliRunner().invoke(main, ["report", str(folder.path)]).stdout

    html, text = tmp_path / "report.html", tmp_path / "RESULTS.md"
    result = kept.study("report", "wide", "--html", html, "--markdown", text)
    assert result.exit_code == 0, result.output
    assert "[arm-comparison; rule 21]" in " ".join(local.split())
    assert without_commands(result.stdout) == without_commands(local)
    assert f"{kept.namespace}/wide" in text.read_text() and "docker run" in text.read_text()
    assert "docker run" in html.read_text()


def without_commands(text: str) -> list[str]:
    """A cluster's trials are computed again by a container, a folder's by a process."""
    return text.partition("\nAgain\n")[0].splitlines()


def test_another_question_is_asked_of_the_trials_in_a_cluster(kept: Kept) -> None:
    kept.keep(MANIFEST, trials_of(parse_study(load_manifest(MANIFEST))))
    result = kept.study("report", "wide", "--objective", "train_error", "--selection", "Final")
    assert "Here it is ranked by the final train_error" in result.stdout
    assert "no trial kept the metric bleu" in kept.study("report", "wide", "--objective", "bleu").stderr


@pytest.mark.parametrize("options", [(), ("--longer", "10")], ids=["next", "longer"])
def test_the_next_round_of_a_study_in_a_cluster_is_applied_as_it_is(
    kept: Kept, tmp_path: Path, options: Sequence[Any]
) -> None:
    kept.keep(rounds.MANIFEST, rounds.trials_of(rounds.MANIFEST, best=1.2))
    file = tmp_path / "r2.yaml"
    result = kept.study("next", "optimizers-r1", "--output", file, *options)
    assert result.exit_code == 0, result.output
    assert MARK in file.read_text()
    linted = CliRunner().invoke(main, ["lint", "--strict", str(file)])
    assert linted.exit_code == 0, linted.output
    kept.plane.kubectl("apply", "-f", str(file))
    _, first, second = kept.study("list").stdout.splitlines()
    assert first.split()[:2] == ["optimizers-r1", "Finished"]
    assert second.split()[:3] == ["optimizers-r2", "optimizers-r1", "Pending"]
