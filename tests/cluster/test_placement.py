from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.cluster.placement import quantity, refusal


def pod(**requests: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"resources": {"requests": requests}}]}}


@pytest.mark.parametrize(
    ("written", "meant"), [("250m", "0.25"), ("2Gi", str(2 * 2**30)), ("1e3", "1000"), ("3k", "3000"), ("4", "4")]
)
def test_a_quantity_is_read_as_kubernetes_does(written: str, meant: str) -> None:
    assert quantity(written) == Decimal(meant)


def test_a_pod_fits_into_what_the_others_leave() -> None:
    assert refusal(pod(cpu="500m"), {}, {"cpu": "1", "pods": "2"}, [pod(cpu="500m")]) is None


def test_a_pod_that_does_not_fit_is_told_every_resource_that_lacks() -> None:
    told = refusal(pod(cpu="600m", memory="2Gi"), {}, {"cpu": "1", "memory": "1Gi", "pods": "1"}, [pod(cpu="500m")])
    assert told
    assert told.startswith("0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods. ")
