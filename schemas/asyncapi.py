"""An AsyncAPI 3.0 document of every topic: what to send, what to read, and how Kafka keeps it."""

from typing import Any

from schemas.fields import MAX_MESSAGE_BYTES
from schemas.json_schema import components
from schemas.messages import EVENTS, MESSAGES, Message, tag
from schemas.topics import INPUTS, NOTIFIED, OUTPUTS, STATE, TopicSpec, keyed

Json = dict[str, Any]
WIRE_VERSION = "1.0.0"
_BINDING = "0.5.0"
_SCHEMAS = "#/components/schemas/{name}"
_HEADERS = {
    "ce_specversion": "1.0",
    "ce_id": "Names what happened; with ce_source unique, and the same when it is sent again.",
    "ce_source": "Who sends it.",
    "ce_type": "The value of `type` in the body.",
    "ce_time": "RFC 3339, the body's `at`.",
    "ce_subject": "What it is about.",
    "content-type": "application/json",
}


def document(prefix: str = "radvigil") -> Json:
    """The document for a deployment whose topics begin with `prefix`."""
    specs = (*INPUTS, *OUTPUTS, *map(keyed, INPUTS), STATE, NOTIFIED)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "radvigil",
            "version": WIRE_VERSION,
            "description": (
                "Events of studies, AI predictions and radiologists' reports in; outcomes and "
                "incidents out. UTF-8 JSON, unknown fields are ignored, a value is at most "
                f"{MAX_MESSAGE_BYTES} bytes. The key is the site, partitioned by Kafka's default "
                "(murmur2). Readers use read_committed."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_identifier(spec): _channel(spec, prefix) for spec in specs},
        "operations": dict(_operation(spec) for spec in (*INPUTS, *OUTPUTS) if spec.message),
        "components": {
            "messages": {_name(message): _message(message) for message in MESSAGES},
            "schemas": components(MESSAGES, _SCHEMAS),
        },
    }


def _identifier(spec: TopicSpec) -> str:
    return spec.stem.replace(".", "_")


def _name(message: type[Message]) -> str:
    return message.__name__


def _channel(spec: TopicSpec, prefix: str) -> Json:
    channel: Json = {
        "address": spec.name(prefix),
        "description": spec.purpose,
        "bindings": {
            "kafka": {
                "topicConfiguration": _topic_configuration(spec),
                "bindingVersion": _BINDING,
            }
        },
    }
    if spec.message is not None:
        name = _name(spec.message)
        channel["messages"] = {name: {"$ref": f"#/components/messages/{name}"}}
    return channel


def _topic_configuration(spec: TopicSpec) -> Json:
    """The settings as the Kafka binding types them: a list of policies, and numbers."""
    configuration: Json = {}
    for name, setting in spec.settings.items():
        value = setting.value
        if name == "cleanup.policy":
            configuration[name] = value.split(",")
        else:
            configuration[name] = int(value) if value.isdigit() else value
    return configuration


def _operation(spec: TopicSpec) -> tuple[str, Json]:
    assert spec.message is not None
    action = "receive" if spec.direction == "in" else "send"
    channel = f"#/channels/{_identifier(spec)}"
    operation = {
        "action": action,
        "channel": {"$ref": channel},
        "summary": spec.purpose,
        "messages": [{"$ref": f"{channel}/messages/{_name(spec.message)}"}],
    }
    return f"{action}_{_identifier(spec)}", operation


def _message(message: type[Message]) -> Json:
    schema = _SCHEMAS.format(name=_name(message))
    return {
        "name": tag(message),
        "contentType": "application/json",
        "headers": _headers(message),
        "payload": {"$ref": schema},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "The site."},
                "bindingVersion": _BINDING,
            }
        },
    }


def _headers(message: type[Message]) -> Json:
    """CloudEvents, binary mode: always on what we send, optional on what we read."""
    described = {name: {"type": "string", "description": words} for name, words in _HEADERS.items()}
    headers: Json = {"type": "object", "properties": described}
    return headers if message in EVENTS else headers | {"required": list(_HEADERS)}
