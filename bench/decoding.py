"""What strict decoding costs beside msgspec alone, in microseconds: `python -m bench.decoding`.

Best of several rounds, one core. Aim: at most 1.3 times on messages of usual size.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from timeit import repeat

import msgspec

from schemas.decoding import decode_event, encode
from schemas.messages import Event

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "wire" / "v1"
CLOUDEVENT = [("ce_type", b"radvigil.study.v1"), ("ce_source", b"/pacs"), ("ce_id", b"77")]
CALLS, ROUNDS = 20_000, 9


def cost_us(function: Callable[..., object], *arguments: object) -> float:
    return min(repeat(partial(function, *arguments), number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def main() -> None:
    bare = msgspec.json.Decoder(Event)
    print(f"{'message':20}{'bytes':>6}{'msgspec':>9}{'strict':>8}{'ratio':>7}{'encode':>8}")
    for name in ("study.minimal", "study.full", "prediction.minimal", "prediction.full"):
        value = (GOLDEN / f"{name}.json").read_bytes()
        alone, strict = cost_us(bare.decode, value), cost_us(decode_event, value)
        written, ratio = cost_us(encode, bare.decode(value)), strict / alone
        print(f"{name:20}{len(value):6}{alone:9.2f}{strict:8.2f}{ratio:7.2f}{written:8.2f}")
    value = (GOLDEN / "study.full.json").read_bytes()
    print(f"study.full as a CloudEvent {cost_us(decode_event, value, CLOUDEVENT):.2f}")
    print(f"study.full, refused {cost_us(decode_event, value[:-20]):.2f}")


if __name__ == "__main__":
    main()
