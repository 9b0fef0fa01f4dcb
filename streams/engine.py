"""The engine's own timing: how long a silent worker is waited for, how often things are done.

Not part of the configuration: no deployment needs to change them, tests and broker outages do.
"""

import os

import msgspec
from msgspec import Struct


class Engine(Struct, frozen=True, kw_only=True):
    """Seconds, but for `plain_agents`: Faust's own consumer, one record at a time.

    `session_s`: a worker that is silent for so long is replaced. `checkpoint_s`: at most so much
    is done twice after a crash (and seen once, all the same). `proof_s`: how often the end of the
    inputs is asked for, so how late a deadline is noticed at best. `refresh_s`: an idle partition
    writes its place so often.
    """

    session_s: float = 20.0
    heartbeat_s: float = 3.0
    checkpoint_s: float = 0.5
    proof_s: float = 0.5
    refresh_s: float = 60.0
    stop_s: float = 20.0
    plain_agents: bool = False


def from_environment() -> Engine:
    """`RADVIGIL_ENGINE`, a JSON object of the names above, over the defaults."""
    return msgspec.json.decode(os.environ.get("RADVIGIL_ENGINE", "{}"), type=Engine)
