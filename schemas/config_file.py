"""One TOML file to a `Config`; whatever is wrong with it is told at once, each with its path.

No value of the file is repeated in an error, since it may be a secret in the wrong place; names of
keys, models, sites and receivers are.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from schemas.config import Config
from schemas.config_checks import contradictions
from schemas.config_match import as_lists
from schemas.config_tree import misfits


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why, one sentence each."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{name}: {problem}" for problem in problems))
        self.problems = problems


def load(path: str | Path | None) -> Config:
    """The configuration in a file; without a file the defaults. Raises `ConfigError`."""
    if path is None:
        return Config()
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # as editors on Windows write it
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), ["is not UTF-8 text"]) from None
    return parse(text, str(path))


def parse(text: str, name: str = "configuration") -> Config:
    """The configuration in a TOML text; `name` stands in its errors. Raises `ConfigError`."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(name, [f"is not TOML: {error}"]) from None
    _unify_matches(tree)
    if problems := list(misfits(tree, Config)):
        raise ConfigError(name, problems)
    config = msgspec.convert(tree, Config)
    if problems := list(contradictions(config)):
        raise ConfigError(name, problems)
    return config


def _unify_matches(tree: dict[str, Any]) -> None:
    models = tree.get("model")
    for model in models if isinstance(models, list) else ():
        for name in ("applies", "intended_use"):
            if isinstance(model, dict) and isinstance(model.get(name), dict):
                model[name] = as_lists(model[name])
