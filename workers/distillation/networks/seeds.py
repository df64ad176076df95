"""Seeds that depend on what they are for."""

import hashlib


def seed_of(*parts: int | str) -> int:
    """A seed of 63 bits that depends on every part, and on nothing else."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
