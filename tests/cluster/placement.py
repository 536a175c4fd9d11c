"""Which pods fit on the node, and what a pod that does not fit is told, in the words of kube-scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from tests.cluster.api import Object

_SUFFIXES = {"m": Decimal("0.001"), "k": Decimal(10**3)} | {
    f"{letter}{binary}": Decimal((1024 if binary else 1000) ** power)
    for power, letter in enumerate("KMGTPE", start=1)
    for binary in ("", "i")
    if letter + binary != "K"
}


def quantity(text: str) -> Decimal:
    """The number that a Kubernetes quantity such as ``250m``, ``2Gi`` or ``1e3`` means."""
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix)) * _SUFFIXES[suffix]
    return Decimal(text)


def requests(pod: Object) -> Counter[str]:
    """What the pod asks for; the API server has already copied limits into missing requests.

    A pod also takes one of ``pods``.
    """
    total: Counter[str] = Counter({"pods": 1})
    for container in pod["spec"]["containers"]:
        for resource, amount in container.get("resources", {}).get("requests", {}).items():
            total[resource] += quantity(amount)  # type: ignore[assignment]  # a Counter adds any number
    return total


def refusal(
    pod: Object, labels: Mapping[str, str], capacity: Mapping[str, str], placed: Iterable[Object]
) -> str | None:
    """Why the only node cannot take ``pod`` beside the ``placed`` pods; None when it can."""
    free = {resource: quantity(amount) for resource, amount in capacity.items()}
    for other in placed:
        for resource, amount in requests(other).items():
            free[resource] = free.get(resource, Decimal(0)) - amount
    selector = pod["spec"].get("nodeSelector", {})
    if not selector.items() <= labels.items():
        return (
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to "
            "deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
    lacking = [resource for resource, amount in requests(pod).items() if amount > free.get(resource, 0)]
    if not lacking:
        return None
    reasons = ", ".join(
        "1 Too many pods" if resource == "pods" else f"1 Insufficient {resource}" for resource in sorted(lacking)
    )
    return (
        f"0/1 nodes are available: {reasons}. no new claims to deallocate, preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod."
    )
