"""Links that several services share."""

import stat
from pathlib import Path

import pytest

from streams.ingest import link_file
from streams.ingest.link_file import LinkFile, read_links
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret

KEYS = Pseudonyms(Secret(1, b"k" * 32))


class Service:
    """One process of the site."""

    def __init__(self, folder: Path) -> None:
        self.links = Links(KEYS)
        self.file = LinkFile(folder / "links", self.links)
        self.file.exchange()


def test_what_one_learns_the_other_knows_and_the_reverse(tmp_path: Path) -> None:
    images, reports = Service(tmp_path), Service(tmp_path)
    first = images.links.learn("1.2.3", "A1")
    second = reports.links.learn("1.2.4", "A2")

    for one in (images, reports, images):
        one.file.exchange()

    assert [one.links.by_accession("A1") for one in (images, reports)] == [first] * 2
    assert [one.links.by_accession("A2") for one in (images, reports)] == [second] * 2


def test_only_what_is_new_is_written(tmp_path: Path) -> None:
    images, reports = Service(tmp_path), Service(tmp_path)
    for _ in range(3):
        images.links.learn("1.2.3", "A1")
        images.file.exchange()
        reports.file.exchange()
    file = tmp_path / "links"

    assert len(file.read_text().split()) == 1
    assert "A1" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_line_cut_short_costs_nothing_else(tmp_path: Path) -> None:
    images = Service(tmp_path)
    key = images.links.learn("1.2.3", "A1")
    images.file.exchange()
    with (tmp_path / "links").open("ab") as file:
        file.write(b'{"h1:torn')
    images.links.learn("1.2.4", "A2")
    images.file.exchange()

    again = Links(KEYS)
    read_links(tmp_path / "links", again)

    assert again.by_accession("A1") == key
    assert again.by_accession("A2") == KEYS.key("study", "1.2.4")


def test_a_large_file_is_written_anew_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, reports = Service(tmp_path), Service(tmp_path)
    monkeypatch.setattr(link_file, "LARGEST_BYTES", 2_000)
    for number in range(40):
        images.links.learn(f"1.2.{number}", f"A{number}")
        images.file.exchange()
        if number % 7 == 0:
            reports.file.exchange()
    reports.file.exchange()

    assert reports.links.known() == images.links.known()


def test_links_that_could_not_be_written_are_written_later(tmp_path: Path) -> None:
    images = Service(tmp_path)
    key = images.links.learn("1.2.3", "A1")
    (tmp_path / "links").rename(tmp_path / "away")
    (tmp_path / "links").mkdir()
    with pytest.raises(OSError, match="directory"):
        images.file.exchange()
    (tmp_path / "links").rmdir()

    images.file.exchange()

    assert Service(tmp_path).links.by_accession("A1") == key
