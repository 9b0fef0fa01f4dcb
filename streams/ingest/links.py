"""Which study an accession number belongs to: keys alone, learnt from what names both.

A DICOM header names the study and its accession number, an HL7 report often only the number. What
comes before its study is known has the accession's own key, and so never meets the study: feed
the images first, or carry the Study Instance UID in the reports.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable

from streams.ingest.pseudonym import Pseudonyms

MOST = 200_000
Told = Callable[[str, str, str, str], None]
"""Takes a key, and the Study Instance UID, accession number and issuer that it stands for."""


class Links:
    """The latest links, at most `most` of them; the oldest are forgotten and counted."""

    def __init__(self, pseudonyms: Pseudonyms, most: int = MOST) -> None:
        self._pseudonyms = pseudonyms
        self._most = most
        self._studies: OrderedDict[str, str] = OrderedDict()
        self.dropped: Counter[str] = Counter()
        self.on_learnt: Callable[[str, str], None] | None = None
        """Who keeps new links, key to key: streams/ingest/link_file.py, where there is a file."""
        self.told: Told | None = None
        """Who is told of the study of each key, by its own numbers: nobody, unless it is set."""

    def learn(self, study_uid: str, accession: str | None, issuer: str = "") -> str:
        """The study's key, which its accession number leads to from now on.

        A study that had a key under the secret before keeps it while its link is remembered, so
        that what was begun under one secret is not cut in two by the next.
        """
        key = self._known(study_uid) or self._pseudonyms.key("study", study_uid)
        self._learn(self._pseudonyms.key("study", study_uid), key)
        if accession:
            self._learn(self._pseudonyms.key("accession", accession, issuer), key)
        if self.told is not None:
            self.told(key, study_uid, accession or "", issuer)
        return key

    def by_accession(self, accession: str, issuer: str = "") -> str:
        """The key of the study of that number; the number's own key while it is not known."""
        known = self.find(accession, issuer)
        if known is not None:
            return known
        key = self._pseudonyms.key("accession", accession, issuer)
        if self.told is not None:
            self.told(key, "", accession, issuer)
        return key

    def find(self, accession: str, issuer: str = "") -> str | None:
        """The key of the study of that number, if it is known."""
        for key in self._pseudonyms.keys("accession", accession, issuer):
            if key in self._studies:
                return self._studies[key]
        return None

    def known(self) -> dict[str, str]:
        """All links, key to key, oldest first: to be kept between runs."""
        return dict(self._studies)

    def take_up(self, links: dict[str, str]) -> None:
        """Go on with the links of an earlier run, or of others."""
        for key, study in links.items():
            self._remember(key, study)

    def _known(self, study_uid: str) -> str | None:
        for key in self._pseudonyms.keys("study", study_uid):
            if key in self._studies:
                return self._studies[key]
        return None

    def _learn(self, key: str, study: str) -> None:
        if self.on_learnt is not None and self._studies.get(key) != study:
            self.on_learnt(key, study)
        self._remember(key, study)

    def _remember(self, key: str, study: str) -> None:
        self._studies[key] = study
        self._studies.move_to_end(key)
        if len(self._studies) > self._most:
            self._studies.popitem(last=False)
            self.dropped["link_overflow"] += 1
