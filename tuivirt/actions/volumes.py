"""The volumes of a storage pool: made, copied, resized, wiped, moved to and from files, deleted.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations
