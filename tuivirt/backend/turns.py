"""Who computes beside the screen's thread takes turns.

The interpreter lets one thread run at a time, and goes round. Of fifty hosts' threads that all
compute, the screen's would have a fiftieth; of those that take turns it has half.
"""

from __future__ import annotations

import threading

turn = threading.RLock()
"""Held for some milliseconds, never while somebody is waited for but for a host's own lock."""
