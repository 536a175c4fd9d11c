import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.backends.local import trainer_template
from study_operator.backends.local.template import POD, expand

from tests.local.studies import manifest


def template_of(container=None, pod=None, job=None):
    template = manifest("record", container=container)["spec"]["trialTemplate"]
    template["spec"].update(job or {})
    template["spec"]["template"]["spec"].update(pod or {})
    return trainer_template(template)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("--a=$(A),$(B)", "--a=1,$(A)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(MISSING)", "$(MISSING)"),
        ("$(A", "$(A"),
        ("$A ${A} $ $", "$A ${A} $ $"),
        ("$$", "$"),
        ("$()", "$()"),
    ],
)
def test_variables_are_expanded_as_kubernetes_does(text, expanded):
    assert expand(text, {"A": "1", "B": "$(A)"}) == expanded


@given(st.text(alphabet="$()A x"))
def test_a_text_with_every_dollar_doubled_comes_back_as_it_was(text):
    assert expand(text.replace("$", "$$"), {"A": "1"}) == text


def test_a_variable_of_the_template_may_refer_to_those_before_it():
    template = template_of({"env": [{"name": "RATE", "value": "$(HP_RATE)"}, {"name": "TWICE", "value": "$(RATE)"}]})
    assert template.command({"HP_RATE": "0.1"}).environment == {"HP_RATE": "0.1", "RATE": "0.1", "TWICE": "0.1"}


def test_the_container_named_trainer_is_the_trainer_and_the_others_are_named():
    template = manifest("record")["spec"]["trialTemplate"]
    containers = template["spec"]["template"]["spec"]["containers"]
    containers.insert(0, {"name": "sidecar", "image": "example/sidecar:1"})
    trainer = trainer_template(template)
    assert trainer.path == f"{POD}.containers[1]"
    assert f"{POD}.containers[0]" in trainer.unhonoured


def test_what_a_local_run_does_anyway_is_not_named():
    template = template_of(
        {"ports": [{"name": "metrics", "containerPort": 9400}]}, {"restartPolicy": "Never"}, {"backoffLimit": 0}
    )
    assert template.unhonoured == (f"{POD}.containers[0].image",)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"job": {"backoffLimit": 3}}, "spec.trialTemplate.spec.backoffLimit"),
        ({"job": {"completions": 4}}, "spec.trialTemplate.spec.completions"),
        ({"pod": {"nodeSelector": {"gpu": "a100"}}}, f"{POD}.nodeSelector"),
        ({"pod": {"initContainers": [{"name": "data"}]}}, f"{POD}.initContainers"),
        ({"pod": {"volumes": []}}, f"{POD}.volumes"),
        (
            {"container": {"resources": {"limits": {"nvidia.com/gpu": 1}}}},
            f"{POD}.containers[0].resources.limits.nvidia.com/gpu",
        ),
        (
            {"container": {"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {}}}]}},
            f"{POD}.containers[0].env[0].valueFrom (KEY)",
        ),
        ({"container": {"envFrom": []}}, f"{POD}.containers[0].envFrom"),
    ],
)
def test_a_field_that_cannot_be_honoured_is_named(change, path):
    assert path in template_of(**change).unhonoured
