"""How the configuration reaches a broker: one mapping for aiokafka, one for librdkafka.

Secrets come from the environment or a file, are read here, and appear in no error and no log.
"""

import ssl
from typing import Any

from schemas.config import Config
from schemas.kafka import Kafka
from schemas.secrets import read_secret


def credentials(kafka: Kafka) -> tuple[str | None, str | None]:
    """User name and password; raises `schemas.secrets.MissingSecret`."""
    return read_secret(kafka, "username", "kafka"), read_secret(kafka, "password", "kafka")


def ssl_context(kafka: Kafka) -> ssl.SSLContext | None:
    """The TLS settings, None where the connection is in the clear."""
    if not kafka.security.endswith("SSL"):
        return None
    context = ssl.create_default_context(cafile=kafka.ca_file)
    if kafka.cert_file is not None:
        context.load_cert_chain(kafka.cert_file, kafka.key_file)
    return context


def no_answer(broker: str, error: Exception) -> str:
    """A broker that is away, in a sentence.

    >>> no_answer("kafka:9092", TimeoutError())
    'the broker kafka:9092 does not answer: TimeoutError'
    """
    return f"the broker {broker} does not answer: {type(error).__name__}"


def aiokafka_settings(config: Config) -> dict[str, Any]:
    """What every aiokafka client of ours is made with."""
    kafka = config.kafka
    settings: dict[str, Any] = {
        "bootstrap_servers": config.broker.split(","),
        "security_protocol": kafka.security,
    }
    if (context := ssl_context(kafka)) is not None:
        settings["ssl_context"] = context
    if kafka.security.startswith("SASL"):
        username, password = credentials(kafka)
        settings["sasl_mechanism"] = kafka.mechanism
        settings["sasl_plain_username"] = username
        settings["sasl_plain_password"] = password
    return settings


def librdkafka_settings(config: Config) -> dict[str, Any]:
    """The same for confluent_kafka's clients."""
    kafka = config.kafka
    settings: dict[str, Any] = {
        "bootstrap.servers": config.broker,
        "security.protocol": kafka.security,
    }
    files = {
        "ssl.ca.location": kafka.ca_file,
        "ssl.certificate.location": kafka.cert_file,
        "ssl.key.location": kafka.key_file,
    }
    settings |= {name: path for name, path in files.items() if path is not None}
    if kafka.security.startswith("SASL"):
        username, password = credentials(kafka)
        settings["sasl.mechanisms"] = kafka.mechanism
        settings["sasl.username"] = username
        settings["sasl.password"] = password
    return settings
