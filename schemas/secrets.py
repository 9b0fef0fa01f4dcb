"""Secrets, from where the configuration says they are. No error holds their values."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct


class MissingSecret(Exception):
    """A secret that the configuration names is not there; says where it was looked for."""


def read_secret(
    section: Struct, name: str, path: str, environment: Mapping[str, str] = os.environ
) -> str | None:
    """The secret `name` of a section that has `NAME_env` and `NAME_file`; None if neither is set.

    `path` is where the section stands in the configuration, for errors. A file's trailing line
    end does not belong to the secret. Raises `MissingSecret`.
    """
    variable: str | None = getattr(section, f"{name}_env")
    file: str | None = getattr(section, f"{name}_file")
    if variable is not None:
        secret = environment.get(variable)
        where = f"`{path}.{name}_env`: the environment variable {variable}"
    elif file is not None:
        secret = _content(file, f"`{path}.{name}_file`")
        where = f"`{path}.{name}_file`: the file {file}"
    else:
        return None
    if secret is None:
        raise MissingSecret(f"{where} is not set")
    if not secret:
        raise MissingSecret(f"{where} is empty")
    return secret


def read_secrets(
    section: Struct, names: Iterable[str], path: str, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Those of the named secrets of a section that are set; see `read_secret`."""
    read = {name: read_secret(section, name, path, environment) for name in names}
    return {name: secret for name, secret in read.items() if secret is not None}


def _content(file: str, where: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise MissingSecret(f"{where}: cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MissingSecret(f"{where}: {file} is not UTF-8 text") from None
