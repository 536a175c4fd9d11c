"""The reference: an asyncio loop that keeps so many one-pod Jobs in flight, and does nothing else.

It is written as one would write it with the official client: a typed watch of its own Jobs, a create for each that
ends. It persists nothing, reads no result, writes no status, and would forget everything if it were killed.

With ``--until pod`` it watches the pods instead and goes on as soon as one has ended, which comes before the Job
controller's word on the Job.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from kubernetes.aio import client, config, watch

from bench.annotations import pod_metadata

LABEL = "bench/loop"


def job(name: str, seconds: float) -> dict[str, Any]:
    """A Job of one pod, of the size of a trial's, that runs so long."""
    variables = [{"name": f"VARIABLE_{number}", "value": "0.1"} for number in range(8)]
    container = {"name": "trainer", "image": "example/trainer:1", "env": variables}
    pod = {"restartPolicy": "Never", "containers": [container]}
    labels = {LABEL: "yes"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {"backoffLimit": 0, "template": {"metadata": pod_metadata(seconds, labels), "spec": pod}},
    }


async def ends(api: client.ApiClient, namespace: str, until: str) -> AsyncIterator[None]:
    """One item for each Job (or pod) that has ended."""
    pods = until == "pod"
    listing = client.CoreV1Api(api).list_namespaced_pod if pods else client.BatchV1Api(api).list_namespaced_job
    seen = set()
    watching = watch.Watch()  # type: ignore[no-untyped-call]
    stream = watching.stream(listing, namespace, label_selector=LABEL)  # type: ignore[no-untyped-call]
    async for event in stream:
        item = event["object"]
        ended = item.status.phase in ("Succeeded", "Failed") if pods else item.status.completion_time is not None
        if ended and item.metadata.uid not in seen:
            seen.add(item.metadata.uid)
            yield


async def main(arguments: argparse.Namespace) -> None:
    await config.load_kube_config(config_file=arguments.kubeconfig)  # type: ignore[no-untyped-call]
    async with client.ApiClient() as api:
        batch = client.BatchV1Api(api)
        await batch.list_namespaced_job(arguments.namespace)
        await asyncio.to_thread(_say_and_hear, "ready")
        await run(api, batch, arguments)
        await asyncio.to_thread(_say_and_hear, "done")


async def run(api: client.ApiClient, batch: client.BatchV1Api, arguments: argparse.Namespace) -> None:
    """All the Jobs, from the first create to the last end."""
    names = (f"loop-{number}" for number in range(arguments.total))

    async def start() -> None:
        if name := next(names, None):
            body: Any = job(name, arguments.seconds)
            await batch.create_namespaced_job(arguments.namespace, body)

    tasks = {asyncio.create_task(start()) for _ in range(min(arguments.parallelism, arguments.total))}
    ended = 0
    async for _ in ends(api, arguments.namespace, arguments.until):
        ended += 1
        if ended == arguments.total:
            return
        task = asyncio.create_task(start())
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def _say_and_hear(word: str) -> None:
    """Tell the benchmark, and go on when it has taken its measures."""
    print(word, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig")
    parser.add_argument("namespace")
    parser.add_argument("total", type=int)
    parser.add_argument("parallelism", type=int)
    parser.add_argument("--until", choices=("job", "pod"), default="job")
    parser.add_argument("--seconds", type=float, default=0.0)
    asyncio.run(main(parser.parse_args()))
