"""Reading the configuration: what is understood, and how each mistake is told."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct, inspect

from schemas import config_doc, shape
from schemas.config import Config, Deadlines, Range
from schemas.config_file import ConfigError, load, parse

ROOT = Path(__file__).parents[2]
MISTAKES = (ROOT / "tests/golden/config/mistakes.toml").read_text().split("\n\n")[1:]


def model(text: str) -> str:
    return f'[[model]]\nname = "ptx"\n{text}'


@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_is_told_with_its_path_and_what_to_write(case: str) -> None:
    told = [line.removeprefix("#: ") for line in case.splitlines() if line.startswith("#: ")]

    with pytest.raises(ConfigError) as caught:
        parse(case)

    assert caught.value.problems == told
    assert "hunter2" not in str(caught.value)


def test_an_error_names_the_file_on_every_line(tmp_path: Path) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text("prefx = 1\nbrokr = 2\n")

    with pytest.raises(ConfigError) as caught:
        load(path)

    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [str(path)] * 2


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'prefix = "\xe4"')

    for path, words in (("none.toml", "No such file"), ("latin.toml", "not UTF-8"), ("", "direct")):
        with pytest.raises(ConfigError, match=words):
            load(tmp_path / path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_bytes(b'\xef\xbb\xbfprefix = "north"\r\n')

    assert load(path) == Config(prefix="north")


def test_without_a_file_everything_has_its_default() -> None:
    assert load(None) == parse("") == Config()


def test_the_example_is_complete_and_loads() -> None:
    config = load(ROOT / "examples/radvigil.toml")

    assert [one.name for one in config.models] == ["ptx", "bone-age"]
    assert {receiver.__struct_config__.tag for receiver in config.receivers} == {
        "slack",
        "pagerduty",
        "webhook",
        "alertmanager",
        "teams",
        "email",
        "log",
    }


def test_the_example_shows_every_section() -> None:
    shown = (ROOT / "examples/radvigil.toml").read_text()

    for name in msgspec.structs.fields(Config):
        assert name.encode_name in shown


def test_deadlines_are_one_number_or_one_per_priority() -> None:
    config = parse(model("deadline_s = 90") + "\n" + model("").replace("ptx", "b"))

    assert config.models[0].deadline_s == 90.0
    assert config.models[1].deadline_s == 3600.0
    assert parse(model("deadline_s = { routine = 9, stat = 3 }")).models[0].deadline_s == Deadlines(
        routine=9, stat=3
    )


@pytest.mark.parametrize(
    "written",
    [
        'applies = { modality = ["DX"], "patient.age_years" = { min = 18 }, snr = [3] }',
        'applies = { modality = "DX", patient.age_years = { min = 18 }, snr = 3 }',
        'applies.modality = "DX"\napplies.patient.age_years.min = 18\napplies.snr = 3.0',
    ],
)
def test_conditions_may_be_written_in_short(written: str) -> None:
    assert parse(model(written)).models[0].applies == {
        "modality": ["DX"],
        "patient.age_years": Range(min=18),
        "snr": [3.0],
    }


def test_an_attribute_may_have_nearly_a_field_s_name_if_it_says_so() -> None:
    applies = parse(model('applies = { "attributes.modalty" = "DX" }')).models[0].applies

    assert applies == {"attributes.modalty": ["DX"]}


def test_the_document_is_up_to_date() -> None:
    written = (ROOT / "docs/CONFIGURATION.md").read_text(encoding="utf-8")

    assert written == config_doc.render(), "run: python -m schemas.config_doc > the file"


def test_the_document_has_every_key_of_every_struct() -> None:
    document = config_doc.render()

    for struct in structs_of(inspect.type_info(Config)):
        for field in msgspec.structs.fields(struct):
            assert f"| `{field.encode_name}` |" in document


def structs_of(kind: object) -> set[type[Struct]]:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            return {cls}.union(*(structs_of(field.type) for field in fields))
        case inspect.UnionType():
            return set().union(*map(structs_of, shape.alternatives(kind)))
        case inspect.ListType(item_type=item) | inspect.DictType(value_type=item):
            return structs_of(item)
    return set()
