"""When to try again and how long to wait: Retry-After as RFC 9110 section 10.2.3 has it, else bounded backoff."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BASE_S, CAP_S, LONGEST_S = 0.25, 20.0, 120.0
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524})


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or an HTTP date. None when absent or unreadable; a date in
    the past is 0. The caller decides what is too long."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def backoff(attempt: int) -> float:
    """Seconds before retry number `attempt` (from 0): doubled each time, capped, with full jitter above a half."""
    ceiling = min(CAP_S, BASE_S * 2 ** min(attempt, 16))
    return ceiling * (0.5 + random.random() / 2)
