"""What is derived from the declaration of an operation."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Path, Query

from tests.unit.api.lamps import Household, Lamp, LampId, Light, Look, Replace, Switch, lamps


async def fingerprints_of(household: Household, urls: Sequence[str]) -> list[str]:
    """Those of requests under one key."""
    for url in urls:
        assert (await household.ask("POST", url, Idempotency_Key="k")).status_code == 200
    keys = [each.idempotency_key for each in household.contexts]
    return [each.fingerprint for each in keys if each]


async def test_what_is_asked_for_beside_the_body_tells_requests_apart():
    """Under one key another query would be taken for a repeat; what is not declared is nothing."""
    resource = lamps()

    @resource.command("POST", "/{lamp_id}", summary="Switch", answer=Lamp, answered="It.")
    def switch(lamp_id: LampId, seconds: Annotated[int, Query()] = 0) -> Switch:
        """Switch a lamp."""
        return Switch(lamp_id, seconds)

    urls = ["/lamps/a", "/lamps/a?seconds=0", "/lamps/a?other=1", "/lamps/a?seconds=5", "/lamps/b"]
    plain, same, unknown, longer, other = await fingerprints_of(Household(resource), urls)
    assert plain == same == unknown
    assert len({plain, longer, other}) == 3


async def test_a_command_without_a_version_ignores_if_match():
    """It is not documented either: nothing is promised about versions."""
    resource = lamps()

    @resource.command("POST", "/{lamp_id}", summary="Switch", answer=Lamp, answered="It.")
    def switch(lamp_id: LampId) -> Switch:
        """Switch a lamp."""
        return Switch(lamp_id)

    household = Household(resource)
    assert (await household.ask("POST", "/lamps/a", If_Match='"7"')).status_code == 200
    [operation] = household.api.openapi()["paths"]["/lamps/{lamp_id}"].values()
    assert "If-Match" not in {each["name"] for each in operation["parameters"]}
    assert "412" not in operation["responses"]


async def test_what_is_new_says_where_it_is():
    """Under the path of its resource, by the id in the answer."""
    resource = lamps()

    @resource.command(
        "POST", "/{lamp_id}", status=201, summary="Hang up", answer=Lamp, answered="It."
    )
    def hang_up(lamp_id: LampId) -> Switch:
        """Hang up a lamp."""
        return Switch(lamp_id)

    answer = await Household(resource).ask("POST", "/lamps/a")
    assert (answer.status_code, answer.headers["Location"]) == (201, "/lamps/a")


def test_links_lead_only_to_what_they_have_the_parameters_of():
    """An operation that takes more than the id cannot be called by a link."""
    resource = lamps(singular="lamp", plural="lamps", id_parameter="lamp_id")
    query: dict[str, Any] = {"summary": "Look", "answer": Light, "answered": "It."}
    command: dict[str, Any] = {"summary": "Change", "answer": Lamp, "answered": "It."}

    @resource.query(**query)
    def list_lamps(room: Annotated[str, Query()] = "") -> Look:
        """All of them."""
        return Look(room)

    @resource.query("/found", **query)
    def find_lamps(room: Annotated[str, Query()]) -> Look:
        """Those of a room."""
        return Look(room)

    @resource.query("/{lamp_id}", **query)
    def get_lamp(lamp_id: LampId) -> Look:
        """One."""
        return Look(lamp_id)

    @resource.query("/{lamp_id}/bulbs/{number}", **query)
    def get_bulb(lamp_id: LampId, number: Annotated[int, Path()]) -> Look:
        """A part of one."""
        return Look(lamp_id, number)

    @resource.command("POST", "/{lamp_id}", **command)
    def replace_lamp(lamp_id: LampId) -> Replace:
        """Change one."""
        return Replace(lamp_id)

    @resource.command("POST", "/{lamp_id}/bulbs/{number}", **command)
    def replace_bulb(lamp_id: LampId, number: Annotated[int, Path()]) -> Replace:
        """Change a part of one."""
        return Replace(lamp_id, number)

    operations = Household(resource).api.openapi()["paths"]
    links = operations["/lamps/{lamp_id}"]["post"]["responses"]["200"]["links"]
    assert set(links) == {"list_lamps", "get_lamp", "replace_lamp"}


def test_descriptions_are_sentences_without_names():
    """A resource need not say what one of it is called."""
    resource = lamps()

    @resource.command("POST", "/{lamp_id}", summary="Change", answer=Lamp, answered="It.")
    def replace_lamp(lamp_id: LampId) -> Replace:
        """Change one."""
        return Replace(lamp_id)

    operation = Household(resource).api.openapi()["paths"]["/lamps/{lamp_id}"]["post"]
    [if_match] = [each for each in operation["parameters"] if each["name"] == "If-Match"]
    assert "if the resource is at another" in if_match["description"]
