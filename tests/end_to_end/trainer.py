"""The trainers of the tests; the first argument names what one does."""

import http.server
import json
import math
import os
import random
import sys
import threading
import time
from pathlib import Path


def curve(learning_rate, seed, points):
    """The validation error of each step from 1 on: full of digits, so that a lost one shows."""
    noise = random.Random(seed)
    distance = abs(math.log10(learning_rate) + 1.5)
    return [distance + 1 / step + noise.random() / 10 for step in range(1, points + 1)]


def sdk(points, interval, pause=0.0):
    """Reports through the SDK, every ``interval`` seconds, and stays another ``pause`` seconds."""
    from study_trainer import Trial

    with Trial.from_environment() as trial:
        values = curve(trial.parameters["learning_rate"], trial.seed, points)
        for step, value in enumerate(values, 1):
            trial.report(step, validation_error=value, train_error=value / 2)
            time.sleep(interval)
        time.sleep(pause)


def paced(points, seconds):
    """By its parameter ``pace``: reports at once and stays, or takes all the time to report."""
    if json.loads(os.environ["STUDY_PARAMETERS"])["pace"] == "early":
        sdk(points, 0.0, seconds)
    else:
        sdk(points, seconds / points)


def jumping_clock(points):
    """The wall clock jumps back and far ahead as the trainer reports."""
    real, jumps = time.time_ns, iter([0, 0, -3, -3, 2, -5] * points)
    time.time_ns = lambda: real() + next(jumps) * 1_000_000_000
    sdk(points, 0.05)


def many_points(points):
    """As fast as it can, of one metric that is not the objective."""
    from study_trainer import Trial

    with Trial.from_environment() as trial:
        for step in range(points):
            trial.report(step, validation_error=1.0 + 1.0 / (step + 1))


def objective(value):
    from study_trainer import Trial

    with Trial.from_environment() as trial:
        trial.report(1, validation_error=0.5)
        trial.report(2, validation_error=float(value))


def diverges():
    from study_trainer import Diverged, Trial

    with Trial.from_environment() as trial:
        trial.report(1, validation_error=0.5)
        raise Diverged("the loss is a mountain")


def out_of_memory():
    from study_trainer import Trial

    with Trial.from_environment() as trial:
        trial.report(1, validation_error=0.5)
        raise MemoryError("all is full")


def gauge(scrapes):
    """A plain gauge without the SDK, a step or a record; it ends once it was scraped so often."""
    left = [int(scrapes)]
    done = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            left[0] -= 1
            body = f"# TYPE validation_error gauge\nvalidation_error {0.125 + left[0] / 16}\n".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)
            if left[0] <= 0:
                done.set()

        def log_message(self, *_):
            pass

    address = os.environ["STUDY_METRICS_ADDRESS"], int(os.environ["STUDY_METRICS_PORT"])
    server = http.server.ThreadingHTTPServer(address, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done.wait(60)
    time.sleep(0.2)


def says(kind):
    """A termination message that no trainer should write."""
    words = {
        "huge": "x" * 100_000,
        "deep": "[" * 4000,
        "wrong": json.dumps({"schema": 1, "metrics": {"validation_error": {"count": "many", "final": {"a": []}}}}),
        "list": json.dumps([1, 2, 3]),
        "truncated": '{"schema": 1, "state": "Succeeded", "metrics": {"validation_error": {"count": 3, "fin',
        "bytes": "\xff\x00\xfe",
    }[kind]
    Path(os.environ["STUDY_TERMINATION_LOG"]).write_bytes(words.encode("latin-1"))


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    globals()[mode](*(json.loads(argument) if argument[0].isdigit() else argument for argument in arguments))
