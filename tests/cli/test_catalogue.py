"""`study list`, `watch` and `export`, of studies in folders and in a cluster."""

import csv
import io
import json
import math
import shutil

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from study_operator.api import parse_study, trial_to_manifest
from study_operator.cli.export import csv_text, trial_rows
from study_operator.cli.main import main
from study_operator.results.trial import MetricSummary, Sample, Trial, TrialState, TrialStatus

from tests.cli.commands import Workplace
from tests.local.engines import spec, study_of
from tests.local.studies import manifest


def invoke(*arguments):
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


def export_of(place, *options):
    return list(csv.DictReader(io.StringIO(place.study("export", "study", *options).stdout)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = Workplace(tmp_path_factory.mktemp("finished"))
    study = manifest("record")
    study["spec"]["notes"] = "=1+1"
    place.write(study)
    place.study("run", "study.yaml")
    return place


def test_the_list_has_a_line_a_study(finished):
    heading, line = finished.study("list").stdout.splitlines()
    assert heading.split() == ["NAME", "STATE", "TRIALS", "BEST", "ARM", "AGE"]
    assert line.split()[:3] == ["study", "Finished", "4/4"]


def test_a_study_is_watched_to_its_end_by_name_and_by_folder(finished):
    for name in ("study", "studies/study"):
        watched = finished.study("watch", name)
        assert (watched.returncode, watched.stdout.startswith("Finished 4/4, best loss")) == (0, True)


@pytest.mark.parametrize("file", ["identity.json", "status.yaml", "study.yaml", "trials/study-0.json"])
@pytest.mark.parametrize("content", ["{", "- 1"])
def test_a_file_that_is_damaged_is_named_and_hides_no_other_study(finished, tmp_path, file, content):
    for name in ("damaged", "sound"):
        shutil.copytree(finished.path / "studies/study", tmp_path / name, ignore=shutil.ignore_patterns("alive"))
    (tmp_path / "damaged" / file).write_text(content)
    code, said = invoke("export", "damaged", "--studies", str(tmp_path))
    assert (code, f"damaged/{file}" in said) == (1, True)
    code, said = invoke("list", "--studies", str(tmp_path))
    assert code == 0 and "Finished" in said


def test_an_unknown_study_is_told_with_what_to_do(finished):
    unknown = finished.study("export", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "there is no study 'nobody' in studies" in unknown.stderr


def test_the_export_has_a_row_a_trial_with_exact_numbers(finished):
    rows = export_of(finished)
    assert [row["trial"] for row in rows] == [f"study-{index}" for index in range(4)]
    for row in rows:
        parameters = finished.trials[row["trial"]]["spec"]["parameters"]
        assert row["parameters.learning_rate"] == parameters["learning_rate"]
        assert row["objective"] == row["loss.minimum"] == row["loss.final"]
        assert row["arm"] == f"optimizer={parameters['optimizer']}"


def test_the_summary_has_the_columns_that_experiments_are_tracked_by(finished):
    [row] = export_of(finished, "--summary")
    assert (row["study"], row["config"], row["trials"]) == ("study", "studies/study/study.yaml", "4")
    assert row["best"] == finished.status["best"]["objective"]
    assert row["notes"] == "'=1+1"
    assert row["reproduction"].startswith("env STUDY_NAME=study ")


def test_json_has_numbers_as_numbers(finished):
    rows = json.loads(finished.study("export", "study", "--format", "json").stdout)
    assert isinstance(rows[0]["objective"], float)
    assert rows[0]["seed"] == finished.trials["study-0"]["spec"]["seed"]


@given(st.text(), st.floats(allow_nan=False))
def test_no_cell_is_a_formula_and_no_number_loses_a_digit(text, number):
    rows = list(csv.reader(io.StringIO(csv_text([{"text": text, "number": number}]), newline="")))
    cell, written = rows[1]
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    assert cell in (kept, f"'{kept}")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert float(written) == number


def test_values_that_are_not_finite_are_texts_and_missing_ones_empty():
    diverged = MetricSummary(3, Sample(3, math.nan), Sample(1, 0.5), Sample(1, 0.5))
    trials = [
        Trial(spec(0), TrialStatus(TrialState.INFEASIBLE, metrics={"loss": diverged})),
        Trial(spec(1), TrialStatus()),
    ]
    first, second = trial_rows(study_of("record"), trials)
    assert first.keys() == second.keys()
    assert (first["loss.final"], second["loss.final"]) == ("nan", None)


def test_a_cluster_tells_the_same(control_plane, namespace, tmp_path):
    control_plane.install_crds()
    study = manifest("record")
    study["metadata"] |= {"namespace": namespace, "annotations": {"tuning.study/config": "https://example.org/r1"}}
    file = tmp_path / "study.json"
    file.write_text(json.dumps(study))
    control_plane.kubectl("apply", "-f", str(file))
    created = json.loads(
        control_plane.kubectl("get", "study", "study", f"--namespace={namespace}", "-o", "json").stdout
    )
    for index in range(2):
        trial = trial_to_manifest(Trial(spec(index), TrialStatus()), parse_study(created).metadata)
        file.write_text(json.dumps(trial))
        control_plane.kubectl("create", "-f", str(file))
    where = ("--kubeconfig", str(control_plane.kubeconfig), "--namespace", namespace)
    code, said = invoke("list", *where)
    assert (code, said.splitlines()[1].split()[:2]) == (0, ["study", "Pending"])
    code, said = invoke("export", "study", *where)
    assert [row["trial"] for row in csv.DictReader(io.StringIO(said))] == ["study-0", "study-1"]
    code, said = invoke("export", "study", "--summary", "--format", "json", *where)
    assert json.loads(said)["config"] == "https://example.org/r1"
    code, said = invoke("watch", "nobody", *where)
    assert (code, "nobody" in said) == (1, True)
