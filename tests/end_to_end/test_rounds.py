"""Two rounds: what the operator found in the first is the second, which `study next` writes and kubectl applies."""

from pathlib import Path

from click.testing import CliRunner
from study_operator.cli.main import main

from tests.cluster.operator_process import OperatorProcess
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, sh, study


def test_the_next_round_widens_the_range_and_finds_a_better_best(
    place: Place, operator: OperatorProcess, tmp_path: Path
) -> None:
    place.apply(study("rate-r1", sh(RECORD), trials=16, parallelism=8))
    first = place.finishes("rate-r1")
    [finding] = [each for each in first["findings"] if each["severity"] == "Warning"]
    assert (finding["rule"], finding["numbers"]["side"]) == ("search-space-boundary", "min")
    assert [(change["path"], change["to"]) for change in first["proposedNext"]["changes"]] == [
        ("spec.hyperparameters[0].range.min", "0.0001"),
        ("spec.sampler.seed", "8"),
    ]

    file = tmp_path / "r2.yaml"
    where = ["--kubeconfig", str(place.plane.kubeconfig), "--namespace", place.namespace]
    written = CliRunner().invoke(main, ["next", "rate-r1", "--output", str(file), *where])
    assert written.exit_code == 0, written.output
    place.kubectl("apply", "-f", str(file))
    second = place.finishes("rate-r2")
    assert float(second["best"]["objective"]) < float(first["best"]["objective"])
    assert place.read("studies", "rate-r2")["spec"]["basedOn"] == "rate-r1"
