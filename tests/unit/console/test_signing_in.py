"""Signing in and out, and which requests are a signed-in browser's."""

import httpx
import pytest

from app.framework.http.application import Access
from app.framework.http.sessions import COOKIE
from app.main import NO_AUTHENTICATION
from tests.unit.api.service import MemoryService, application
from tests.unit.console.conftest import (
    ALL,
    KNOWN,
    ORIGIN,
    client_of,
    form_of,
    submit,
    token_of,
)


def cookies_set(answer: httpx.Response) -> dict[str, str]:
    """The attributes of each cookie that an answer sets, by its name."""
    lines = [each.split("; ", 1) for each in answer.headers.get_list("set-cookie")]
    return {pair.partition("=")[0]: attributes for pair, attributes in lines}


async def sign_in(browser, **fields) -> httpx.Response:
    """Send the form of the page to sign in."""
    return await submit(browser, "/console/sign-in", "/console/sign-in", **fields)


async def test_a_token_that_is_pasted_opens_the_page_that_was_asked_for(browser):
    """Script cannot read the cookie, and no other site's page and no other path sends it."""
    asked = await browser.get("/console/projections?x=1")
    assert asked.status_code == 303
    address = asked.headers["location"]
    assert address == "/console/sign-in?to=%2Fconsole%2Fprojections%3Fx%3D1"
    page = await browser.get(address)
    assert 'name="to" value="/console/projections?x=1"' in page.text

    answer = await sign_in(browser, token=f" {token_of(*ALL)}\n", to="/console/projections?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/projections?x=1")
    attributes = cookies_set(answer)[COOKIE]
    assert attributes == "HttpOnly; Path=/console; SameSite=strict"
    assert (await browser.get("/console/projections?x=1")).status_code == 200


async def test_elsewhere_than_on_this_machine_the_cookie_takes_https(api):
    """A token is never sent in the clear."""
    async with client_of(api) as browser:
        browser.base_url = "http://users.example.com"
        data = await form_of(browser, "/console/sign-in")
        headers = {"Sec-Fetch-Site": "same-origin"}
        browser.cookies.jar.clear_expired_cookies()
        for cookie in browser.cookies.jar:
            cookie.secure = False  # the test has no TLS
        answer = await browser.post(
            "/console/sign-in", data={**data, "token": "a-token"}, headers=headers
        )
    assert cookies_set(answer)[COOKIE].endswith("; SameSite=strict; Secure")


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example/",
        "https://evil.example",
        "/users",
        "/console/../users",
        "/consoleX",
        "",
        "/console/sign-in",
    ],
)
async def test_signing_in_leads_to_no_other_site(browser, to):
    """Nor to other paths of this one."""
    answer = await sign_in(browser, token=token_of(*ALL), to=to)
    assert answer.headers["location"] == "/console"


async def test_a_token_that_is_not_accepted_says_why(browser):
    """At the next page, as tokens are verified there; the cookie is dropped."""
    assert (await sign_in(browser, token="forged")).status_code == 303
    refused = await browser.get("/console")
    page = await browser.get(refused.headers["location"])
    assert "The token is not accepted. It is not a JWT." in page.text
    assert "Max-Age=0" in cookies_set(page)[COOKIE]
    assert "forged" not in page.text


@pytest.mark.parametrize(
    ("token", "words"),
    [("", "Paste a token"), ("tökén", "Paste a token"), ("a" * 3801, "longer than 3,800")],
)
async def test_what_cannot_be_a_cookie_is_refused(browser, token, words):
    """Browsers drop what is too long without a word."""
    answer = await sign_in(browser, token=token)
    assert answer.status_code == 422
    assert words in answer.text


async def test_a_reader_needs_the_scope_of_the_console(signed_in):
    """The page names it."""
    answer = await signed_in("projections:read", "log:read").get("/console")
    assert answer.status_code == 403
    assert "This takes the scope console:read." in answer.text


