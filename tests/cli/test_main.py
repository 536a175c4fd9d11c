import re

import click
import pytest
from click.testing import CliRunner
from study_operator.cli.failure import ExitCode
from study_operator.cli.main import main

from tests.cli.commands import ROOT

COMMANDS = {name: main.get_command(click.Context(main), name) for name in main.list_commands(click.Context(main))}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    _, *sections = re.split(r"^## ", (ROOT / "docs/cli.md").read_text(), flags=re.MULTILINE)
    [documented] = [section for section in sections if f"`study {name}" in section.splitlines()[0]]
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert max(parameter.opts, key=len) in documented


def test_every_exit_code_is_documented_and_told_by_the_help():
    documented, told = (ROOT / "docs/cli.md").read_text(), CliRunner().invoke(main, ["--help"]).output
    for code in ExitCode:
        assert f"| {int(code)} |" in documented
        assert f"{int(code)} " in told


def test_a_wrong_command_line_exits_with_2():
    assert CliRunner().invoke(main, ["run"]).exit_code == ExitCode.USAGE
    assert CliRunner().invoke(main, ["no-such-command"]).exit_code == ExitCode.USAGE
