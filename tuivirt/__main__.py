"""``python -m tuivirt``."""

from __future__ import annotations

import sys

from tuivirt.cli import main

sys.exit(main())
