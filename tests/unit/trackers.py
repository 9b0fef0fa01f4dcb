"""Jira and ServiceNow as their documentation describes them, in memory, badly behaved if told to.

`clock_us` is theirs: Jira's search knows an issue only after `INDEX_S`, ServiceNow's at once. They
are as strict as the real ones: what they would refuse is refused.
"""

import itertools
import json
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from schemas.tickets import Jira, ServiceNow, Tickets
from streams.notifiers import Answer, Request

INDEX_S = 40.0
USER, TOKEN = "radvigil@hospital.example", "s3cret-token"
SECRETS = {"user": USER, "token": TOKEN}
TRACKERS: dict[str, Tickets] = {
    "jira": Jira(
        name="jira",
        url="https://hospital.atlassian.example/",
        project="AIOPS",
        issue_type="Incident",
        priority={"critical": "Highest", "error": "High"},
        labels=["clinical-ai"],
        fields={"components": [{"name": "Imaging AI"}]},
        acknowledged_status="In Progress",
        token_env="T",
        user_env="U",
    ),
    "servicenow": ServiceNow(
        name="snow",
        url="https://hospital.service-now.example",
        assignment_group="Imaging informatics",
        fields={"category": "software"},
        token_env="T",
        user_env="U",
    ),
}
Json = dict[str, Any]


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    return Answer(status, headers, b"" if body is None else json.dumps(body).encode())


def authorised(request: Request) -> bool:
    word = request.headers.get("Authorization", "")
    return word.startswith("Basic ") and b64decode(word[6:]).decode() == f"{USER}:{TOKEN}"


class JiraCloud:
    """Issues, their comments, transitions and properties; and a search that lags behind."""

    STATUSES = {"1": ("To Do", "new"), "2": ("In Progress", "indeterminate"), "3": ("Done", "done")}

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self._clock_us = clock_us
        self.issues: dict[str, Json] = {}
        self._ids = itertools.count(10_001)

    def handle(self, request: Request) -> Answer:
        if not authorised(request):
            return answer(401)
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.loads(request.body) if request.body else {}
        match request.method, url.path.removeprefix("/rest/api/3/").split("/"):
            case "GET", ["search", "jql"]:
                return self._search(query)
            case "POST", ["issue"]:
                return self._create(body)
            case method, ["issue", id_, *rest]:
                issue = self.issues.get(id_)
                if issue is None:
                    return answer(404, {"errorMessages": ["Issue does not exist"]})
                return self._issue(issue, method, rest, query, body)
        return answer(404)

    def _search(self, query: Json) -> Answer:
        found = re.fullmatch(r'labels = "([^"\s]+)" ORDER BY created ASC', query["jql"])
        if found is None:
            return answer(400, {"errorMessages": ["Error in the JQL Query"]})
        known_us = self._clock_us() - INDEX_S * 1e6
        ids = [
            one["id"]
            for one in self.issues.values()
            if found[1] in one["fields"]["labels"] and one["created_us"] <= known_us
        ]
        return answer(200, {"issues": [{"id": id_} for id_ in ids], "isLast": True})

    def _create(self, body: Json) -> Answer:
        fields = body["fields"]
        good = (
            fields["project"] == {"key": "AIOPS"}
            and fields["issuetype"] == {"name": "Incident"}
            and len(fields["summary"]) <= 255
            and "\n" not in fields["summary"]
            and is_document(fields["description"])
            and all(re.fullmatch(r"\S{1,255}", label) for label in fields["labels"])
        )
        if not good:
            return answer(400, {"errors": {"field": "cannot be set"}})
        id_ = str(next(self._ids))
        self.issues[id_] = {
            "id": id_,
            "key": f"AIOPS-{id_}",
            "fields": fields,
            "status": "1",
            "comments": [],
            "properties": {one["key"]: one["value"] for one in body.get("properties", [])},
            "created_us": self._clock_us(),
            "moves": [],
        }
        return answer(201, {"id": id_, "key": f"AIOPS-{id_}", "self": "https://x"})

    def _issue(self, issue: Json, method: str, rest: list[str], query: Json, body: Json) -> Answer:
        if method == "GET":
            return self._read(issue, rest, query)
        match method, rest:
            case "POST", ["comment"]:
                if not is_document(body["body"]):
                    return answer(400, {"errors": {"comment": "INVALID_INPUT"}})
                issue["comments"].append({"id": "1", "body": body["body"]})
                return answer(201, {"id": "1"})
            case "POST", ["transitions"]:
                return self._move(issue, body["transition"]["id"])
            case "PUT", []:
                issue["fields"] |= body["fields"]
            case "PUT", ["properties", name]:
                issue["properties"][name] = body
        return answer(204)

    def _read(self, issue: Json, rest: list[str], query: Json) -> Answer:
        if rest == ["comment"]:
            return answer(200, {"comments": issue["comments"][::-1], "total": 0})
        name = query.get("properties", "")
        properties = {key: value for key, value in issue["properties"].items() if key == name}
        told = {
            "id": issue["id"],
            "key": issue["key"],
            "fields": {"status": self._status(issue["status"])},
            "transitions": self._transitions(issue),
            "properties": properties,
        }
        return answer(200, told)

    def _move(self, issue: Json, way: str) -> Answer:
        ways = {one["id"]: one for one in self._transitions(issue)}
        if way not in ways:
            return answer(400, {"errorMessages": ["not a valid transition"]})
        issue["status"] = way.removeprefix("4")
        issue["moves"].append(ways[way]["to"]["name"])
        return answer(204)

    def _status(self, id_: str) -> Json:
        name, category = self.STATUSES[id_]
        return {"id": id_, "name": name, "statusCategory": {"id": 2, "key": category}}

    def _transitions(self, issue: Json) -> list[Json]:
        return [
            {"id": f"4{id_}", "name": f"to {name}", "to": self._status(id_)}
            for id_, (name, _) in self.STATUSES.items()
            if id_ != issue["status"]
        ]

    def tickets(self) -> list[Json]:
        """All there is, in the words of the tests."""
        return [
            {
                "summary": one["fields"]["summary"],
                "text": json.dumps(one["fields"]["description"]),
                "severity": one["fields"].get("priority", {}).get("name"),
                "state": self.STATUSES[one["status"]][0],
                "said": [json.dumps(comment["body"]) for comment in one["comments"]],
                "moves": one["moves"],
                "is_done": one["status"] == "3",
            }
            for one in self.issues.values()
        ]

    def close_by_hand(self) -> None:
        for one in self.issues.values():
            one["status"] = "3"

    def delete(self) -> None:
        self.issues.clear()


