"""``study-operator``: the operator's command line. Every option has an environment variable, ``STUDY_OPERATOR_`` and
its name.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from study_operator.backends.port import BackendError
from study_operator.controller.settings import ControllerSettings
from study_operator.edge.check import check as check_settings
from study_operator.edge.logs import LogFormat, configure
from study_operator.edge.process import serve
from study_operator.edge.settings import LeaseSettings, OperatorSettings, header, own_namespace
from study_operator.metrics.prometheus import PrometheusSettings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DEFAULTS = OperatorSettings()
_LEASE = LeaseSettings(namespace="")

logger = logging.getLogger(__name__)

Command = Callable[..., None]


def _option(flag: str, parameter: str, **details: Any) -> Callable[[Command], Command]:
    """An option, and its environment variable."""
    variable = f"STUDY_OPERATOR_{flag.lstrip('-').replace('-', '_').upper()}"
    return click.option(flag, parameter, envvar=variable, **details)


def _headers(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    try:
        return dict(map(header, given))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _prometheus_options(command: Command) -> Command:
    """The command gets them as one ``prometheus``; None where no URL is given."""

    @_option(
        "--prometheus-url",
        "url",
        metavar="URL",
        help="Where trials' curves are read, with its path prefix if it has one. "
        "Default: none, and trials have their termination records alone.",
    )
    @_option("--prometheus-bearer-token-file", "bearer_token_file", type=_FILE, help="A token for every query.")
    @_option("--prometheus-username", "username", default="", metavar="NAME", help="For basic authentication.")
    @_option("--prometheus-password-file", "password_file", type=_FILE, help="The password of that user.")
    @_option("--prometheus-ca-file", "ca_file", type=_FILE, help="Whom to trust.  Default: the system's authorities.")
    @_option("--prometheus-certificate-file", "certificate_file", type=_FILE, help="A client certificate.")
    @_option("--prometheus-key-file", "key_file", type=_FILE, help="The key of that certificate.")
    @_option(
        "--prometheus-header",
        "headers",
        callback=_headers,
        multiple=True,
        metavar="NAME=VALUE",
        help="A header for every query, such as X-Scope-OrgID=team; NAME=@FILE reads a file; may be repeated.",
    )
    @functools.wraps(command)
    def with_prometheus(url: str | None, **options: Any) -> None:
        given = {field.name: options.pop(field.name) for field in fields(PrometheusSettings) if field.name in options}
        try:
            prometheus = PrometheusSettings(url, **given) if url else None
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        command(prometheus=prometheus, **options)

    return with_prometheus


def _lease_options(command: Command) -> Command:
    """The command gets them as one ``lease``; None without leader election."""

    @click.option(
        "--leader-election/--no-leader-election",
        envvar="STUDY_OPERATOR_LEADER_ELECTION",
        default=True,
        show_default=True,
        help="Without it nothing may run beside this process: one replica, strategy Recreate.",
    )
    @_option(
        "--lease-namespace", "lease_namespace", metavar="NAME", help="Default: the namespace of the operator's pod."
    )
    @_option("--lease-name", "lease_name", default=_LEASE.name, show_default=True, metavar="NAME", help="Of the Lease.")
    @_option(
        "--lease-duration",
        "lease_duration",
        type=click.IntRange(min=1),
        default=_LEASE.duration,
        show_default=True,
        metavar="SECONDS",
        help="How long after its last sign of life a replica is replaced.",
    )
    @functools.wraps(command)
    def with_lease(
        leader_election: bool, lease_namespace: str | None, lease_name: str, lease_duration: int, **options: Any
    ) -> None:
        lease = LeaseSettings(lease_namespace or own_namespace(), lease_name, lease_duration)
        command(lease=lease if leader_election else None, **options)

    return with_lease


@click.command(context_settings={"max_content_width": 120})
@click.version_option(package_name="study-operator")
@_option(
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="Serve this namespace; may be repeated. Default: all.",
)
@_option(
    "--kubeconfig",
    "kubeconfig",
    type=_FILE,
    help="Default: the pod's service account, or else the user's own kubeconfig.",
)
@_prometheus_options
@_option(
    "--retention",
    "retention",
    type=click.FloatRange(min=0),
    default=_DEFAULTS.controller.retention,
    show_default=True,
    metavar="SECONDS",
    help="How long a finished trial's Job is kept for its logs.",
)
@_option(
    "--resync",
    "resync",
    type=click.FloatRange(min=1),
    default=_DEFAULTS.resync,
    show_default=True,
    metavar="SECONDS",
    help="Time between two listings of everything.",
)
@_lease_options
@_option(
    "--http-address",
    "http_address",
    default=_DEFAULTS.http_address,
    metavar="ADDRESS",
    help="Of /healthz, /readyz and /metrics. Default: all.",
)
@_option(
    "--http-port",
    "http_port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=_DEFAULTS.http_port,
    show_default=True,
    help="Of /healthz, /readyz and /metrics.",
)
@_option(
    "--log-format",
    "log_format",
    type=click.Choice([form.value for form in LogFormat]),
    default=LogFormat.JSON.value,
    show_default=True,
    help="One object a line for machines, or plain lines for people.",
)
@_option(
    "--log-level",
    "log_level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is logged, and what is graver.",
)
@click.option("--check", is_flag=True, help="Tell whether it could do its work, write nothing, and exit with 0 or 1.")
def main(
    namespaces: tuple[str, ...],
    kubeconfig: Path | None,
    prometheus: PrometheusSettings | None,
    retention: float,
    resync: float,
    lease: LeaseSettings | None,
    http_address: str,
    http_port: int,
    log_format: str,
    log_level: str,
    check: bool,
) -> None:
    """Run studies: watch Study resources, and run their trials as Jobs.

    Every option has an environment variable: STUDY_OPERATOR_ and its name, in capitals.

    Exit codes: 0 after SIGTERM, 1 when something it needs ended, 2 for wrong options, 3 when the lease was lost.
    """
    configure(LogFormat(log_format), log_level)
    settings = OperatorSettings(
        namespaces=namespaces,
        kubeconfig=kubeconfig,
        prometheus=prometheus,
        controller=ControllerSettings(retention=retention),
        lease=lease,
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
