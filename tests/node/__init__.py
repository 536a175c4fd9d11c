"""The node suite: the project installed on a real kubelet with containerd, by ``make test-node`` as root."""

from pathlib import Path

INSIDE = "STUDY_OPERATOR_NODE_SUITE"
"""The environment variable that says that this process is in the namespaces of the suite."""

CGROUP = "study-operator-node-suite"
"""Below it, in every hierarchy, are the cgroups of the suite's containers."""

BUILD = Path(__file__).resolve().parents[2] / "build" / "node"
"""What is kept between two runs: the images."""

RUN = BUILD / "run"
"""What a run leaves: the logs of its servers, until the next one."""
