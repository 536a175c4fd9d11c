"""The images of the suite, built from the repository's Dockerfiles by buildah.

No registry is needed: the base image that stands in for ``python:3-slim`` is made of Debian's packages. buildah's
storage is kept between runs, so what has not changed is not built again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path

from tests.chart.chart import VERSION
from tests.node import BUILD

REPOSITORY = Path(__file__).resolve().parents[2]
BASE = "localhost/python:3-slim"
SUITE = "bookworm"
"""The Debian release of the base image."""

PAUSE = "localhost/pause:1"
REGISTRY = "registry.example.com"
"""That of the documentation. Nothing is pushed to it: the images are on the node already."""
OPERATOR = f"{REGISTRY}/study-operator:{VERSION}"
TRAINER = f"{REGISTRY}/digits-trainer:0.2.0"
IMAGES = (PAUSE, OPERATOR, TRAINER)

_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def archive(image: str) -> Path:
    """Where ``build_images`` leaves the image, in the format of ``docker save``."""
    return BUILD / f"{image.rpartition('/')[2].partition(':')[0]}.tar"


def build_images() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    if not _identity(BASE):
        _tell(f"Making {BASE} of the packages of Debian {SUITE} ...")
        _build_base()
    if not _identity(PAUSE):
        _build_pause()
    _tell("Building the operator's and the trainer's images ...")
    _build_from("Dockerfile", OPERATOR)
    _build_from("trainer-image/Dockerfile", TRAINER)
    for image in IMAGES:
        _export(image)


def _build_base() -> None:
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        packages = "python3,python3-pip,python3-venv,ca-certificates"
        make = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", SUITE, f"{folder}/base.tar"]
        subprocess.run(make, check=True)
        Path(folder, "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        _build(Path(folder), Path(folder, "Dockerfile"), BASE)


def _build_pause() -> None:
    """What holds a pod's namespaces: any process that does nothing."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        shutil.copy(shutil.which("busybox") or "busybox", folder)
        lines = ["FROM scratch", "COPY busybox /", 'ENTRYPOINT ["/busybox", "sleep", "2147483647"]', ""]
        Path(folder, "Dockerfile").write_text("\n".join(lines))
        _build(Path(folder), Path(folder, "Dockerfile"), PAUSE)


def _build_from(dockerfile: str, image: str) -> None:
    settings = BUILD / "pip.conf"
    authorities = Path(os.environ.get("PIP_CERT", _AUTHORITIES))
    with settings.open("w") as file:
        _pip_settings(os.environ).write(file)
    mounts = [f"--volume={settings}:/etc/pip.conf:ro"]
    if authorities.exists():
        mounts.append(f"--volume={authorities}:{_AUTHORITIES}:ro")
    _build(REPOSITORY, REPOSITORY / dockerfile, image, *mounts, f"--build-arg=BASE={BASE}")


def _pip_settings(environment: Mapping[str, str]) -> ConfigParser:
    """The machine's own settings of pip, for where it gets its packages, as far as they hold within a container."""
    config = ConfigParser(interpolation=None)
    config.read(
        [Path("/etc/pip.conf"), Path("~/.config/pip/pip.conf").expanduser(), environment.get("PIP_CONFIG_FILE", "")]
    )
    if not config.has_section("global"):
        config.add_section("global")
    for name, value in environment.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            config["global"][name.removeprefix("PIP_").lower().replace("_", "-")] = value
    config.remove_option("global", "find-links")
    config["global"]["cert"] = _AUTHORITIES
    return config


def _build(context: Path, dockerfile: Path, image: str, *arguments: str) -> None:
    options = ["--quiet", "--isolation=chroot", "--network=host", "--layers", f"--file={dockerfile}", f"--tag={image}"]
    _buildah("bud", *options, *arguments, str(context))


def _export(image: str) -> None:
    target, identity = archive(image), f"{_identity(image)} {image}"
    mark = target.with_suffix(".id")
    if target.exists() and mark.exists() and mark.read_text() == identity:
        return
    target.unlink(missing_ok=True)
    _buildah("push", "--quiet", image, f"docker-archive:{target}:{image}")
    mark.write_text(identity)


def _identity(image: str) -> str:
    """The id of the image; empty if there is none."""
    found = _buildah("images", "--quiet", "--no-trunc", image, check=False)
    return found.stdout.strip()


def _buildah(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    storage = [f"--root={BUILD}/storage", f"--runroot={BUILD}/storage-run", "--storage-driver=overlay"]
    done = subprocess.run(["buildah", *storage, *arguments], capture_output=True, text=True)
    if check and done.returncode:
        _tell(f"buildah {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        done.check_returncode()
    return done


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
