"""The vocabulary of the wire: bounded strings, aware times, finite numbers.

Every bound of the contract stands here once. A string longer than its bound, a naive time or a
score outside 0..1 is refused when a message is decoded, so nothing behind the decoder checks again.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

# A plain `$` lets Python's re accept a trailing newline that other readers of the schema refuse.
Site = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}(?!\n)$", max_length=32)]
StudyKey = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(max_length=256)]
LongText = Annotated[str, Meta(max_length=1_048_576)]
# The decoder also holds every time to the years 1900 to 2999, so that adding any deadline to it
# cannot leave the calendar; date-shifted research data stay inside.
Time = Annotated[datetime, Meta(tz=True)]
# Finite still as a 32-bit float: references are kept in that width.
Number = Annotated[float, Meta(ge=-1e30, le=1e30)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(gt=0, le=31_536_000)]
# Whole numbers stop where a reader that knows only 64-bit floats would round them.
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Positive = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Numbers = Annotated[dict[Name, Number], Meta(max_length=64)]
Values = Annotated[dict[Name, Number | Text], Meta(max_length=64)]

Priority = Literal["stat", "urgent", "routine"]
Severity = Literal["critical", "error", "warning", "info"]

MAX_MESSAGE_BYTES = 1_048_576
# Levels of arrays and objects, in unknown fields too. Without a limit of ours the interpreter's own
# would decide, by how deep the caller stands: live and replay would differ.
MAX_DEPTH = 600
EARLIEST_YEAR = 1900
LATEST_YEAR = 2999
