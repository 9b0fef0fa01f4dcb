"""Lexicon files: what is wrong is told by the path of its key."""

import pytest

from streams.ingest.labeller import BadLexicon, Labeller, built_in, parse


@pytest.mark.parametrize(
    ("toml", "path"),
    [
        ("", "`language`"),
        ('language = "en"\nfindings = 1', "`findings`"),
        ('language = "en"\n[cues.doubt]\nbefore = ["maybe"]', "`cues.doubt`"),
        ('language = "en"\n[sections]\nbody = ["chest"]', "`sections.body`"),
        ('language = "en"\n[finding.x]\nnamed = ["ok", "Upper"]', "`finding.x.named[1]`"),
        ('language = "en"\n[finding.x]\nnamed = ["... end"]', "`finding.x.named[0]`"),
        ('language = "en"\n[finding.x]\nnamed = ["a b c d e f g h i"]', "`finding.x.named[0]`"),
        ('language = "en"\n[finding.x]\nnamed = ["ab*"]', "`finding.x.named[0]`"),
        ('language = "en"\n[finding.x]\nnamed = ["air-space"]', "`finding.x.named[0]`"),
        ("language = ", "is not TOML"),
    ],
)
def test_a_bad_lexicon_is_refused_with_the_place(toml: str, path: str) -> None:
    with pytest.raises(BadLexicon) as refused:
        parse(toml, "site.toml")

    assert str(refused.value).startswith("site.toml: ")
    assert path in str(refused.value)


def test_a_second_file_of_a_language_adds_to_the_first() -> None:
    own = parse('language = "en"\n[finding.scaphoid]\nnamed = ["scaphoid line"]')
    labeller = Labeller([built_in("en"), own])

    said = {label.finding: label.value for label in labeller.label("No scaphoid line. No edema.")}

    assert said == {"scaphoid": "absent", "edema": "absent", "no_finding": "present"}


def test_a_text_is_read_in_its_own_language() -> None:
    labeller = Labeller([built_in("en"), built_in("de")])

    rules = [one.rule for one in labeller.explain("Kein Nachweis von einem Pneumothorax.")]

    assert "de/unlabelled/negation:kein_nachweis_von/pneumothorax" in rules
