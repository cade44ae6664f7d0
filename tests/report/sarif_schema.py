"""What this tool may write of SARIF 2.1.0, as a JSON schema: the objects that it uses, with what the standard asks of them, closed
against any other property. Written from the standard's text (sections 3.13 to 3.58)."""

from __future__ import annotations

from typing import Any


def _object(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    assert set(required.split()) | set(optional.split()) == set(properties)
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(of: dict[str, Any], least: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": least, **more}


TEXT = {"type": "string", "minLength": 1}
MESSAGE = _object("text", text=TEXT)
COUNTED = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
REGION = _object("startLine startColumn endColumn", startLine=COUNTED, startColumn=COUNTED, endColumn=COUNTED)
ARTIFACT = _object("uri", uri={"type": "string", "format": "uri-reference", "pattern": r"^[^\\ ]+$"})
PHYSICAL = _object("artifactLocation region", artifactLocation=ARTIFACT, region=REGION)
LOCATION = _object(
    "",
    "physicalLocation logicalLocations message",
    physicalLocation=PHYSICAL,
    logicalLocations=_list(_object("fullyQualifiedName", fullyQualifiedName=TEXT), 1),
    message=MESSAGE,
)
STEP = _object(
    "location executionOrder state",
    "importance",
    location=LOCATION,
    executionOrder={"type": "integer", "minimum": 0},
    state={"type": "object", "additionalProperties": MESSAGE},
    importance={"enum": ["important", "essential", "unimportant"]},
)
CODE_FLOW = _object("threadFlows", threadFlows=_list(_object("locations", locations=_list(STEP, 1)), 1))
RESULT = _object(
    "ruleId ruleIndex kind level message locations properties",
    "codeFlows",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL,
    message=MESSAGE,
    locations=_list(LOCATION, 1),
    properties={"type": "object"},
    codeFlows=_list(CODE_FLOW, 1),
) | {  # 3.27.10: what is no failure has the level "none".
    "if": {"properties": {"kind": {"const": "fail"}}},
    "else": {"properties": {"level": {"const": "none"}}},
}
RULE = _object(
    "id shortDescription fullDescription defaultConfiguration",
    id=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    defaultConfiguration=_object("level", level=LEVEL),
)
DRIVER = _object("name version rules", name=TEXT, version=TEXT, rules=_list(RULE, uniqueItems=True))
NOTIFICATION = _object("level message", "locations", level=LEVEL, message=MESSAGE, locations=_list(LOCATION))
INVOCATION = _object(
    "executionSuccessful toolExecutionNotifications",
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=_list(NOTIFICATION),
)
RUN = _object(
    "tool columnKind invocations results",
    tool=_object("driver", driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    invocations=_list(INVOCATION),
    results=_list(RESULT),
)
LOG = _object(
    "$schema version runs", **{"$schema": {"type": "string"}, "version": {"const": "2.1.0"}, "runs": _list(RUN, 1)}
)
