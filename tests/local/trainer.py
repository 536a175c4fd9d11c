"""A trainer without the SDK and without imports that take time: what it does is named by its first argument."""

import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path


def record(metrics, **fields):
    Path(os.environ["STUDY_TERMINATION_LOG"]).write_text(json.dumps({"metrics": metrics, **fields}))


def serve(text, content_type="text/plain; version=0.0.4"):
    """Serves ``text()`` and returns an event that is set at the first scrape."""
    scraped = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = text().encode()
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(body)
            scraped.set()

        def log_message(self, *_):
            pass

    address = os.environ["STUDY_METRICS_ADDRESS"], int(os.environ["STUDY_METRICS_PORT"])
    server = http.server.ThreadingHTTPServer(address, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return scraped


def loss():
    return abs(float(os.environ.get("HP_LEARNING_RATE", "0.5")) - 0.1)


def main(mode, *arguments):
    if "COUNT_FILE" in os.environ:
        with Path(os.environ["COUNT_FILE"]).open("a") as file:
            file.write(os.environ["STUDY_TRIAL"] + "\n")
    match mode:
        case "record":
            time.sleep(float(arguments[0]) if arguments else 0)
            record({"loss": loss()})
        case "gauge":
            scraped = serve(lambda: "# TYPE loss gauge\nloss 0.25\n# TYPE study_step gauge\nstudy_step 7\n")
            scraped.wait(10)
        case "history":
            scraped = serve(
                lambda: (
                    "# TYPE study_step gauge\nstudy_step 1 1.001\nstudy_step 2 1.002\n"
                    "# TYPE loss gauge\nloss 0.5 1.001\nloss 0.25 1.002\n# EOF\n"
                ),
                "application/openmetrics-text; version=1.0.0",
            )
            record({"loss": 0.25})
            scraped.wait(10)
        case "many":
            lines = "".join(f"loss {1 / point!r} {point}\n" for point in range(1, int(arguments[0]) + 1))
            scraped = serve(lambda: f"# TYPE loss gauge\n{lines}# EOF\n", "application/openmetrics-text")
            scraped.wait(60)
        case "hostile-endpoint":
            scraped = serve(lambda: "x" * 100_000)
            scraped.wait(10)
            record({"loss": loss()})
        case "exit":
            print("some last words", file=sys.stderr)
            sys.exit(int(arguments[0]))
        case "kill-me":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            time.sleep(float(arguments[0]))
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            Path(os.environ["STUDY_CHECKPOINTS"]).mkdir()
            for beat in range(10_000):
                Path(arguments[0]).write_text(str(beat))
                time.sleep(0.01)
        case "orphan":
            if os.fork() == 0:
                time.sleep(60)
            record({"loss": loss()})
        case "write":
            Path(os.environ["STUDY_TERMINATION_LOG"]).write_text(arguments[0] * int(arguments[1]))
        case "dump":
            Path(arguments[0]).write_text(json.dumps({"arguments": arguments, "environment": dict(os.environ)}))
            record({"loss": loss()})


if __name__ == "__main__":
    main(*sys.argv[1:])
