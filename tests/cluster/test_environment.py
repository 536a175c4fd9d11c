"""The cases are those of Kubernetes' own expansion test, where it has them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.cluster.environment import expand, variables

VARIABLES = {"VAR_A": "A", "VAR_B": "B", "VAR_REF": "$(VAR_A)", "VAR_EMPTY": ""}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$(VAR_A)", "A"),
        ("___$(VAR_B)___$(VAR_A)", "___B___A"),
        ("$(VAR_EMPTY)_", "_"),
        ("$(VAR_REF)", "$(VAR_A)"),
        ("$(VAR_DNE)", "$(VAR_DNE)"),
        ("$$(VAR_A)", "$(VAR_A)"),
        ("$$$(VAR_A)", "$A"),
        ("$$$$(VAR_A)", "$$(VAR_A)"),
        ("$VAR_A", "$VAR_A"),
        ("$(VAR_A", "$(VAR_A"),
        ("$($(VAR_A))", "$($(VAR_A))"),
        ("$()", "$()"),
        ("$", "$"),
        ("costs $5", "costs $5"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(written: str, meant: str) -> None:
    assert expand(written, VARIABLES) == meant


async def test_a_variable_sees_those_before_it_only() -> None:
    container = {
        "envFrom": [{"prefix": "C_", "configMapRef": {"name": "config"}}],
        "env": [
            {"name": "FIRST", "value": "$(C_KEY)-$(LAST)"},
            {"name": "LAST", "value": "$(FIRST)"},
            {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
        ],
    }

    async def read(kind: str, name: str) -> Mapping[str, str] | None:
        return {"KEY": "value"} if (kind, name) == ("ConfigMap", "config") else None

    found = await variables({"metadata": {"namespace": "default"}}, container, read)
    assert found == {"C_KEY": "value", "FIRST": "value-$(LAST)", "LAST": "value-$(LAST)"}
