"""Which pods fit on the node, and what a pod that does not fit is told, in the words of kube-scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tests.cluster.api import Object

_SUFFIXES = {
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000**power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024**power) for power, suffix in enumerate("KMGTPE", start=1)},
}


def quantity(text: str) -> Decimal:
    """The number that a Kubernetes quantity such as ``250m``, ``2Gi`` or ``1e3`` means."""
    number = text.rstrip("imkKMGTPE")
    return Decimal(number) * _SUFFIXES.get(text.removeprefix(number), Decimal(1))


def requests(pod: Object) -> dict[str, Decimal]:
    """What the pod asks for, one of ``pods`` included; the API server has already copied limits into missing
    requests.
    """
    total = {"pods": Decimal(1)}
    for container in pod["spec"]["containers"]:
        for resource, amount in container.get("resources", {}).get("requests", {}).items():
            total[resource] = total.get(resource, Decimal(0)) + quantity(amount)
    return total


def refusal(
    pod: Object, labels: Mapping[str, str], capacity: Mapping[str, str], placed: Iterable[Object]
) -> str | None:
    """Why the only node cannot take ``pod`` beside the ``placed`` pods; None when it can."""
    if not pod["spec"].get("nodeSelector", {}).items() <= labels.items():
        return _unschedulable("1 node(s) didn't match Pod's node affinity/selector", evicting_others_helps=False)
    whole = {resource: quantity(amount) for resource, amount in capacity.items()}
    wanted, free = requests(pod), dict(whole)
    for other in placed:
        for resource, amount in requests(other).items():
            free[resource] = free.get(resource, Decimal(0)) - amount
    lacking = sorted(resource for resource, amount in wanted.items() if amount > free.get(resource, 0))
    if not lacking:
        return None
    reasons = ("1 Too many pods" if resource == "pods" else f"1 Insufficient {resource}" for resource in lacking)
    fits_an_empty_node = all(wanted[resource] <= whole.get(resource, 0) for resource in lacking)
    return _unschedulable(", ".join(reasons), evicting_others_helps=fits_an_empty_node)


def _unschedulable(reasons: str, evicting_others_helps: bool) -> str:
    preemption = (
        "No preemption victims found for incoming pod."
        if evicting_others_helps
        else "Preemption is not helpful for scheduling."
    )
    return (
        f"0/1 nodes are available: {reasons}. no new claims to deallocate, "
        f"preemption: 0/1 nodes are available: 1 {preemption}"
    )
