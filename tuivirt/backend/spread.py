"""Times that many hosts do not share."""

from __future__ import annotations

import random


def spread(seconds: float) -> float:
    """About so many seconds, another number each time.

    Fifty hosts that were opened together would be read again together, and so for ever.
    """
    return seconds * random.uniform(0.7, 1.3)
