"""That the benchmark still runs: its parts that take seconds, and its tables on figures that were measured once."""

import json
from collections import Counter
from importlib import import_module
from pkgutil import walk_packages

import pytest
from click.testing import CliRunner

import bench
from bench import __main__ as command
from bench import report
from bench.local_run import Overhead
from bench.measurement import JOB_LOOP, OPERATOR_RUN, Cell, Cost, Measurement, Refill
from bench.plan import DEFAULT

CELL = Cell(queries_per_second=500, trials=100, parallelism=16)


def measurement(contender, per_second, cpu, writes):
    refill = Refill.of([0.01 * (number + 1) for number in range(84)])
    cost = Cost(cpu, 140 * 2**20, 150 * 2**20)
    return Measurement(contender, CELL, per_second, 0.02, refill, refill, writes, cost, 450 * 2**20, 1.0)


MEASURED = [
    measurement(JOB_LOOP, 15.0, 0.6, {"create jobs": 100}),
    measurement(OPERATOR_RUN, 14.4, 1.2, {"create jobs": 100, "create trials": 100, "patch trials/status": 100}),
]


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("module", [info.name for info in walk_packages(bench.__path__, "bench.")])
def test_every_module_loads(module):
    import_module(module)


def test_the_sampler_is_measured(results):
    done = CliRunner().invoke(command.main, ["sampling", "--quick"])
    assert done.exit_code == 0, done.output
    assert "shared points" in done.output
    [kept] = results.glob("*.json")
    assert json.loads(kept.read_text())["sampling"][0].startswith("Centred discrepancy")


def test_ratios_are_to_the_loop_in_the_same_cell():
    [_, _, row] = report.rates(MEASURED)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:6] == ["QPS 500", "100", "16", "15.0", "14.4", "0.96"]
    assert cells[6:10] == ["6.0", "12.0", "2.00", "3.00"]


def test_writes_count_those_that_remove_the_jobs_later():
    rows = list(report.writes(MEASURED, Counter({"deletecollection jobs": 2}), 200))
    assert rows[-1] == "| **all** | 300 | 2 | **3.01** |"


@pytest.mark.parametrize(
    "lines",
    [
        report.rates(MEASURED),
        report.refills(MEASURED),
        report.writes(MEASURED, Counter(), 200),
        report.overheads([Overhead("fixed", 4, 2, engine=5.0, start=0.5, pool=4.0, trial_seconds=2.0)]),
    ],
    ids=["rates", "refills", "writes", "overheads"],
)
def test_a_table_has_as_many_cells_in_every_row(lines):
    assert len({line.count("|") for line in lines}) == 1


def test_every_cell_is_measured_with_the_loop_that_it_is_compared_with():
    for group in DEFAULT:
        assert any("loop" in contender for contender in group.contenders)
