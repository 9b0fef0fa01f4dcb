"""The resources of one message, and which reference leads to which."""

from collections.abc import Iterator
from itertools import islice

from streams.ingest._fhir_json import Tree, tree_at, trees, word

MOST_ENTRIES = 20_000
_MOST_CONTAINED = 200
_LEVELS = 3  # of bundles in bundles


class Resources:
    """A resource, or those of a Bundle; `all` is in their order. `too_many` says that some were
    left out."""

    def __init__(self, root: Tree) -> None:
        entries = list(islice(_entries(root, _LEVELS), MOST_ENTRIES + 1))
        self.too_many = len(entries) > MOST_ENTRIES
        self.all = [resource for resource, _ in entries[:MOST_ENTRIES]]
        self.looked_n = 0
        """Results of reports that were looked up, of all that may be."""
        self._contained: dict[int, dict[str, Tree]] = {}
        self._by_name: dict[str, Tree] = {}
        for resource, url in entries[:MOST_ENTRIES]:
            for name in (url, name_of(resource)):
                if name is not None:
                    self._by_name.setdefault(name, resource)

    def of(self, *kinds: str) -> Iterator[Tree]:
        """Those of these types."""
        return (one for one in self.all if one.get("resourceType") in kinds)

    def find(self, reference: Tree, near: Tree) -> Tree:
        """What a reference of the resource `near` leads to; empty where that is not here."""
        written = word(reference, "reference")
        if written is None:
            return {}
        if written.startswith("#"):
            return self._inside(near).get(written[1:], {})
        return self._by_name.get(written) or self._by_name.get(short_name(written) or "", {})

    def _inside(self, near: Tree) -> dict[str, Tree]:
        if id(near) not in self._contained:
            contained = trees(near, "contained", most=_MOST_CONTAINED)
            named = {word(one, "id"): one for one in contained}
            self._contained[id(near)] = {name: one for name, one in named.items() if name}
        return self._contained[id(near)]


def name_of(resource: Tree) -> str | None:
    """`Type/id`, where it has an id."""
    kind, number = word(resource, "resourceType"), word(resource, "id")
    return f"{kind}/{number}" if kind and number else None


def short_name(reference: str) -> str | None:
    """`Type/id` of a literal reference, whatever server and version are told with it.

    >>> short_name("https://pacs.example/fhir/ImagingStudy/7/_history/2"), short_name("urn:uuid:7")
    ('ImagingStudy/7', None)
    """
    parts = reference.partition("/_history")[0].split("/")
    if len(parts) < 2 or not parts[-2].isalpha() or not parts[-2][:1].isupper() or not parts[-1]:
        return None
    return f"{parts[-2]}/{parts[-1]}"


def type_of(reference: Tree, found: Tree) -> str | None:
    """The type of what a reference leads to, as far as it can be told."""
    kind = word(found, "resourceType") or word(reference, "type")
    return kind or (short_name(word(reference, "reference") or "") or "").partition("/")[0] or None


def _entries(root: Tree, levels: int) -> Iterator[tuple[Tree, str | None]]:
    if root.get("resourceType") != "Bundle":
        yield root, None
        return
    for entry in trees(root, "entry", most=MOST_ENTRIES + 1):
        resource = tree_at(entry, "resource")
        if resource.get("resourceType") == "Bundle":
            if levels > 1:
                yield from _entries(resource, levels - 1)
        elif resource:
            yield resource, word(entry, "fullUrl")
