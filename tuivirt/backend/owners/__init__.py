"""Whose a file or an image is: the one finder of it, from which all that is asked is derived.

`named` reads what domains name, `kept` what their snapshots keep, `below` what an image lies on,
`lying` what lies on it, `machine` what this machine does with it, `shared` and `survey` ask other
hosts; `finder` joins them to one `Usage` by `telling`, and `words` says what that means.
"""

from .finder import Finder
from .usage import Usage, Use, risks, some
from .words import against_overwriting

__all__ = ["Finder", "Usage", "Use", "against_overwriting", "risks", "some"]
