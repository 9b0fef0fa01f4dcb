"""The text of a report, for the labeller alone: plain, or with its markup taken off.

Nothing is parsed as XML or HTML: there is nothing to expand, and what is malformed is read all the
same.
"""

import html
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from streams.ingest._contract import Untranslated
from streams.ingest._fhir_json import Tree, long_text, tree_at, trees, word

LONGEST_TEXT = 1 << 18
_PLAIN = ("text/plain", "text/markdown", "text/html", "application/xhtml+xml")
_BREAK = re.compile(
    r"<\s{0,4}/?(?:br|p|div|li|tr|h[1-6]|table|ul|ol)\b[^<>]{0,400}>", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_FORM = "DiagnosticReport.presentedForm"
# Some of Python's codecs take time that grows with the square of a text: not any name will do.
_CHARSET = re.compile(
    r"charset=[\"']?(utf-8|utf-16|us-ascii|iso-8859-\d{1,2}|windows-125\d|shift_jis|gb18030|euc-kr)\b",
    re.IGNORECASE,
)


def text_of(report: Tree, observations: list[Tree]) -> tuple[str, list[Untranslated]]:
    """All that a report says in words, its conclusion last and under that heading; and what of it
    is no text that can be read.
    """
    forms = list(_forms(report))
    unread = [form for form in forms if isinstance(form, Untranslated)]
    parts = [form for form in forms if isinstance(form, str)]
    parts += [long_text(one, "valueString") for one in observations]
    parts += [long_text(note, "text") for note in trees(report, "note", most=50)]
    conclusion = long_text(report, "conclusion")
    if conclusion:
        parts.append(f"IMPRESSION:\n{conclusion}")
    if not any(parts):  # the narrative repeats what the rest says
        parts = [without_markup(long_text(tree_at(report, "text"), "div"))]
    return "\n\n".join(part for part in parts if part)[:LONGEST_TEXT], unread


def without_markup(text: str) -> str:
    """Paragraphs and rows as lines, entities as letters.

    >>> without_markup("<div><p>No &lt; 1 cm</p><p>Clear.</p></div>").split()
    ['No', '<', '1', 'cm', 'Clear.']
    """
    bounded = text[: 4 * LONGEST_TEXT]
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", bounded)))


def _forms(report: Tree) -> Iterator[str | Untranslated]:
    for form in trees(report, "presentedForm", most=20):
        written = word(form, "contentType") or ""
        kind = written.partition(";")[0].strip().lower()
        if kind not in _PLAIN:  # a PDF, most often
            yield Untranslated("unsupported", f"{_FORM}.contentType")
            continue
        text = _decoded(form.get("data"), written)
        if text is None:
            yield Untranslated("bad_value" if "data" in form else "missing_field", f"{_FORM}.data")
        else:
            yield without_markup(text) if "html" in kind else text


def _decoded(data: Any, content_type: str) -> str | None:
    """None where it is elsewhere (`url`) or no base64."""
    if not isinstance(data, str) or len(data) > 8 * LONGEST_TEXT:
        return None
    charset = _CHARSET.search(content_type)
    if charset is None and "charset" in content_type.lower():
        return None
    try:
        content = b64decode(data)
        return content.decode(charset[1] if charset else "utf-8", "replace")
    except (ValueError, LookupError):
        return None
