"""Templates to bytes: everything is escaped, nothing undefined is shown as nothing."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from streams.web import words
from streams.web.sparks import trace

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_SHOWN = ("https://", "http://")
# Marks that turn the direction of what follows them, beyond the text that they came in.
_TURNING = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def is_link(address: str | None) -> bool:
    """Whether an address of the configuration may be a link: `javascript:` may not.

    >>> is_link("https://wiki.example/ptx"), is_link("javascript:alert(1)"), is_link(None)
    (True, False, False)
    """
    return address is not None and address.lower().startswith(_SHOWN)


def straight(value: Any) -> Any:
    """A text without marks of direction: one name must not turn the sentence around it.

    >>> straight("v\u202e2.0")
    'v2.0'
    """
    return value.translate(_TURNING) if isinstance(value, str) and not value.isascii() else value


def static_version() -> str:
    """Changes when a static file does, so that browsers may keep them."""
    files = sorted(path for path in STATIC.iterdir() if path.is_file())
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


class Renderer:
    """The environment of the templates."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=straight,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "number": words.number,
            "percent": words.percent,
            "duration": words.length,
        }
        self._templates.tests["link"] = is_link
        self._templates.globals |= {
            "count": words.count,
            "trace": trace,
            "words": words,
            "static_version": static_version(),
        }

    def page(self, template: str, **values: Any) -> bytes:
        """One page as UTF-8."""
        return self._templates.get_template(template).render(**values).encode()
