import pytest
from study_operator.api.template import LARGEST_TEMPLATE, template_problems, trainer_position

from tests.api.manifests import study_manifest

JOB = "spec.trialTemplate"
POD = "spec.trialTemplate.spec.template"
CONTAINER = f"{POD}.spec.containers[0]"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (f"{JOB}.apiVersion", "v1", f"{JOB}.apiVersion"),
        (f"{JOB}.kind", "Pod", f"{JOB}.kind"),
        (f"{JOB}.sepc", {}, f"{JOB}.sepc"),
        (f"{JOB}.metadata", {"generateName": "x-"}, f"{JOB}.metadata.generateName"),
        (f"{JOB}.metadata", {"name": "x"}, f"{JOB}.metadata.name"),
        (f"{JOB}.metadata", "x", f"{JOB}.metadata"),
        (f"{JOB}.spec", {}, f"{POD}.spec"),
        (f"{JOB}.spec", None, f"{POD}.spec"),
        (f"{POD}.metadata", {"name": "x"}, f"{POD}.metadata.name"),
        (f"{POD}.spec.restartPolicy", "Always", f"{POD}.spec.restartPolicy"),
        (f"{POD}.spec.restartPolicy", "OnFailure", f"{POD}.spec.restartPolicy"),
        (f"{POD}.spec.containers", [], f"{POD}.spec.containers"),
        (f"{POD}.spec.containers", {}, f"{POD}.spec.containers"),
        (CONTAINER, "trainer", CONTAINER),
        (f"{CONTAINER}.name", "Trainer", f"{CONTAINER}.name"),
        (f"{CONTAINER}.image", "", f"{CONTAINER}.image"),
        (f"{POD}.spec.containers[1]", {"name": "trainer", "image": "x"}, f"{POD}.spec.containers[1].name"),
        (f"{CONTAINER}.env", [{"name": "STUDY_SEED", "value": "1"}], f"{CONTAINER}.env[0].name"),
        (f"{CONTAINER}.env", [{"name": "HP_LR", "value": "1"}], f"{CONTAINER}.env[0].name"),
        (f"{CONTAINER}.args", ["--lr=$(HP_LEARNING_RAT)"], f"{CONTAINER}.args[0]"),
    ],
)
def test_a_fault_is_told_at_its_field(field: str, value: object, expected: str) -> None:
    template = study_manifest({field: value})["spec"]["trialTemplate"]
    assert [problem.path for problem in template_problems(template, {"learning_rate"})] == [expected]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (JOB, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"labels": {"kueue.x-k8s.io/queue-name": "gpu"}}}),
        (f"{POD}.spec.restartPolicy", "Never"),
        (f"{CONTAINER}.env", [{"name": "STUDY_METRICS_LINGER", "value": "5"}]),
        (f"{CONTAINER}.args", ["--lr=$(HP_LEARNING_RATE)", "$$(HP_SHELL)", "$(HOME)"]),
    ],
)
def test_what_a_job_may_have_is_left_alone(field: str, value: object) -> None:
    sound = study_manifest()["spec"]["trialTemplate"]
    template = sound | value if isinstance(value, dict) else study_manifest({field: value})["spec"]["trialTemplate"]
    assert template_problems(template, {"learning_rate"}) == ()


def test_a_misspelt_reference_is_told_with_what_was_meant() -> None:
    template = study_manifest({f"{CONTAINER}.command": ["train", "$(HP_LEARNING_RAT)"]})["spec"]["trialTemplate"]
    (problem,) = template_problems(template, {"learning_rate"})
    assert problem.message.endswith("did you mean HP_LEARNING_RATE?")


def test_a_template_that_would_not_fit_into_the_store_is_refused() -> None:
    template = study_manifest({f"{CONTAINER}.args": ["x" * LARGEST_TEMPLATE]})["spec"]["trialTemplate"]
    assert [problem.path for problem in template_problems(template, set())] == [JOB]


def test_the_trainer_is_the_container_of_that_name_or_the_first() -> None:
    assert trainer_position([{"name": "proxy"}, {"name": "trainer"}]) == 1
    assert trainer_position([{"name": "train"}, {"name": "proxy"}]) == 0
