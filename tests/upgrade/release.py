"""The release before this one, as it was: its operator and its chart, so that an upgrade starts from what users have.

It lies here as an archive, hermetic and small, without the charting library of its report. The next one is made when
this release is out, and takes its place:

    git archive vVERSION operator/study_operator charts/study-operator \
        ':(exclude)operator/study_operator/report/vendor' | xz -9e > tests/upgrade/study-operator-VERSION.tar.xz
"""

from __future__ import annotations

import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.chart import CHART

[ARCHIVE] = Path(__file__).parent.glob("study-operator-*.tar.xz")


@dataclass(frozen=True, slots=True)
class Release:
    """A chart, and the command that starts the operator that goes with it."""

    chart: Path
    program: tuple[str, ...]

    @property
    def version(self) -> str:
        version: str = yaml.safe_load((self.chart / "Chart.yaml").read_text())["appVersion"]
        return version

    @property
    def image(self) -> str:
        return f"study-operator:{self.version}"

    @property
    def definitions(self) -> dict[str, dict[str, Any]]:
        """The custom resource definitions, by kind."""
        files = (self.chart / "files" / "crds").glob("*.yaml")
        definitions = [yaml.safe_load(file.read_text()) for file in files]
        return {definition["spec"]["names"]["kind"]: definition for definition in definitions}


def present() -> Release:
    """This checkout."""
    return Release(CHART, (str(Path(sys.executable).with_name("study-operator")),))


def previous(folder: Path) -> Release:
    """The release before, unpacked into ``folder``."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    packages = folder / "operator"
    start = (sys.executable, "-m", "study_operator.operator")
    release = Release(folder / "charts" / "study-operator", ("env", f"PYTHONPATH={packages}", *start))
    # The operator asks its installation for its version.
    metadata = packages / f"study_operator-{release.version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: study-operator\nVersion: {release.version}\n")
    return release
