"""Disk images on this machine, worked on with qemu-img.

Declared when somebody asks for what can be done, as none of it has a key.
"""

from __future__ import annotations
