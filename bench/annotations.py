"""How long KWOK lets a pod run: what both contenders write on their pods, and stages.yaml reads."""

from __future__ import annotations

from typing import Any


def pod_metadata(seconds: float, labels: dict[str, str]) -> dict[str, Any]:
    """Metadata of a pod that runs so many seconds, give or take a fifth; 0: it ends at once."""
    metadata: dict[str, Any] = {"labels": labels}
    if seconds:
        metadata["annotations"] = {
            "bench/at-least": f"{seconds * 800:.0f}ms",
            "bench/at-most": f"{seconds * 1200:.0f}ms",
        }
    return metadata
