"""What HTTP says of trying again; for whoever asks a server, ours or another's."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

TRIED_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that pass; 501 and 507 stay what they are


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, 10.2.3); None where it says nothing."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None
