"""``study-operator``: the operator's command line. Every option has an environment variable, ``STUDY_OPERATOR_`` and
its name.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from study_operator.backends.port import BackendError
from study_operator.controller.settings import ControllerSettings
from study_operator.edge.check import check as check_settings
from study_operator.edge.logs import LogFormat, configure
from study_operator.edge.process import serve
from study_operator.edge.settings import LeaseSettings, OperatorSettings, header, own_namespace
from study_operator.metrics.prometheus import PrometheusSettings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

logger = logging.getLogger(__name__)


class _Header(click.ParamType[tuple[str, str]]):
    name = "NAME=VALUE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        try:
            return header(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(context_settings={"auto_envvar_prefix": "STUDY_OPERATOR", "max_content_width": 120})
@click.version_option(package_name="study-operator")
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    envvar="STUDY_OPERATOR_NAMESPACE",
    metavar="NAME",
    help="Serve this namespace; may be repeated. Default: all.",
)
@click.option("--kubeconfig", type=_FILE, help="Default: the pod's service account, or else the user's own kubeconfig.")
@click.option(
    "--prometheus-url",
    metavar="URL",
    help="Where trials' curves are read, with its path prefix if it has one. "
    "Default: none, and trials have their termination records alone.",
)
@click.option("--prometheus-bearer-token-file", type=_FILE)
@click.option("--prometheus-username", default="", metavar="NAME")
@click.option("--prometheus-password-file", type=_FILE)
@click.option("--prometheus-ca-file", type=_FILE)
@click.option("--prometheus-certificate-file", type=_FILE)
@click.option("--prometheus-key-file", type=_FILE)
@click.option(
    "--prometheus-header",
    "headers",
    type=_Header(),
    multiple=True,
    envvar="STUDY_OPERATOR_PROMETHEUS_HEADER",
    help="A header for every query, such as X-Scope-OrgID=team; NAME=@FILE reads a file; may be repeated.",
)
@click.option(
    "--retention",
    type=click.FloatRange(min=0),
    default=ControllerSettings().retention,
    show_default=True,
    metavar="SECONDS",
    help="How long a finished trial's Job is kept for its logs.",
)
@click.option(
    "--resync",
    type=click.FloatRange(min=1),
    default=OperatorSettings().resync,
    show_default=True,
    metavar="SECONDS",
    help="Time between two listings of everything.",
)
@click.option(
    "--leader-election/--no-leader-election",
    default=True,
    show_default=True,
    help="Without it nothing may run beside this process: one replica, strategy Recreate.",
)
@click.option("--lease-namespace", metavar="NAME", help="Default: the namespace of the operator's pod.")
@click.option("--lease-name", default="study-operator", show_default=True, metavar="NAME")
@click.option(
    "--lease-duration",
    type=click.IntRange(min=1),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="How long after its last sign of life a replica is replaced.",
)
@click.option("--http-address", default="", metavar="ADDRESS", help="Of /healthz, /readyz and /metrics. Default: all.")
@click.option("--http-port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogFormat]),
    default=LogFormat.JSON.value,
    show_default=True,
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@click.option("--check", is_flag=True, help="Tell whether it could do its work, write nothing, and exit with 0 or 1.")
def main(
    namespaces: tuple[str, ...],
    kubeconfig: Path | None,
    prometheus_url: str | None,
    prometheus_bearer_token_file: Path | None,
    prometheus_username: str,
    prometheus_password_file: Path | None,
    prometheus_ca_file: Path | None,
    prometheus_certificate_file: Path | None,
    prometheus_key_file: Path | None,
    headers: tuple[tuple[str, str], ...],
    retention: float,
    resync: float,
    leader_election: bool,
    lease_namespace: str | None,
    lease_name: str,
    lease_duration: int,
    http_address: str,
    http_port: int,
    log_format: str,
    log_level: str,
    check: bool,
) -> None:
    """Run studies: watch Study resources, and run their trials as Jobs.

    Exit codes: 0 after SIGTERM, 1 when something it needs ended, 2 for wrong options, 3 when the lease was lost.
    """
    configure(LogFormat(log_format), log_level)
    prometheus = None
    if prometheus_url:
        try:
            prometheus = PrometheusSettings(
                prometheus_url,
                prometheus_bearer_token_file,
                prometheus_username,
                prometheus_password_file,
                prometheus_ca_file,
                prometheus_certificate_file,
                prometheus_key_file,
                dict(headers),
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    lease = LeaseSettings(lease_namespace or own_namespace(), lease_name, lease_duration)
    settings = OperatorSettings(
        namespaces=namespaces,
        kubeconfig=kubeconfig,
        prometheus=prometheus,
        controller=ControllerSettings(retention=retention),
        lease=lease if leader_election else None,
        resync=resync,
        http_address=http_address,
        http_port=http_port,
    )
    try:
        if check:
            sys.exit(0 if asyncio.run(check_settings(settings, click.echo)) else 1)
        asyncio.run(serve(settings))
    except BackendError as error:
        logger.critical("%s", error)
        sys.exit(1)
    except Exception:
        logger.critical("the operator ends: nobody foresaw this", exc_info=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
