"""What belongs to whom: deletion takes all of a study and nothing else, and nobody's objects are touched."""

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, SLEEP, sh, study


def test_deleting_a_study_removes_all_that_is_its_own_and_nothing_else(place: Place, operator: OperatorProcess) -> None:
    place.kubectl("create", "job", "bystander", "--image=python", "--", "sh", "-c", SLEEP)
    place.apply(study("keeper", sh(RECORD), trials=2))
    place.apply(study("leaver", sh(SLEEP), parallelism=4))
    place.finishes("keeper")
    place.running_pod("leaver-1")
    place.kubectl("delete", "study", "leaver")
    left = {"keeper-0", "keeper-1"}
    eventually(lambda: place.names("trials"), lambda names: names == left)
    eventually(lambda: place.names("jobs"), lambda names: names == left | {"bystander"})
    pods = eventually(lambda: place.names("pods"), lambda names: not any("leaver" in name for name in names))
    assert {name.rpartition("-")[0] for name in pods} == left | {"bystander"}


def test_a_study_created_anew_under_its_name_begins_anew(place: Place, operator: OperatorProcess) -> None:
    place.apply(study("phoenix", sh(SLEEP)))
    eventually(lambda: place.names("pods"), bool)
    place.kubectl("delete", "study", "phoenix")
    place.apply(study("phoenix", sh(RECORD)))
    assert place.finishes("phoenix")["trials"]["succeeded"] == 4
    assert {trial["status"]["attempts"] for trial in place.trials("phoenix").values()} == {1}


def test_two_studies_of_one_name_in_two_namespaces_do_not_know_each_other(
    place: Place, operator: OperatorProcess
) -> None:
    other = Place(place.plane, f"{place.namespace}-b")
    place.plane.kubectl("create", "namespace", other.namespace)
    try:
        for where, trials in ((place, 3), (other, 5)):
            manifest = study("twin", sh(RECORD), trials=trials)
            del manifest["spec"]["sampler"]
            where.apply(manifest)
        first, second = place.finishes("twin"), other.finishes("twin")
        assert (first["progress"], second["progress"]) == ("3/3", "5/5")
        assert first["seed"] != second["seed"]
        other.kubectl("delete", "study", "twin")
        eventually(lambda: other.names("trials"), lambda names: not names)
        assert len(place.names("trials")) == 3
    finally:
        place.plane.kubectl("delete", "namespace", other.namespace, "--wait=false")


def test_a_job_of_the_right_name_that_belongs_to_somebody_else_is_left_alone(
    place: Place, operator: OperatorProcess
) -> None:
    place.kubectl("create", "job", "taken-1", "--image=python", "--", "sh", "-c", SLEEP)
    before = place.read("jobs", "taken-1")["metadata"]["uid"]
    place.apply(study("taken", sh(RECORD)))
    stalled = place.becomes("taken", "Stalled", reason="Foreign")
    assert "taken-1" in stalled["message"]
    assert place.read("jobs", "taken-1")["metadata"]["uid"] == before
    place.kubectl("delete", "job", "taken-1")
    assert place.finishes("taken")["trials"]["succeeded"] == 4
    assert place.condition("taken", "Stalled")["status"] == "False"
