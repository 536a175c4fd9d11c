"""The SDK in real processes: what a study sees of a trainer from outside."""

import contextlib
import math
import signal
import socket
import struct
import threading
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from study_trainer import Diverged, Trial

TRAIN = """
from study_trainer import Trial
with Trial.from_environment() as trial:
    for step in range(1, 101):
        trial.report(step, validation_error=1 / step, gradient_norm=float(step))
print("after the trial")
"""


def series(text):
    return {family.name: [sample.value for sample in family.samples] for family in text_string_to_metric_families(text)}


def test_a_trial_tells_its_whole_curve_and_its_record(start_trainer):
    trainer = start_trainer(TRAIN, STUDY_METRICS_LINGER="60")
    trainer.wait_for_record()
    scraped = series(trainer.scrape())
    assert scraped["study_step"] == list(range(1, 101))
    assert scraped["validation_error"] == [1 / step for step in range(1, 101)]
    assert trainer.wait() == 0
    assert trainer.output == "after the trial\n"
    record = trainer.record
    assert (record["schema"], record["state"], record["reason"], record["step"]) == (1, "Succeeded", "Completed", 100)
    error = record["metrics"]["validation_error"]
    assert (error["count"], error["final"]) == (100, [100, 0.01])
    assert (error["minimum"], error["maximum"]) == ([100, 0.01], [1, 1.0])


def test_the_record_is_there_before_the_linger_which_ends_at_a_scrape(start_trainer):
    trainer = start_trainer(TRAIN, STUDY_METRICS_LINGER="600")
    trainer.wait_for_record()
    assert trainer.process.poll() is None
    trainer.scrape()
    assert trainer.wait() == 0


def test_the_linger_is_bounded(start_trainer):
    assert start_trainer(TRAIN, STUDY_METRICS_LINGER="0.2").wait() == 0


