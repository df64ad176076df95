"""Identifiers: a prefix that says what it names, over a UUID version 7 (RFC 9562), so that they sort by age."""

import os
import time


def new_id(prefix: str) -> str:
    """`job_0190…`, 32 hex digits: 48 bits of milliseconds, 12 of their fraction (RFC 9562 method 3), 62 random bits."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    tail = int.from_bytes(os.urandom(8)) >> 2
    return f"{prefix}_{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail:032x}"


def id_pattern(prefix: str) -> str:
    return rf"^{prefix}_[0-9a-f]{{32}}$"
