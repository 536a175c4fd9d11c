import json

import pytest

from bench import audit
from bench.measurement import Refill, quantile


def entry(**changes):
    written = {
        "stage": "ResponseComplete",
        "verb": "create",
        "stageTimestamp": "2026-01-01T00:00:01.500000Z",
        "user": {"username": "study-operator"},
        "userAgent": "study-operator/0.1.0 Python",
        "requestURI": "/apis/batch/v1/namespaces/a/jobs",
        "objectRef": {"resource": "jobs", "namespace": "a", "name": "s-0"},
        "responseStatus": {"code": 201},
    }
    return json.dumps(written | changes)


@pytest.fixture
def log(tmp_path):
    def write(*lines):
        path = tmp_path / "audit.log"
        path.write_text("\n".join(lines))
        return path

    return write


def test_reads_the_writes_of_the_namespaces_it_is_asked_for(log):
    elsewhere = entry(objectRef={"resource": "jobs", "namespace": "b", "name": "s-0"})
    (request,) = audit.read(log(entry(), elsewhere, entry(verb="list")), ["a"])
    assert (request.resource, request.name, request.agent) == ("jobs", "s-0", "study-operator")


def test_a_line_that_is_still_being_written_is_left_out(log):
    assert len(audit.read(log(entry(), entry()[:40]), ["a"])) == 1


def test_every_write_is_counted_but_only_those_that_took_effect_have_a_time(log):
    dry = entry(requestURI="/apis/batch/v1/namespaces/a/jobs?dryRun=All")
    requests = audit.read(log(entry(), dry, entry(responseStatus={"code": 409})), ["a"])
    assert audit.writes(requests, "study-operator") == {"create jobs": 2, "create jobs (dry run)": 1}
    assert list(audit.times(requests, "create", "jobs")) == ["s-0"]


def test_an_object_has_the_time_of_its_last_write(log):
    late = entry(stageTimestamp="2026-01-01T00:00:02.500000Z")
    requests = audit.read(log(late, entry()), ["a"])
    assert audit.times(requests, "create", "jobs")["s-0"] - requests[0].time == 1.0


def test_the_first_end_is_followed_by_the_first_start_beyond_the_parallelism():
    assert audit.refills(starts=[0.0, 0.1, 5.2, 6.5], ends=[5.0, 6.0, 7.0, 8.0], parallelism=2) == pytest.approx(
        [0.2, 0.5]
    )


def test_a_start_before_the_end_that_it_replaces_counts_as_negative():
    assert audit.refills(starts=[0.0, 4.0], ends=[5.0, 6.0], parallelism=1) == [-1.0]


def test_the_tenths_of_a_study_are_told_apart():
    refill = Refill.of([1.0] * 10 + [2.0] * 80 + [3.0] * 10)
    assert (refill.first_tenth_p50, refill.p50, refill.last_tenth_p50) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(("q", "value"), [(0.5, 2), (0.95, 4), (1.0, 4)])
def test_a_quantile_is_a_value_that_was_measured(q, value):
    assert quantile([4, 1, 3, 2], q) == value
