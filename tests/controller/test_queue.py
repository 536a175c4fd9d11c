"""The work queue: coalescing, order, and delays."""

import asyncio

import pytest
from study_operator.controller.queue import KeyedQueue


async def test_a_key_added_often_comes_out_once():
    queue: KeyedQueue[str] = KeyedQueue()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_its_pass_runs_comes_out_again():
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add("a")
    await queue.get()
    queue.add("a")
    assert await queue.get() == "a"


async def test_no_key_starves_behind_a_busy_one():
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add("busy")
    queue.add("quiet")
    queue.add(await queue.get())
    assert await queue.get() == "quiet"


async def test_a_delayed_key_comes_out_by_itself():
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add_after("late", 0.05)
    queue.add_after("early", 0.01)
    assert [await queue.get(), await queue.get()] == ["early", "late"]


async def test_the_earliest_of_several_delays_counts():
    queue: KeyedQueue[str] = KeyedQueue()
    for delay in (60.0, 0.01, 30.0):
        queue.add_after("a", delay)
    async with asyncio.timeout(5):
        assert await queue.get() == "a"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await queue.get()


async def test_a_key_that_is_due_now_needs_no_later_pass():
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add_after("a", 0.01)
    queue.add("a")
    assert await queue.get() == "a"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await queue.get()


async def test_a_discarded_key_does_not_come_out():
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add("gone")
    queue.add_after("gone too", 0.0)
    queue.discard("gone")
    queue.discard("gone too")
    queue.add("kept")
    assert await queue.get() == "kept"


async def test_waits_for_the_next_key():
    queue: KeyedQueue[str] = KeyedQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    assert await waiting == "a"
