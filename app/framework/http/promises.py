"""The documentation of an operation, derived from its declaration."""

from collections.abc import Sequence
from typing import Any

from app.framework.http.event_streams import MEDIA_TYPE
from app.framework.http.operations import Names, Operation
from app.framework.http.problems import (
    CONFLICT,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_CURSOR,
    ORIGIN_NOT_ALLOWED,
    VERSION_MISMATCH,
)
from app.framework.http.problems.kinds import ErrorMappings, ProblemType
from app.framework.http.problems.streams import TOO_MANY_STREAMS
from app.framework.http.responses import (
    BODY,
    MESSAGE,
    QUERY,
    Links,
    Responses,
    answers,
    links_to,
    not_modified,
    reference,
)

_WRITTEN = ("ETag", "Consistency-Token", "Idempotency-Replayed")
_COMMAND = (*MESSAGE, CONFLICT, IDEMPOTENCY_KEY_REUSED, ORIGIN_NOT_ALLOWED)


def responses_of(
    operation: Operation, names: Names, others: Sequence[Operation], mappings: ErrorMappings
) -> Responses:
    """The documented answers of `operation`; `others` are the operations of its resource."""
    own = [mappings[each].problem for each in operation.raises]
    if operation.is_stream:
        return answers(
            operation.status,
            operation.answered,
            content=_stream_content(operation),
            problems=(*QUERY, TOO_MANY_STREAMS, *own),
        )
    if operation.is_command:
        return answers(
            operation.status,
            operation.answered,
            headers=(*(["Location"] if operation.is_new else []), *_WRITTEN),
            links={**_links_to_reads(names, others), **_links_to_changes(names, others)},
            problems=(
                *_COMMAND,
                *_if(operation.expects_version, VERSION_MISMATCH),
                *(BODY if operation.body else ()),
                *own,
            ),
        )
    documented = answers(
        operation.status,
        operation.answered,
        headers=("ETag",) if operation.has_version else (),
        links=_links_to_changes(names, others) if operation.has_version else None,
        problems=(*QUERY, *_if(operation.has_cursor, INVALID_CURSOR), *own),
    )
    return {**documented, **not_modified()} if operation.has_version else documented


def _if(condition: bool, problem: ProblemType) -> tuple[ProblemType, ...]:  # noqa: FBT001
    return (problem,) if condition else ()


def _links_to_reads(names: Names, others: Sequence[Operation]) -> Links:
    token = {"Consistency-Token": "$response.header.Consistency-Token"}
    reads = [each for each in others if not each.is_command and not each.is_stream]
    # A link that lacks a parameter leads nowhere.
    of_one = [each.name for each in reads if each.required == {names.id_parameter}]
    of_several = [each.name for each in reads if not each.required and not each.principal]
    return {
        **links_to(
            *of_one,
            description="Read what was written here.",
            parameters={**_id(names), **token},
        ),
        **links_to(
            *of_several,
            description=f"List the {names.plural}, as they are after this write.",
            parameters=token,
        ),
    }


def _links_to_changes(names: Names, others: Sequence[Operation]) -> Links:
    changes = [
        each.name
        for each in others
        if each.expects_version and each.required == {names.id_parameter}
    ]
    return links_to(
        *changes,
        description=f"Change the {names.singular}, unless somebody else has done so since.",
        parameters={**_id(names), "If-Match": "$response.header.ETag"},
    )


def _id(names: Names) -> dict[str, str]:
    return {names.id_parameter: "$response.body#/id"}


def _stream_content(operation: Operation) -> dict[str, Any]:
    item = operation.answer
    example: Any = item.model_json_schema()["examples"][0]
    data = item.model_validate(example).model_dump_json()
    number = example["position"]
    return {
        MEDIA_TYPE: {
            # For OpenAPI 3.1 the body is one text; the content schema is that of each `data`.
            "schema": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": reference(item),
            },
            "example": f"retry: 1000\nid: {number - 1}\n\nid: {number}\ndata: {data}\n\n",
        }
    }