async def test_signing_out_drops_the_token(signed_in):
    """The page says so, and does not sign in again by itself."""
    browser = signed_in()
    answer = await submit(browser, "/console", "/console/sign-out")
    assert answer.headers["location"] == "/console/sign-in?left=1"
    assert "Max-Age=0" in cookies_set(answer)[COOKIE]
    assert (await browser.get("/console")).status_code == 303
    assert "You are signed out." in (await browser.get("/console/sign-in?left=1")).text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Origin": "null"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_forms_of_other_pages_do_nothing(signed_in, headers):
    """Even with the right token of the form, which they cannot know."""
    browser = signed_in()
    data = await form_of(browser, "/console")
    answer = await browser.post("/console/sign-out", data=data, headers=headers)
    assert answer.status_code == 403
    assert COOKIE not in cookies_set(answer)


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
async def test_a_form_without_its_token_does_nothing(signed_in, token):
    """The page says what to do."""
    browser = signed_in()
    await browser.get("/console")
    data = {"form_token": token}
    answer = await browser.post("/console/sign-out", data=data, headers={"Origin": ORIGIN})
    assert answer.status_code == 403
    assert "Load the page again" in answer.text


async def test_the_token_of_a_form_is_of_one_session(signed_in):
    """One of another reader, or from before signing in, is refused."""
    one, other = signed_in(), signed_in()
    data = await form_of(one, "/console")
    await other.get("/console")
    answer = await other.post("/console/sign-out", data=data, headers={"Origin": ORIGIN})
    assert answer.status_code == 403


async def test_only_the_console_takes_the_cookie_and_it_takes_nothing_else(browser):
    """So no page of another site is served by it, and no form reaches the API."""
    token = token_of(*ALL)
    header = {"Authorization": f"Bearer {token}"}
    assert (await browser.get("/console", headers=header)).status_code == 303
    cookie = {"Cookie": f"{COOKIE}={token}"}
    assert (await browser.get("/console", headers=cookie)).status_code == 200
    assert (await browser.get("/admin/projections", headers=cookie)).status_code == 401
    assert (await browser.get("/consoles", headers=cookie)).status_code == 401
    twice = {"Cookie": f"{COOKIE}={token}; {COOKIE}={token}"}
    assert (await browser.get("/console", headers=twice)).status_code == 303


async def test_a_link_on_another_site_leads_in(browser):
    """The browser keeps the cookie back there: a page of ours asks once more."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    again = await browser.get("/console", headers=headers)
    assert again.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in again.text
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert (await browser.get("/console", headers=headers)).status_code == 303


async def test_in_development_the_form_sends_itself():
    """To a page of this machine only, as Swagger UI gets its token."""
    access = Access(
        authenticator=KNOWN,
        policies=NO_AUTHENTICATION.policies,
        docs_token=lambda _: token_of(*ALL, subject="administrator"),
    )
    api = application(MemoryService(), access=access, administered=True)
    async with client_of(api) as browser:
        page = await browser.get("/console/sign-in")
        assert "data-automatic" in page.text
        assert "data-automatic" not in (await browser.get("/console/sign-in?left=1")).text
        data = await form_of(browser, "/console/sign-in")
        proxied = {"Origin": ORIGIN, "X-Forwarded-For": "10.0.0.7"}
        refused = await browser.post(
            "/console/sign-in", data={**data, "develop": "1"}, headers=proxied
        )
        assert refused.status_code == 403
        assert (await sign_in(browser, develop="1")).status_code == 303
        assert "administrator" in (await browser.get("/console")).text


async def test_without_authentication_nothing_is_asked():
    """Every client may do everything."""
    api = application(MemoryService(), access=NO_AUTHENTICATION, administered=True)
    async with client_of(api) as browser:
        page = await browser.get("/console")
        assert page.status_code == 200
        assert "no authentication" in page.text


async def test_where_the_api_has_no_administration_there_is_no_console():
    """As with AUTH=none-anywhere."""
    api = application(MemoryService(), access=NO_AUTHENTICATION)
    async with client_of(api) as browser:
        assert (await browser.get("/console")).status_code == 404
