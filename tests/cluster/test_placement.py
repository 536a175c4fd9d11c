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


@pytest.mark.parametrize(
    ("gpus", "ending"),
    [
        ("1", "1 No preemption victims found for incoming pod."),
        ("2", "1 Preemption is not helpful for scheduling."),
    ],
)
def test_it_is_told_whether_an_empty_node_would_do(gpus: str, ending: str) -> None:
    told = refusal(pod(gpu=gpus), {}, {"gpu": "1", "pods": "9"}, [pod(gpu="1")])
    assert told
    assert told.endswith(ending)


def test_a_node_without_the_selected_labels_does_not_match() -> None:
    picky: dict[str, Any] = {"spec": {"nodeSelector": {"zone": "a"}, "containers": []}}
    told = refusal(picky, {"zone": "b"}, {"pods": "9"}, [])
    assert told
    assert "didn't match Pod's node affinity/selector" in told
