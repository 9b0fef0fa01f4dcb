"""Wrong use and a broker that is away: one sentence that says what to do, and the exit status."""

from pathlib import Path

import pytest

from streams.cli import main

CONFIG = 'broker = "127.0.0.1:1"\n[ingest]\nsite = "north"\nkey_file = "{key}"\n'


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "radvigil.toml"
    path.write_text(CONFIG.format(key=tmp_path / "key"))
    return str(path)


def status(words: str) -> int:
    try:
        return main(words.split())
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    "words",
    ["ingest hl7 --config {c} {f}", "ingest hl7 {f} --config {c}", "ingest --config {c} hl7 {f}"],
)
def test_sources_may_stand_before_and_behind_options(
    words: str, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.hl7").write_bytes(b"no message")

    assert status(words.format(c=config, f=tmp_path / "a.hl7")) == 0

    assert "not translated: 1 x unreadable (MSH)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said", "ended"),
    [
        ("ingest dicom a.dcm --listen 127.0.0.1:0 --config {c}", "or else --listen", 2),
        ("ingest dicom a.dcm --site North --config {c}", "--site: 1 to 32 of a-z", 2),
        ("ingest dicom a.dcm --to-kafka --site north", "--to-kafka: broker is embedded", 2),
        ("ingest sr --listen 127.0.0.1:0 --config {c}", "only dicom, fhir, hl7", 2),
        ("ingest dicom --listen 203.0.113.7:11112 --config {c}", "--listen: 203.0.113.7:11112", 2),
        ("ingest hl7 --listen 203.0.113.7:2575 --config {c}", "--listen: 203.0.113.7:2575", 2),
        ("ingest orthanc nowhere --once --config {c}", "SOURCE: name one address", 2),
        ("ingest dicom a.dcm --wrong --config {c}", "unrecognized arguments: --wrong", 2),
        ("silence --site north --until 2h --match modell=ptx --config {c}", "not one of kind", 2),
        ("silence --site north --until 2h --match model=ptx --config {c}", "does not answer", 1),
        ("incidents --config {c}", "does not answer", 1),
        ("trace h1:a --site north --config {c}", "does not answer", 1),
        ("trace h1:a --site North --config {c}", "--site: 1 to 32 of a-z, 0-9 and -", 2),
        ("demo --seconds long", "--seconds: is not a number", 2),
        ("incidents --site n_1 --config {c}", "--site: 1 to 32 of a-z, 0-9 and -", 2),
        ("schemas --out {c}", "radvigil.toml: File exists", 1),
        ("schemas --out {c}/below", "Not a directory", 1),
    ],
)
def test_a_sentence_and_nothing_else(
    words: str, said: str, ended: int, config: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status(words.format(c=config)) == ended

    told = capfd.readouterr().err
    assert said in told.splitlines()[-1]
    assert "no event" not in told
    assert "Error(" not in told
    assert "Unable connect" not in told


def test_nothing_typed_is_answered_with_the_list_of_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    assert "radvigil demo" in capsys.readouterr().err


def test_a_value_that_is_no_uid_is_said_to_be_none(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status(f"ingest hl7 --config {config} {tmp_path}")  # makes the secret

    assert status(f"pseudonym study --config {config} 1.2.3 A-4711") == 0

    told = capsys.readouterr()
    assert "value 2 is no Study Instance UID" in told.err
    assert "A-4711" not in told.err + told.out


def test_a_configuration_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text(
        '[[model]]\nname = "ptx"\ndeadline_s = { stat = 60, routine = 900 }\n'
        '[[model]]\nname = "ich"\ndeadline_s = 300\n'
        '[watch]\nmonitors = ["silence", "performance", "data_quality"]\n'
    )

    assert main(["check-config", str(path)]) == 0

    told = capsys.readouterr().out
    assert "model ptx: every study; deadlines: stat 60 s, routine 900 s" in told
    assert "model ich: every study; deadline 300 s" in told
    assert "at most 1 false incident in 30 days" in told
    left_out = "version_change, version_disagreement, off_label, subgroup_gap"
    assert f"left out by watch.monitors: {left_out}" in told
    assert "no series is watched" not in told


@pytest.mark.parametrize("watch", ['exclude = ["*"]', "include = []"])
def test_so_is_that_no_series_is_watched(
    watch: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text(f'[[model]]\nname = "ptx"\ndeadline_s = 60\n[watch]\n{watch}\n')

    assert main(["check-config", str(path)]) == 0

    told = capsys.readouterr().out
    assert "no series is watched: watch.include and watch.exclude leave none" in told


def test_a_configuration_without_models_or_with_few_observations_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text("[reference]\nobservations = 499\nmin_days = 0\n")

    assert main(["check-config", str(path)]) == 0

    told = capsys.readouterr().out
    assert "no [[model]]: a result is expected only where a study brings its own" in told
    assert "warning: `reference.observations`: 500 is the recommended minimum" in told
    assert "warning: `reference.min_days`: to series of more than 62 a day each weekend" in told


def test_a_site_that_is_called_as_the_monitor_calls_itself_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text('[[site]]\nname = "north"\n[[site]]\nname = "radvigil"\n')

    assert main(["check-config", str(path)]) == 0

    told = capsys.readouterr().out
    assert "warning: `site[1].name`: so the monitor calls itself" in told
    assert "site[0]" not in told


@pytest.mark.parametrize("settled", ["", '[reference]\nmin_days = 0\n[watch]\nexclude = ["*"]'])
def test_weekends_are_no_warning_where_they_are_learnt_or_no_series_is_watched(
    settled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text(f"{settled}\n")

    assert main(["check-config", str(path)]) == 0

    assert "each weekend" not in capsys.readouterr().out


def test_a_share_without_its_policy_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radvigil.toml"
    late, rate = "late = { tolerated_share = 0.1 }", 'policy = "rate", tolerated_share = 0.1'
    path.write_text(
        f'[[model]]\nname = "a"\n{late}\nmissing = {{ {rate}, open_after = 3 }}\n'
        f'[[model]]\nname = "b"\nlate = {{ {rate} }}\nmissing = {{ open_after = 3 }}\n'
    )

    assert main(["check-config", str(path)]) == 0

    told = capsys.readouterr().out
    warnings = [line for line in told.splitlines() if line.startswith("warning: ")]
    assert warnings == [
        'warning: `model[0].missing.open_after` says nothing with `policy = "rate"`',
        'warning: `model[0].late.tolerated_share` says nothing without `policy = "rate"`',
    ]
