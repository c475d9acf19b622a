"""A request for each operation of the OpenAPI document, made of its examples.

So a test over all of them has a new operation in it by itself.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """A request that is in order, and the operation that it is for."""

    method: str
    path: str
    body: Any
    operation: dict[str, Any]

    @property
    def sent(self) -> dict[str, Any]:
        """What httpx takes of it."""
        return {"method": self.method, "url": self.path, "json": self.body}


def samples(document: dict[str, Any]) -> dict[str, Sample]:
    """A request for each operation, by its id."""
    return {
        operation["operationId"]: Sample(
            method, _filled(path, operation), _body(operation, document), operation
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def _filled(path: str, operation: dict[str, Any]) -> str:
    given = [each for each in operation.get("parameters", ()) if each["in"] == "path"]
    return path.format_map({each["name"]: each["example"] for each in given})


def _body(operation: dict[str, Any], document: dict[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["examples"][0]
