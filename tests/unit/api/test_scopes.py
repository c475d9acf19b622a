"""What the document says of tokens and scopes is what operations take."""

from collections.abc import Mapping, Sequence

import httpx
import pytest
from fastapi import APIRouter
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.framework.http.access import scopes_of
from app.framework.http.application import Access, create_api
from app.framework.http.resources import HttpSide, Resource
from app.framework.misconfigured import Misconfigured
from app.main import ABOUT, NO_AUTHENTICATION
from tests.contexts.identity import authorization
from tests.unit.api.samples import Sample, samples
from tests.unit.api.service import MemoryService, application

OWNER, OTHER = "user123", "bob"

DOCUMENT = application(MemoryService(), administered=True).openapi()
SAMPLES = samples(DOCUMENT)
TAKEN = {name: each for name, each in SAMPLES.items() if each.operation["security"]}
PUBLIC = {"check_liveness", "check_readiness", "list_problem_types", "get_problem_type"}


async def ask(
    client: httpx.AsyncClient, sample: Sample, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """The answer to a sample with these headers."""
    return await client.request(**sample.sent, headers=headers)


def code_of(answer: httpx.Response) -> str | None:
    """The code of a problem; None of anything else."""
    is_problem = answer.headers.get("Content-Type") == "application/problem+json"
    return answer.json()["code"] if is_problem else None


def test_only_what_probes_people_and_generators_read_is_public():
    """Each of the rest names the scopes that it takes, in its security and in words."""
    assert SAMPLES.keys() - TAKEN.keys() == PUBLIC
    for name, sample in TAKEN.items():
        scopes = scopes_of(sample.operation)
        assert sample.operation["security"] == [{"bearer": [each]} for each in scopes], name
        assert all(f"`{each}`" in sample.operation["description"] for each in scopes), name
        assert sample.operation["responses"].keys() >= {"401", "403", "503"}, name
        assert "WWW-Authenticate" in sample.operation["responses"]["401"]["headers"], name
    for name in PUBLIC:
        assert SAMPLES[name].operation["description"].endswith("It takes no token."), name
        assert not {"401", "403"} & SAMPLES[name].operation["responses"].keys(), name


@pytest.mark.parametrize("name", PUBLIC)
async def test_what_is_public_takes_no_token(guarded, name):
    """It answers without one."""
    assert (await ask(guarded, SAMPLES[name])).status_code == 200


@pytest.mark.parametrize("name", TAKEN)
async def test_what_takes_a_token_is_refused_without_one_that_is_right(guarded, name):
    """With the answers that the document has."""
    without = await ask(guarded, TAKEN[name])
    forged = await ask(guarded, TAKEN[name], {"Authorization": "Bearer e30.e30.c2lnbmVk"})

    assert (without.status_code, code_of(without)) == (401, "unauthenticated")
    assert (forged.status_code, code_of(forged)) == (401, "invalid-token")
    for each in (without, forged):
        assert each.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", TAKEN)
async def test_an_operation_takes_the_scopes_that_the_document_names(guarded, name):
    """Each is enough, of its owner the first and of others the last, and no other is."""
    sample = TAKEN[name]
    scopes = scopes_of(sample.operation)
    others = {each for it in TAKEN.values() for each in scopes_of(it.operation)} - {*scopes}

    async def code(subject: str, held: Sequence[str]) -> str | None:
        return code_of(await ask(guarded, sample, authorization(subject, *held)))

    refused = await ask(guarded, sample, authorization(OWNER, *others))
    assert (refused.status_code, code_of(refused)) == (403, "forbidden")
    assert refused.json()["detail"] == f"This takes the scope {' or '.join(scopes)}."
    if len(scopes) == 1 or OWNER in f"{sample.path} {sample.body}":
        # Else it is about the profile of the principal.
        assert await code(OTHER, [*sorted(others), *scopes[:-1]]) == "forbidden"
    for each in scopes:
        assert await code(OWNER, [each]) != "forbidden"
    assert await code(OTHER, scopes[-1:]) != "forbidden"


def test_issuers_are_schemes_of_their_own():
    """Of OpenID Connect: a client finds there how to come to a token, for the same scopes."""
    url = "https://login.example.com/.well-known/openid-configuration"
    access = Access(authenticator=None, policies=NO_AUTHENTICATION.policies, discovery_urls=[url])
    document = application(MemoryService(), access=access).openapi()

    OpenAPIV31SpecValidator(document).validate()
    scheme = document["components"]["securitySchemes"]["issuer1"]
    assert (scheme["type"], scheme["openIdConnectUrl"]) == ("openIdConnect", url)
    assert document["paths"]["/users/{user_id}"]["get"]["security"] == [
        {"bearer": ["users:read"]},
        {"bearer": ["users:read:any"]},
        {"issuer1": ["users:read"]},
        {"issuer1": ["users:read:any"]},
    ]
    assert document["paths"]["/health/live"]["get"]["security"] == []


def test_an_operation_that_does_not_say_who_may_use_it_is_refused_at_start():
    """Its name is in the message."""

    class Careless(Resource):
        def add_to(self, router: APIRouter, *_: object) -> None:
            router.add_api_route("/lamps", lambda: None, methods=["GET"], name="list_lamps")

    careless = HttpSide(resources=[Careless("/lamps", tag="lamps")], problems={})
    with pytest.raises(Misconfigured, match="operation list_lamps does not say who may use it"):
        create_api(MemoryService(), [careless], ABOUT, access=NO_AUTHENTICATION)
