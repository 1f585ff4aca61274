"""A task's object with its host: another one may have an object of the same name."""

from __future__ import annotations

import re

from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.task import Task


def whose(task: Task) -> str:
    """What a task is about, with its host."""
    name, host = task.target_name, task.target.host
    return name if task.target.kind is Kind.HOST or not host else f"{name}@{host}"


def with_host(text: str, task: Task) -> str:
    """``text`` with ``whose`` in place of the object's bare name, where that first is a word."""
    name, whole = task.target_name, whose(task)
    if not text or name == whole:
        return text
    word = rf"(?<![\w@/.-]){re.escape(name)}(?![\w@/-]|\.\w)"
    said, found = re.subn(word, lambda _match: whole, text, count=1)
    return said if found else f"{whole}: {text}"
