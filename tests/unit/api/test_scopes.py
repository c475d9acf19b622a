"""What the document says of tokens and scopes; that operations take them is in test_access."""

import pytest
from fastapi import APIRouter
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.framework.http.access import scopes_of
from app.framework.http.application import Access, create_api
from app.framework.http.resources import HttpSide, Resource
from app.framework.misconfigured import Misconfigured
from app.host.settings import Settings
from app.main import ABOUT, NO_AUTHENTICATION, create_app
from tests.unit.api.service import MemoryService, application

PUBLIC = {"check_liveness", "check_readiness", "get_problem_type", "list_problem_types"}


def test_only_what_probes_people_and_generators_read_is_public(operations):
    """Each of the rest names the scopes that it takes, in its security and in words."""
    for name, (_, _, operation) in operations.items():
        scopes, responses = scopes_of(operation), operation["responses"]
        assert (name in PUBLIC) is (not scopes), name
        if name in PUBLIC:
            assert operation["description"].endswith("It takes no token."), name
            assert not {"401", "403"} & responses.keys(), name
        else:
            assert operation["security"] == [{"bearer": [each]} for each in scopes], name
            assert all(f"`{each}`" in operation["description"] for each in scopes), name
            assert responses.keys() >= {"401", "403", "503"}, name
            assert "WWW-Authenticate" in responses["401"]["headers"], name


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


def test_the_issuers_in_the_settings_are_in_the_document_that_is_served():
    """With the addresses of their discovery documents, whether they end with a slash or not."""
    settings = Settings.load(
        database_url="postgresql://nowhere.invalid/",
        mongodb_url="mongodb://nowhere.invalid/",
        auth_issuers="https://b.example.com/,https://a.example.com/realms/all",
        auth_audiences="users",
    )
    schemes = create_app(settings).openapi()["components"]["securitySchemes"]

    assert [each.get("openIdConnectUrl") for each in schemes.values()] == [
        None,
        "https://a.example.com/realms/all/.well-known/openid-configuration",
        "https://b.example.com/.well-known/openid-configuration",
    ]
