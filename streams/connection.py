"""How the configuration reaches a broker: one mapping for aiokafka, one for librdkafka.

Secrets come from the environment or a file, are read here, and appear in no error and no log.
"""

import os
import ssl
from pathlib import Path
from typing import Any

from schemas.config import Config, Kafka


class MissingSecret(Exception):
    """A secret named by the configuration is not there; the message names it, never its value."""


def _secret(name: str, env: str | None, file: str | None) -> str | None:
    if env is not None:
        if env not in os.environ:
            raise MissingSecret(f"kafka.{name}_env: the environment has no {env}")
        return os.environ[env]
    if file is not None:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise MissingSecret(f"kafka.{name}_file: {file}: {error.strerror}") from None
    return None


def credentials(kafka: Kafka) -> tuple[str | None, str | None]:
    """User name and password; raises MissingSecret."""
    return (
        _secret("username", kafka.username_env, kafka.username_file),
        _secret("password", kafka.password_env, kafka.password_file),
    )


def ssl_context(kafka: Kafka) -> ssl.SSLContext | None:
    """The TLS settings, None where the connection is in the clear."""
    if not kafka.security.endswith("SSL"):
        return None
    context = ssl.create_default_context(cafile=kafka.ca_file)
    if kafka.cert_file is not None:
        context.load_cert_chain(kafka.cert_file, kafka.key_file)
    return context


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