def is_document(document: Any) -> bool:
    """ADF as Jira takes it: no empty text, no newline, links with an address."""
    if not isinstance(document, dict) or (document.get("type"), document.get("version")) != (
        "doc",
        1,
    ):
        return False
    nodes = [node for paragraph in document["content"] for node in paragraph["content"]]
    return bool(nodes) and all(
        node["type"] == "text"
        and node["text"].strip()
        and "\n" not in node["text"]
        and all(mark["attrs"]["href"].startswith("http") for mark in node.get("marks", []))
        for node in nodes
    )


class ServiceNowTable:
    """The incident table: what is closed takes no state any more."""

    KNOWN = {
        "short_description",
        "description",
        "correlation_id",
        "correlation_display",
        "assignment_group",
        "impact",
        "urgency",
        "state",
        "work_notes",
        "close_code",
        "close_notes",
        "category",
    }

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self.records: dict[str, Json] = {}
        self._ids = itertools.count(1)

    def handle(self, request: Request) -> Answer:
        if not authorised(request):
            return answer(401, {"error": {"message": "User Not Authenticated"}})
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.loads(request.body) if request.body else {}
        match request.method, url.path.removeprefix("/api/now/table/incident").split("/")[1:]:
            case "GET", []:
                return self._search(query)
            case "POST", []:
                return self._create(body)
            case method, [id_]:
                record = self.records.get(id_)
                if record is None:
                    return answer(404, {"error": {"message": "No Record found"}})
                return self._record(record, method, body)
        return answer(405)

    def _search(self, query: Json) -> Answer:
        pattern = r"correlation_id=([^\^]{1,100})\^ORDERBYsys_created_on"
        found = re.fullmatch(pattern, query["sysparm_query"])
        assert found is not None
        ids = [id_ for id_, one in self.records.items() if one["correlation_id"] == found[1]]
        return answer(200, {"result": [{"sys_id": id_} for id_ in ids]})

    def _create(self, body: Json) -> Answer:
        if not self._fits(body):
            return answer(403, {"error": {"message": "Operation Failed"}})
        id_ = f"{next(self._ids):032x}"
        self.records[id_] = {"state": "1", "said": [], "moves": [], "sys_id": id_} | body
        return answer(201, {"result": {"sys_id": id_, "number": f"INC{id_[-7:]}"}})

    def _record(self, record: Json, method: str, body: Json) -> Answer:
        if method == "PATCH":
            moved = body.get("state", record["state"]) != record["state"]
            unexplained = body.get("state") == "6" and not body.get("close_notes")
            if not self._fits(body) or (moved and record["state"] == "7") or unexplained:
                return answer(403, {"error": {"message": "Data Policy Exception"}})
            record["said"].append(body.pop("work_notes"))
            if moved:
                record["moves"].append(body["state"])
            record.update(body)
        told = {name: record.get(name, "") for name in ("sys_id", "state", "correlation_display")}
        return answer(200, {"result": told | {"number": "INC1"}})

    def _fits(self, body: Json) -> bool:
        return (
            set(body) <= self.KNOWN
            and len(body.get("short_description", "")) <= 160
            and len(body.get("correlation_id", "")) <= 100
            and len(body.get("correlation_display", "")) <= 100
            and all(isinstance(value, str) for value in body.values())
        )

    def tickets(self) -> list[Json]:
        """All there is, in the words of the tests."""
        return [
            {
                "summary": one["short_description"],
                "text": one["description"],
                "severity": one["impact"],
                "state": one["state"],
                "said": one["said"],
                "moves": one["moves"],
                "is_done": one["state"] in ("6", "7"),
            }
            for one in self.records.values()
        ]

    def close_by_hand(self) -> None:
        for one in self.records.values():
            one["state"] = "6"

    def delete(self) -> None:
        self.records.clear()


SERVERS: dict[str, Callable[[Callable[[], int]], Any]] = {
    "jira": JiraCloud,
    "servicenow": ServiceNowTable,
}
