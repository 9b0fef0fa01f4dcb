"""What a configuration says that cannot be meant, though every single value fits its place.

Each check yields sentences. None repeats a value but the names of models, sites and receivers.
"""

import re
import zoneinfo
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from urllib.parse import urlsplit

from msgspec import Struct, structs

from schemas.config import Config, Model, Watch
from schemas.config_match import match_problems, series_problems, slice_problems
from schemas.kafka import Kafka
from schemas.routing import Email, PagerDuty, Receiver, Slack, Teams
from schemas.routing_checks import match_field_problems, routing_problems
from schemas.site import SiteSettings
from schemas.slices import SliceSettings
from schemas.tickets import Tickets
from schemas.worklist import FhirWorklist, Worklist

_NEEDED = {Slack: "token", PagerDuty: "routing_key", Teams: "url"}
_BROKER = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")


def contradictions(config: Config) -> Iterator[str]:
    """Every contradiction in a configuration."""
    yield from _repeated("model", [model.name for model in config.models])
    yield from _repeated("site", [site.name for site in config.sites])
    yield from _repeated("receiver", [receiver.name for receiver in config.receivers])
    yield from _repeated("tickets", [tracker.name for tracker in config.tickets])
    yield from _repeated("worklist", [worklist.name for worklist in config.worklists])
    yield from _broker(config.broker)
    yield from _kafka(config.kafka)
    yield from _zone(config.timezone, "timezone")
    for index, model in enumerate(config.models):
        yield from _model(model, f"model[{index}]")
    for index, site in enumerate(config.sites):
        yield from _site(site, f"site[{index}]")
    for index, receiver in enumerate(config.receivers):
        yield from _receiver(receiver, f"receiver[{index}]")
    for index, tracker in enumerate(config.tickets):
        yield from _tracker(tracker, f"tickets[{index}]")
    for index, worklist in enumerate(config.worklists):
        yield from _worklist(worklist, f"worklist[{index}]")
    yield from _doubled(config.watchdog, "watchdog")
    yield from _watch(config.watch)
    yield from _slices(config)
    yield from routing_problems(config)


def _repeated(path: str, names: Iterable[str]) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            yield f"`{path}[{index}].name`: `{path}[{first[name]}]` has the same name"


def _watch(watch: Watch) -> Iterator[str]:
    yield from series_problems(watch.include, "watch.include")
    yield from series_problems(watch.exclude, "watch.exclude")
    yield from slice_problems(watch.slices, "watch.slices")
    if "subgroup_gap" in watch.monitors and "performance" not in watch.monitors:
        yield "`watch.monitors`: `subgroup_gap` needs `performance`: name both, or none"


def _slices(config: Config) -> Iterator[str]:
    """Those by default are without effect where they are not sliced by; others are a mistake."""
    unknown = {*config.slices.inputs} - {*config.watch.slices} - {*SliceSettings().inputs}
    for index, path in enumerate(config.slices.inputs):
        if path in unknown:
            yield f"`slices.inputs[{index}]` is none of `watch.slices`"


def _broker(broker: str) -> Iterator[str]:
    if broker != "embedded" and not all(map(_BROKER.fullmatch, broker.split(","))):
        yield "`broker`: expected `embedded`, or host:port,host:port without spaces"


def _kafka(kafka: Kafka) -> Iterator[str]:
    yield from _doubled(kafka, "kafka")
    if kafka.security.startswith("SASL"):
        yield from _needed(kafka, "kafka", "username")
        yield from _needed(kafka, "kafka", "password")
    if kafka.key_file is not None and kafka.cert_file is None:
        yield "`kafka.key_file` is the key of `kafka.cert_file`, which is missing"


def _zone(name: str | None, path: str) -> Iterator[str]:
    if name is None or name == "UTC":
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        if not known:
            yield f"`{path}`: this system has no time zones; install the package tzdata"
        else:
            yield f"`{path}`: expected a time zone, as in `Europe/Berlin`{_meant(name, known)}"


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f", did you mean `{near[0]}`?" if near else ""


def _model(model: Model, path: str) -> Iterator[str]:
    yield from match_problems(model.applies, f"{path}.applies")
    yield from match_problems(model.intended_use, f"{path}.intended_use")
    for finding in model.limits if model.findings else ():
        if finding not in model.findings:
            yield f"`{path}.limits.{finding}` is none of `{path}.findings`"


def _site(site: SiteSettings, path: str) -> Iterator[str]:
    yield from _zone(site.timezone, f"{path}.timezone")


def _receiver(receiver: Receiver, path: str) -> Iterator[str]:
    yield from _doubled(receiver, path)
    if type(receiver) in _NEEDED:
        yield from _needed(receiver, path, _NEEDED[type(receiver)])
    if isinstance(receiver, Email) and not all(map(str.isascii, (receiver.sender, *receiver.to))):
        yield f"`{path}`: mail addresses have plain letters only"
    url = getattr(receiver, "url", None)
    if url is not None and (problem := _url_problem(url)):
        yield f"`{path}.url`: {problem}"


def _worklist(worklist: Worklist, path: str) -> Iterator[str]:
    yield from _doubled(worklist, path)
    if isinstance(worklist, FhirWorklist) and (problem := _url_problem(worklist.url)):
        yield f"`{path}.url`: {problem}"


def _tracker(tracker: Tickets, path: str) -> Iterator[str]:
    yield from _doubled(tracker, path)
    yield from _needed(tracker, path, "token")
    yield from match_field_problems(tracker.match, f"{path}.match")
    if problem := _url_problem(tracker.url):
        yield f"`{path}.url`: {problem}"


def _doubled(section: Struct, path: str) -> Iterator[str]:
    given = structs.asdict(section)
    for name in (key.removesuffix("_env") for key in given if key.endswith("_env")):
        if given[f"{name}_env"] is not None and given[f"{name}_file"] is not None:
            yield f"`{path}.{name}_env` and `{path}.{name}_file`: only one of them"


def _needed(section: Struct, path: str, name: str) -> Iterator[str]:
    if getattr(section, f"{name}_env") is None and getattr(section, f"{name}_file") is None:
        yield f"`{path}`: `{name}_env` or `{name}_file` is missing"


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return "expected an address that begins with https:// or http://"
    if "@" in parts.netloc:
        return "a secret never stands in this file; take user and password out of the address"
    return None
