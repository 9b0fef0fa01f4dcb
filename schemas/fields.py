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
Time = Annotated[datetime, Meta(tz=True)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(gt=0, le=31_536_000)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Numbers = Annotated[dict[Name, float], Meta(max_length=64)]
Values = Annotated[dict[Name, float | Text], Meta(max_length=64)]

Priority = Literal["stat", "urgent", "routine"]
Severity = Literal["critical", "error", "warning", "info"]

MAX_MESSAGE_BYTES = 1_048_576