def test_a_scrape_that_broke_off_does_not_count(start_trainer):
    trainer = start_trainer(TRAIN, STUDY_METRICS_LINGER="600")
    trainer.wait_for_record()
    with socket.create_connection(("127.0.0.1", trainer.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert len(series(trainer.scrape())["study_step"]) == 100
    assert trainer.wait() == 0


def test_scrapes_that_gave_up_while_the_trainer_was_busy_do_not_count(start_trainer):
    trainer = start_trainer(TRAIN, STUDY_METRICS_LINGER="600")
    trainer.wait_for_record()
    trainer.process.send_signal(signal.SIGSTOP)
    with contextlib.ExitStack() as connections:
        gave_up = [connections.enter_context(socket.create_connection(("127.0.0.1", trainer.port))) for _ in range(3)]
        for connection in gave_up:
            # Closed for sending alone: it takes what is sent, as a network does until the other end objects.
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
        trainer.process.send_signal(signal.SIGCONT)
        for connection in gave_up:
            while connection.recv(4096):
                pass
        assert len(series(trainer.scrape())["study_step"]) == 100
    assert trainer.wait() == 0


@pytest.mark.parametrize(
    "statement, exit_code, state, reason, message",
    [
        ("raise Diverged('the loss is NaN at step 3')", 65, "Infeasible", "Diverged", "the loss is NaN at step 3"),
        ("trial.report(3, train_loss=math.inf)", 65, "Infeasible", "Diverged", "train_loss is inf at step 3."),
        ("bytearray(2**62)", 66, "Infeasible", "OutOfMemory", "MemoryError: "),
        ("1 / 0", 1, "Failed", "Error", "ZeroDivisionError: division by zero"),
        ("sys.exit(7)", 7, "Failed", "Error", "The trainer exited with code 7."),
        ("trial.report(3, error='low')", 1, "Failed", "Error", "TypeError: error must be a number, got 'low'"),
        (
            "signal.raise_signal(signal.SIGINT)",
            -2,
            "Failed",
            "Terminated",
            "The trainer was interrupted from the keyboard.",
        ),
    ],
)
def test_the_end_of_the_training_decides_exit_code_and_record(
    start_trainer, statement, exit_code, state, reason, message
):
    trainer = start_trainer(
        "import math, signal, sys\n"
        "from study_trainer import Diverged, Trial\n"
        "with Trial.from_environment(must_be_finite=['train_loss']) as trial:\n"
        "    trial.report(2, train_loss=0.5)\n"
        f"    {statement}\n"
        "print('never reached')"
    )
    assert trainer.wait() == exit_code
    record = trainer.record
    assert (record["state"], record["reason"], record["message"].strip()) == (state, reason, message.strip())
    assert record["metrics"]["train_loss"]["count"] >= 1
    assert "never reached" not in trainer.output
    assert ("Traceback" in trainer.output) == (exit_code in (1, -2))


SIGTERM = {
    "between two steps": "time.sleep(600)",
    "in a compiled step that does not come back": "hashlib.pbkdf2_hmac('sha256', b'x', b'y', 2**31 - 1)",
    "with a forked data loader": "time.sleep(600 if os.fork() else 0.1)",
}


@pytest.mark.parametrize("statement", SIGTERM.values(), ids=SIGTERM)
def test_sigterm_ends_the_trial_at_once_with_its_record(start_trainer, statement):
    trainer = start_trainer(
        "import hashlib, os, time\n"
        "from study_trainer import Trial\n"
        "with Trial.from_environment() as trial:\n"
        "    trial.report(2, train_loss=0.5)\n"
        "    print('training', flush=True)\n"
        f"    {statement}\n",
        STUDY_METRICS_LINGER="600",
    )
    trainer.wait_for_line("training")
    trainer.process.send_signal(signal.SIGTERM)
    assert trainer.wait() == 143
    record = trainer.record
    assert (record["state"], record["reason"], record["step"]) == ("Failed", "Terminated", 2)


def test_sigterm_while_lingering_keeps_the_result(start_trainer):
    trainer = start_trainer(TRAIN, STUDY_METRICS_LINGER="600")
    trainer.wait_for_record()
    trainer.process.send_signal(signal.SIGTERM)
    assert trainer.wait() == 0
    assert trainer.record["state"] == "Succeeded"


def test_the_sigterm_of_a_worker_process_is_not_the_trials(start_trainer):
    trainer = start_trainer(
        "import multiprocessing, time\n"
        "from study_trainer import Trial\n"
        "with Trial.from_environment() as trial:\n"
        "    worker = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,))\n"
        "    worker.start()\n"
        "    worker.terminate()\n"
        "    worker.join()\n"
        "    trial.report(1, worker=worker.exitcode)\n"
    )
    assert trainer.wait() == 0
    assert trainer.record["metrics"]["worker"]["final"] == [1, -signal.SIGTERM]


def test_a_taken_port_costs_the_metrics_but_not_the_trial(start_trainer):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        trainer = start_trainer(TRAIN, STUDY_METRICS_PORT=str(port), STUDY_METRICS_LINGER="600")
        assert trainer.wait() == 0
    assert f"The metrics cannot be served at 127.0.0.1:{port}" in trainer.output
    assert trainer.record["state"] == "Succeeded"


def test_a_record_that_cannot_be_written_costs_no_result(start_trainer, tmp_path):
    trainer = start_trainer(TRAIN, STUDY_TERMINATION_LOG=str(tmp_path / "missing" / "log"))
    assert trainer.wait() == 0
    assert "The record cannot be written to" in trainer.output


def test_a_termination_log_that_cannot_be_replaced_is_written_in_place(start_trainer, tmp_path):
    log = tmp_path / "termination-log"
    log.write_text("x" * 5000)
    (tmp_path / ".termination-log.partial").mkdir()
    inode = log.stat().st_ino
    trainer = start_trainer(TRAIN)
    assert trainer.wait() == 0
    assert trainer.record["state"] == "Succeeded"
    assert log.stat().st_ino == inode


def test_no_address_means_all_interfaces(start_trainer):
    trainer = start_trainer(TRAIN, STUDY_METRICS_ADDRESS="", STUDY_METRICS_LINGER="600")
    trainer.wait_for_record()
    assert "validation_error" in trainer.scrape()
    assert trainer.wait() == 0


def test_a_million_points_are_counted_in_bounded_memory():
    trial = Trial.from_environment({})
    for step in range(1_000_000):
        trial.report(step, error=0.5)
    assert trial._summaries["error"].count == 1_000_000
    assert len(trial._exposition("prometheus").points["error"]) == 20_000


def test_reports_from_many_threads_are_all_told():
    trial = Trial.from_environment({})
    threads = [threading.Thread(target=lambda: [trial.report(n, error=0.5) for n in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    points = trial._exposition("prometheus").points["error"]
    assert trial._summaries["error"].count == len(points) == len({point.time for point in points}) == 8000


class TestByHand:
    def test_nothing_is_served_or_written(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with Trial.from_environment({}, steps=3) as trial:
            trial.report(1, error=0.5)
            assert trial.checkpoint(1, 0.5, lambda folder: None) is None
            with pytest.raises(OSError):
                urllib.request.urlopen("http://127.0.0.1:9400/metrics")
        assert not list(tmp_path.iterdir())

    def test_an_error_is_the_users_own(self):
        with pytest.raises(ZeroDivisionError), Trial.from_environment({}):
            raise ZeroDivisionError

    def test_the_exit_code_is_that_of_a_study(self):
        with pytest.raises(SystemExit, match="65"), Trial.from_environment({}):
            raise Diverged("the loss is NaN")


@pytest.mark.parametrize(
    "step, metrics, error",
    [
        (-1, {"x": 0.5}, "a step is an integer from 0"),
        (2**53 + 1, {"x": 0.5}, "a step is an integer from 0"),
        (1.5, {"x": 0.5}, "cannot be interpreted as an integer"),
        (1, {}, "has no metric"),
        (1, {"study_step": 0.5}, "cannot name a metric"),
        (1, {"x" * 64: 0.5}, "cannot name a metric"),
        (1, {"fehler-quote": 0.5}, "cannot name a metric"),
        (1, {"x": "0.5"}, "x must be a number"),
        (1, {f"x{n}": 0.5 for n in range(17)}, "at most 16 metrics"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_no_trace(step, metrics, error):
    trial = Trial.from_environment({})
    with pytest.raises((ValueError, TypeError), match=error):
        trial.report(step, **metrics)
    assert not trial._summaries and not trial._exposition("prometheus").points


def test_a_metric_may_be_called_step_and_need_not_be_finite():
    trial = Trial.from_environment({})
    trial.report(1, step=math.nan, self=math.inf)
    assert set(trial._exposition("prometheus").points) == {"step", "self"}
