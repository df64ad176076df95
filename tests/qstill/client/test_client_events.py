"""Server-sent events: the same ones however the bytes come, and each once however often the connection breaks."""

import json
from collections.abc import Sequence
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.client.calls import Patience
from qstill.client.errors import NotFound, Unavailable
from qstill.client.events import MAX_LINE_BYTES, Following, Frame, Reader
from qstill.contract.answers.jobs import EventView, Progress

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=12)
names = st.sampled_from(["queued", "running", "epoch", "progress"])
frames = st.builds(Frame, names, st.lists(words, min_size=1, max_size=3).map("\n".join), st.none() | st.just("7"))
JOB = "job_" + "0" * 32


def written(frame: Frame, end: str) -> str:
    lines = [f"event: {frame.kind}", *(f"data: {line}" for line in frame.data.split("\n"))]
    lines += [] if frame.id is None else [f"id: {frame.id}"]
    return end.join(["", f": ping{end}", *lines, "", ""])


@given(st.lists(frames, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 200), max_size=8))
def test_events_are_the_same_however_the_bytes_are_cut(told: list[Frame], end: str, cuts: list[int]) -> None:
    content = "".join(written(frame, end) for frame in told).encode()
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    reader = Reader()
    found = [frame for a, b in pairwise(places) for frame in reader.feed(content[a:b])]
    assert found == told


def test_a_line_without_an_end_is_no_stream() -> None:
    with pytest.raises(ValueError, match="without an end"):
        list(Reader().feed(b"x" * (MAX_LINE_BYTES + 1)))


def log(count: int) -> bytes:
    """The log of a job, progress between its events."""
    text = ""
    for seq in range(1, count + 1):
        kind = "succeeded" if seq == count else "epoch"
        event = {"seq": seq, "kind": kind, "data": {"n": seq}, "created_at": "2026-03-14T09:26:53Z"}
        text += written(Frame(kind, json.dumps(event), str(seq)), "\n")
        if seq < count:
            progress = {"phase": "p", "done": seq, "total": count, "unit": "u", "metrics": {}}
            text += written(Frame("progress", json.dumps(progress), None), "\n")
    return text.encode()


def of_rest(content: bytes, after: int) -> bytes:
    """What a server sends to one who has seen events up to `after`."""
    place = content.find(f"id: {after}\n\n".encode()) if after else 0
    return content[place:].split(b"\n\n", 1)[1] if after else content


@given(st.integers(1, 8), st.lists(st.integers(0, 3000), max_size=8))
def test_no_event_is_lost_or_told_twice(count: int, breaks: Sequence[int]) -> None:
    content, following, found = log(count), Following(JOB, 0, Patience(1e9)), []
    for cut in [*breaks, None]:
        if following.over:
            break
        after = int(following.call().headers.get("Last-Event-ID", 0))
        assert following.began(httpx.Response(200)) is None
        found += list(following.read(of_rest(content, after)[:cut]))
        if not following.over:
            assert following.ended(httpx.ReadError("cut") if cut else None) > 0
    assert following.over
    seen = [event for event in found if isinstance(event, EventView)]
    assert [event.seq for event in seen] == list(range(1, count + 1))
    assert all(isinstance(event, EventView | Progress) for event in found)


def test_a_finished_stream_is_over_at_once() -> None:
    following = Following(JOB, 9, Patience())
    assert following.call().headers["Last-Event-ID"] == "9"
    assert following.began(httpx.Response(204)) == 0
    assert following.over


def refused(status: int) -> httpx.Response:
    return httpx.Response(status, json={"code": "x", "title": "No.", "status": status}, headers={"Retry-After": "2"})


def test_a_stream_that_is_refused_is_tried_again_or_said() -> None:
    following = Following(JOB, 0, Patience(5))
    assert (following.began(refused(503)) or 0) >= 2
    with pytest.raises(NotFound):
        following.began(refused(404))
    with pytest.raises(Unavailable):
        Following(JOB, 0, Patience(0)).ended(None)
