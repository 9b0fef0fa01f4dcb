"""Progress on long work: a line on the terminal, nothing where nobody looks."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

T = TypeVar("T")
_EVERY = 1000


def progress(items: Iterable[T], what: str = "events") -> Iterator[T]:
    """Pass items on, and count them on stderr while a person watches."""
    if not sys.stderr.isatty():
        yield from items
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} " + what), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        for number, item in enumerate(items, start=1):
            if number % _EVERY == 0:
                shown.update(task, completed=number)
            yield item
