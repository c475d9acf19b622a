"""Only tokens of issuers that the service trusts let requests in."""

import httpx

from tests.acceptance.forgeries import forgeries
from tests.acceptance.issuers import LoopbackIssuer
from tests.acceptance.services import UNMEASURED
from tests.unit.identity.issuing import AUDIENCE

FETCHES = 4
"""Of keys: the first, and one for all keys that are not there; each is two requests."""


def problem_with(answer: httpx.Response) -> str:
    """What is wrong with the answer to a request that has no token; empty if nothing is."""
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        return f"{answer.status_code} {answer.text[:100]}"
    challenges = {
        "unauthenticated": "Bearer",
        "invalid-token": 'Bearer error="invalid_token"',
    }
    found = answer.headers.get("WWW-Authenticate")
    return "" if challenges.get(answer.json()["code"]) == found else f"{found} {answer.text}"


def test_a_forged_token_is_refused(serve):
    """However it is forged; it is no error of the service, and no reason to fetch keys."""
    with LoopbackIssuer().serving() as issuer:
        trust = {"AUTH_ISSUERS": issuer.url, "AUTH_AUDIENCES": AUDIENCE}
        service = serve(AUTH="", LOG_LEVEL="error", AUDIT_LOG="/dev/null", **trust, **UNMEASURED)
        right = issuer.token({"scope": "users:read:any"})
        with service.client as client:
            found = {}
            for what, headers in forgeries(issuer).items():
                lines = [(b"Authorization", each) for each in headers]
                found[what] = problem_with(client.get("/users/alice", headers=lines))
            for each in ("access_token", "token", "authorization"):
                found[f"query {each}"] = problem_with(client.get(f"/users/alice?{each}={right}"))
                found[f"body {each}"] = problem_with(client.post("/users", data={each: right}))
                cookie = {"Cookie": f"{each}={right}"}
                found[f"cookie {each}"] = problem_with(client.get("/users/alice", headers=cookie))
            assert {what: each for what, each in found.items() if each} == {}
            for scheme in ("Bearer", "bearer", "BEARER"):
                accepted = {"Authorization": f"{scheme} {right}"}
                assert client.get("/users/alice", headers=accepted).status_code == 404
        assert service.stop() == 0
        assert service.log.read_text() == ""
    assert len(issuer.asked) <= FETCHES, issuer.asked
