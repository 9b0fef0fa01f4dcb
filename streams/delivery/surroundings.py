"""What a clerk who tells one receiver takes from outside, so that tests give it their own."""

import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from streams.delivery.http import Met
from streams.notifiers import Request

Send = Callable[[Request], Awaitable[Met]]


class Surroundings(NamedTuple):
    """Sending, time, waiting and chance: `draw` gives numbers from 0 to 1."""

    send: Send
    clock_us: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    draw: Callable[[], float] = random.random
