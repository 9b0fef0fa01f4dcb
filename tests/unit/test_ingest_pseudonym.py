"""Keys that tell nothing, links between them, and the guard against names in technical fields."""

import base64
import stat
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ingest import IngestSettings
from schemas.secrets import MissingSecret
from streams.ingest.guard import Guard
from streams.ingest.links import Links
from streams.ingest.pseudonym import BadKey, Pseudonyms, Secret, make_key_file, read_key
from streams.ingest.settings import ingest_of, link_file_of, pseudonyms_of

OLD, NEW = Secret(1, b"o" * 32), Secret(2, b"n" * 32)
words = st.text(min_size=1, max_size=40)


class TestKeys:
    @given(words, words, words, words)
    def test_other_identifiers_have_other_keys(self, a: str, b: str, c: str, d: str) -> None:
        keys = Pseudonyms(OLD)

        same = keys.key("study", a, b) == keys.key("study", c, d)

        assert same == ((a.strip(), b.strip()) == (c.strip(), d.strip()))

    def test_the_domain_tells_equal_numbers_apart(self) -> None:
        keys = Pseudonyms(OLD)

        assert keys.key("study", "42") != keys.key("patient", "42")

    def test_another_secret_makes_other_keys_and_says_which(self) -> None:
        present = Pseudonyms(NEW, previous=OLD)

        both = present.keys("study", "1.2")

        assert [key[:3] for key in both] == ["h2:", "h1:"]
        assert both[1] == Pseudonyms(OLD).key("study", "1.2")

    def test_the_secret_is_in_no_repr(self) -> None:
        assert "o" * 8 not in repr(OLD)

    @pytest.mark.parametrize("written", ["not base64!", base64.b64encode(b"short").decode()])
    def test_a_weak_or_broken_secret_is_refused_and_not_repeated(self, written: str) -> None:
        with pytest.raises(BadKey) as refused:
            read_key(written)

        assert written not in str(refused.value)


class TestSecretFile:
    def test_it_is_made_once_and_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        file = tmp_path / "new" / "key"
        settings = IngestSettings(key_file=str(file))

        first, made = pseudonyms_of(settings)
        second, again = pseudonyms_of(settings)

        assert (made, again) == (file, None)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert first.key("study", "1") == second.key("study", "1")

    def test_one_that_is_there_is_never_overwritten(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        make_key_file(file)

        with pytest.raises(FileExistsError):
            make_key_file(file)

    def test_a_secret_that_is_named_and_missing_is_an_error(self) -> None:
        with pytest.raises(MissingSecret, match="NO_SUCH_VARIABLE"):
            pseudonyms_of(IngestSettings(key_env="NO_SUCH_VARIABLE"))

    def test_the_secret_before_has_the_epoch_before(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OLD_KEY", base64.b64encode(OLD.content).decode())
        settings = IngestSettings(
            key_file=str(tmp_path / "key"), epoch=2, previous_key_env="OLD_KEY"
        )

        keys, _ = pseudonyms_of(settings)

        assert keys.keys("study", "1.2")[1] == Pseudonyms(OLD).key("study", "1.2")


class TestLinks:
    def test_an_accession_number_leads_to_its_study(self) -> None:
        links = Links(Pseudonyms(OLD))

        key = links.learn("1.2.3", "A17")

        assert links.by_accession("A17") == key
        assert links.by_accession("A18") != key

    def test_equal_numbers_of_other_issuers_are_other_studies(self) -> None:
        links = Links(Pseudonyms(OLD))
        links.learn("1.2.3", "A17", issuer="north")

        assert links.by_accession("A17", issuer="south") != links.by_accession("A17", "north")

    def test_a_study_keeps_its_key_while_the_secret_is_replaced(self) -> None:
        before = Links(Pseudonyms(OLD))
        key = before.learn("1.2.3", "A17")
        after = Links(Pseudonyms(NEW, previous=OLD))
        after.take_up(before.known())

        assert after.learn("1.2.3", "A17") == key
        assert after.by_accession("A17") == key
        assert after.learn("9.9", None).startswith("h2:")

    def test_they_are_bounded_and_that_shows(self) -> None:
        links = Links(Pseudonyms(OLD), most=10)

        for number in range(20):
            links.learn(f"1.2.{number}", None)

        assert len(links.known()) == 10
        assert links.dropped["link_overflow"] == 10

    def test_they_are_kept_between_runs_as_keys(self, tmp_path: Path) -> None:
        settings = IngestSettings(links_file=str(tmp_path / "links.json"))
        keys = Pseudonyms(OLD)
        first = ingest_of(settings, keys, site="north", timezone="UTC", from_files=True)
        shared = link_file_of(settings, first.links)
        assert shared is not None
        key = first.links.learn("1.2.3", "A17")
        shared.exchange()

        again = ingest_of(settings, keys, site="north", timezone="UTC", from_files=True)

        assert again.links.by_accession("A17") == key
        assert "A17" not in (tmp_path / "links.json").read_text()


class TestGuard:
    @pytest.mark.parametrize(
        ("text", "passes"),
        [
            ("Definium 8000", True),
            ("Mobile (Jane D.)", False),
            ("SN4711", False),
            ("MÜLLER suite", False),
            ("Do", True),
        ],
    )
    def test_no_word_of_a_name_or_number_gets_through(self, text: str, passes: bool) -> None:
        dropped: Counter[str] = Counter()
        guard = Guard(["Müller^Jane", "4711", None], dropped)

        assert guard.passes(text) == (text if passes else None)
        assert dropped["identifier_in_text"] == (not passes)

    @pytest.mark.parametrize(
        ("text", "passes"),
        [("山田医院", False), ("王小东", False), ("東芝", True), ("王冠", True), ("김희중", False)],
    )
    def test_names_of_two_or_three_syllables_are_names_too(self, text: str, passes: bool) -> None:
        guard = Guard(["Yamada=山田^太郎", "Wang=王^小东", "Kim=김^희중", "東^一"], Counter())

        assert guard.passes(text) == (text if passes else None)
