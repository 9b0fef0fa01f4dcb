"""What the labeller says of texts: a floor of accuracy, and that no text can hurt it."""

import gc
import time
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.labeller import accuracy, cells, findings, own
from schemas.report import Label
from streams.ingest.labeller import LONGEST_TEXT, VERSION, Labeller, built_in, parse

ENGLISH = Labeller()
LITTLE = """
language = "en"
[cues.negation]
before = ["no"]
[finding.edema]
named = ["edema"]
"""
BOTH = Labeller([built_in("en"), built_in("de")])


@pytest.mark.parametrize(
    ("name", "floor"),
    [("developed", 0.97), ("held_out", 0.82), ("doubt", 0.82), ("german", 0.95)],
)
def test_the_frozen_sentences_are_read_as_well_as_is_published(name: str, floor: float) -> None:
    labeller = BOTH if name == "german" else ENGLISH

    assert accuracy(list(cells(labeller, own(name), findings()))) >= floor


def test_negation_is_hardly_ever_lost() -> None:
    measured = [*cells(ENGLISH, own("developed"), findings())]
    measured += cells(ENGLISH, own("held_out"), findings())
    absent = [c for c in measured if c.expected == "absent" and c.found != "not mentioned"]

    assert sum(c.found == "absent" for c in absent) >= 0.97 * len(absent) > 50


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Cannot exclude small pneumothorax.", "uncertain"),
        ("Interval resolution of previously seen pneumothorax.", "absent"),
        ("No change in the pneumothorax.", "present"),
        ("INDICATION: pneumothorax.", None),
        ("FINDINGS: Possible pneumothorax.\nIMPRESSION: No pneumothorax.", "absent"),
        ("FINDINGS: No pneumothorax. Small pneumothorax.", "present"),
        ("The heart is normal.", None),
    ],
)
def test_a_pneumothorax(text: str, value: str | None) -> None:
    said = {label.finding: label.value for label in ENGLISH.label(text)}

    assert said.get("pneumothorax") == value


def test_doubt_is_read_as_doubt_in_most_texts() -> None:
    measured = [c for name in ("held_out", "doubt") for c in cells(ENGLISH, own(name), findings())]
    doubted = [c for c in measured if c.expected == "uncertain"]

    assert sum(c.found == "uncertain" for c in doubted) >= 0.75 * len(doubted) > 30


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("COMPARISON: None. Chest, one view: No pneumothorax.", "absent"),
        ("HISTORY: Fall. Impression, preliminary: Pneumothorax.", "present"),
        ("HISTORY: Cough, fever: pneumothorax.", None),
        ("HISTORY, clinical: pneumothorax.", None),
        ("IMPRESSION: Small effusion. History, known pneumothorax.", "present"),
        ("COMPARISON: None. Chest, pneumothorax.", None),
    ],
)
def test_a_heading_may_go_on_after_a_comma(text: str, value: str | None) -> None:
    said = {label.finding: label.value for label in ENGLISH.label(text)}

    assert said.get("pneumothorax") == value


def test_nothing_but_words_of_the_lexicon_is_remembered() -> None:
    labeller = Labeller()
    text = "No pneumothorax of Mrs Plantedname. Opacificationplanted near Plantedtown, 4711."

    labeller.label(text)

    held, seen, pending = "", set(), [labeller]
    while pending:
        one = pending.pop()
        if id(one) not in seen:
            seen.add(id(one))
            held += one.lower() if isinstance(one, str) else ""
            pending += gc.get_referents(one) if not isinstance(one, type | ModuleType) else []
    assert "pneumothora" in held
    assert "plantedname" not in held
    assert "plantedtown" not in held
    assert "4711" not in held


def test_memory_of_outlines_is_bounded_and_changes_nothing() -> None:
    labeller = Labeller([parse(LITTLE)])
    texts = [f"{'word ' * (n % 50)}no edema {'word ' * (n // 50)}." for n in range(5_000)]

    first = [labeller.explain(text) for text in texts]

    assert first == [labeller.explain(text) for text in texts]
    assert all(len(language._outlines) <= 4_096 for language in labeller._languages)


def test_a_label_names_its_rule_and_the_labeller_by_its_lexicons() -> None:
    (edema, _) = ENGLISH.explain("IMPRESSION: No edema.")

    assert edema.rule == "en/impression/negation:no/edema"
    assert edema.version == ENGLISH.version
    assert edema.version.startswith(f"{VERSION}+")
    assert edema.version != BOTH.version

    assert ENGLISH.label("IMPRESSION: No edema.")[0] == Label(
        finding="edema", value="absent", rule=edema.rule, version=ENGLISH.version
    )


def test_the_longest_rule_still_fits_on_the_wire() -> None:
    finding = " ".join(["p" * 15] * 8)
    cue = " ".join(["q" * 15] * 8)
    lexicon = parse(
        f'language = "en"\n[cues.negation]\nbefore = ["{cue}"]\n'
        f'[finding.long]\nnamed = ["{finding}"]\n'
    )

    label, _ = Labeller([lexicon]).label(f"{cue} {finding}")

    assert label.value == "absent"
    assert len(label.rule or "") == 256


@pytest.mark.parametrize(
    "piece",
    [
        "no pe ",
        "heart ",
        "\n",
        ".",
        "no ",
        "? ",
        "a",
        "normal heart ... ",
        "1.",
        ",",
        "\u0301",
        ":",
    ],
)
def test_repetition_is_no_attack(piece: str) -> None:
    text = (piece * LONGEST_TEXT)[:LONGEST_TEXT]
    started_s = time.process_time()

    ENGLISH.label(text)

    assert time.process_time() - started_s < 5  # on a slow machine; squares take minutes


def test_what_is_too_long_to_be_a_report_is_counted_and_not_read() -> None:
    labeller = Labeller()

    assert labeller.label("No pneumothorax. " * 65_536) == []
    assert labeller.dropped == {"too_long": 1}


WORDS = st.sampled_from(
    [
        "no",
        "heart",
        "normal",
        "effusion",
        "cannot",
        "exclude",
        ",",
        ".",
        ":",
        "?",
        "\n",
        "or",
        "IMPRESSION:",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=80).map(" ".join)))
def test_any_text_gives_each_finding_at_most_once_and_the_same_again(text: str) -> None:
    said = BOTH.explain(text)

    assert len({one.finding for one in said}) == len(said)
    assert {one.finding for one in said} <= set(findings())
    assert said == BOTH.explain(text)
