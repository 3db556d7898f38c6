"""Credentials, tokens, the login cookie and impersonation, and the answers to malformed requests."""

import aiohttp
import jwt
import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client, Clock, build_basic_authorization


async def test_token_is_valid_until_it_expires(
    client: Client, clock: Clock, session: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    token = (await client.call_for_data("auth.login", expiration_sec=60))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["identity"]["user_name"], claims["identity"]["role"]) == ("Alice Adams", "user")
    assert (claims["api_version"], claims["server_version"]) == ("2.34", "2.3.0")

    user = await client.acting_as(sandbox.alice, **headers).call_for_data("users.get_current_user")
    assert user["user"]["id"] == sandbox.alice.id

    clock.advance(seconds=61)
    expired = await client.acting_as(sandbox.alice, **headers).call("users.get_current_user")
    assert (expired.status, expired.subcode) == (401, 30)
    assert expired.message.endswith("reason=Signature has expired")


async def test_token_of_another_server_is_rejected(client: Client) -> None:
    async with Sandbox() as other:
        foreign = Client(other, client.session, other.alice)
        token = (await foreign.call_for_data("auth.login"))["token"]
    answer = await client.acting_as(client.user, Authorization=f"Bearer {token}").call("tasks.get_all")
    assert (answer.subcode, answer.message) == (
        30,
        "Invalid token (invalid jwt token): reason=Signature verification failed",
    )


async def test_login_cookie_authenticates(sandbox: Sandbox) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        headers = {"Authorization": build_basic_authorization(sandbox.bob.access_key, sandbox.bob.secret_key)}
        async with browser.get(f"{sandbox.url}/auth.login", headers=headers) as answer:
            assert "clearml_token_basic" in answer.cookies
        async with browser.get(f"{sandbox.url}/users.get_current_user") as answer:
            assert (await answer.json())["data"]["user"]["name"] == "Bob Brown"


async def test_tokens_outlive_revoked_credentials(client: Client, sandbox: Sandbox) -> None:
    keys = (await client.call_for_data("auth.create_credentials", label="temporary"))["credentials"]
    authorization = build_basic_authorization(keys["access_key"], keys["secret_key"])
    other = client.acting_as(sandbox.alice, Authorization=authorization)
    token = (await other.call_for_data("auth.login"))["token"]
    assert await client.call_for_data("auth.revoke_credentials", access_key=keys["access_key"]) == {"revoked": 1}

    refused = await other.call("auth.login")
    assert (refused.status, refused.subcode) == (401, 22)
    await client.acting_as(sandbox.alice, Authorization=f"Bearer {token}").call_for_data("tasks.get_all")


async def test_only_admins_can_impersonate(client: Client, sandbox: Sandbox) -> None:
    header = {"X-ClearML-Impersonate-As": sandbox.bob.id}
    refused = await client.acting_as(sandbox.alice, **header).call("tasks.get_all")
    assert (refused.status, refused.subcode) == (400, 6)

    created = await client.acting_as(sandbox.carol, **header).call_for_data(
        "tasks.create", name="draft", type="training"
    )
    assert sandbox.state.tasks[created["id"]]["user"] == sandbox.bob.id
    assert sandbox.requests.find_by_endpoint("tasks.create")[0].user == "Bob Brown"


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/", b"{}", 400, "Invalid request path /"),
        ("/tasks.get_by_id", b"{not json", 400, "The browser (or proxy) sent a request that this server could"),
        ("/tasks.get_by_id", b"[1]", 500, "Data should be a dict"),
        ("/v2.3/queues.get_all", b"", 404, "Unable to find endpoint for name queues.get_all and version 2.3"),
        ("/v9.99/queues.get_all", b"", 200, "OK"),
        ("/tasks.get_all", b"null", 200, "OK"),
    ],
)
async def test_unusual_requests_are_answered_in_the_envelope(
    client: Client, path: str, body: bytes, status: int, message: str
) -> None:
    headers = {"Authorization": build_basic_authorization(client.user.access_key, client.user.secret_key)}
    url = client.sandbox.url + path
    async with client.session.post(url, data=body, headers=headers) as response:
        envelope = await response.json()

    assert (response.status, envelope["meta"]["result_code"]) == (status, status)
    assert envelope["meta"]["result_msg"].startswith(message)


async def test_query_string_works_like_a_body(client: Client, sandbox: Sandbox) -> None:
    task = sandbox.state.add_task("draft", user=sandbox.alice.id)
    headers = {"Authorization": build_basic_authorization(client.user.access_key, client.user.secret_key)}
    url = f"{sandbox.url}/tasks.get_all?page=0&page_size=1&only_fields[]=id"
    async with client.session.get(url, headers=headers) as response:
        assert (await response.json())["data"] == {"tasks": [{"id": task["id"]}]}


async def test_compressed_bodies_are_rejected_in_plain_text(client: Client) -> None:
    headers = {"Content-Encoding": "gzip"}
    async with client.session.post(
        f"{client.sandbox.url}/tasks.get_all", data=b"no gzip", headers=headers
    ) as response:
        assert response.status == 415
        assert await response.text() == "Content encoding is not supported (gzip)"
        assert response.content_type == "text/plain"
