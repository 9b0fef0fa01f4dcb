"""The topics of a deployment, by the names and settings that operators rely on."""

from schemas.config import Config
from schemas.fields import MAX_MESSAGE_BYTES
from schemas.kafka import Topic, Topics
from schemas.messages import MESSAGES
from schemas.topics import INPUTS, NOTIFIED, OUTPUTS, STATE, keyed, topics_of


def names(config: Config) -> list[str]:
    return [spec.name(config.prefix) for spec in topics_of(config)]


def test_the_names_are_the_contract() -> None:
    assert names(Config()) == [
        "radvigil.studies.v1",
        "radvigil.predictions.v1",
        "radvigil.reports.v1",
        "radvigil.commands.v1",
        "radvigil.incidents.v1",
        "radvigil.outcomes.v1",
        "radvigil.series.v1",
        "radvigil.notifications.v1",
        "radvigil.replies.v1",
        "radvigil.deadletters.v1",
        "radvigil.state.v1",
        "radvigil.notified.v1",
    ]


def test_an_input_that_is_re_keyed_has_a_copy() -> None:
    config = Config(prefix="ward-7", topics=Topics(reports=Topic(rekey=True)))

    assert [name for name in names(config) if "keyed" in name] == ["ward-7.reports.keyed.v1"]


def test_every_wire_type_has_its_topic() -> None:
    assert {spec.message for spec in (*INPUTS, *OUTPUTS)} - {None} == set(MESSAGES)


def test_the_broker_s_clock_dates_every_record() -> None:
    for spec in (*INPUTS, *map(keyed, INPUTS), *OUTPUTS, STATE):
        assert spec.settings["message.timestamp.type"].value == "LogAppendTime"


def test_a_message_at_the_limit_fits_in_a_record_and_its_copy_too() -> None:
    for spec in INPUTS:
        limit = int(spec.settings["max.message.bytes"].value)

        assert MAX_MESSAGE_BYTES < limit < int(keyed(spec).settings["max.message.bytes"].value)


def test_only_what_is_restored_is_compacted() -> None:
    assert {spec.settings["cleanup.policy"].value for spec in (STATE, NOTIFIED)} == {"compact"}
    assert {spec.settings["cleanup.policy"].value for spec in (*INPUTS, *OUTPUTS)} == {"delete"}


def test_a_dead_letter_is_kept_longer_than_the_message_it_is_about() -> None:
    deadletters = OUTPUTS[-1]
    kept_ms = int(deadletters.settings["retention.ms"].value)

    assert all(int(spec.settings["retention.ms"].value) < kept_ms for spec in INPUTS[:3])


def test_one_broker_may_fail_where_there_are_three_replicas() -> None:
    in_sync = [STATE.kafka_config(n)["min.insync.replicas"].value for n in (1, 2, 3, 5)]

    assert in_sync == ["1", "1", "2", "2"]


def test_every_setting_has_its_reason() -> None:
    for spec in (*INPUTS, *map(keyed, INPUTS), *OUTPUTS, STATE):
        assert all(setting.why for setting in spec.kafka_config(3).values())
