"""What the images bring is pinned: nothing gets in because it is new."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def brought(requirement: Requirement, seen: set[tuple[str, str]]) -> Iterator[str]:
    """The names of all packages that come with the requirement on this platform, without its own."""
    for extra in ("", *sorted(requirement.extras)):
        if (requirement.name, extra) in seen:
            continue
        seen.add((requirement.name, extra))
        for needed in map(Requirement, distribution(requirement.name).requires or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                yield canonicalize_name(needed.name)
                yield from brought(needed, seen)


@pytest.mark.parametrize("package", ["study-operator[exploitation]", "study-trainer[digits]"])
def test_everything_that_an_image_brings_is_pinned_at_the_version_that_was_tested(package: str) -> None:
    names = set(brought(Requirement(package), set()))
    assert len(names) > 5
    pinned = pins()
    assert {name: pinned.get(name) for name in names} == {name: distribution(name).version for name in names}


def test_the_cuda_of_the_gpu_image_is_pinned_with_its_jax() -> None:
    pinned = pins()
    assert pinned["jax-cuda12-plugin"] == pinned["jax-cuda12-pjrt"] == pinned["jax"]
    assert {"nvidia-cublas-cu12", "nvidia-cudnn-cu12", "nvidia-nccl-cu12"} <= pinned.keys()


def test_a_pin_is_one_version_and_no_address() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line


def test_the_test_programs_are_pinned_by_checksum() -> None:
    modules = sorted((ROOT / "tests" / "cluster" / "modules").glob("*/go.mod"))
    assert modules and all(module.with_name("go.sum").stat().st_size for module in modules)
