"""Addresses of agent servers: what is taken, what is refused, and what is never repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.agents.address import AddressError, Kind, parse_address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ws://127.0.0.1:4500", "ws://127.0.0.1:4500/ws"),
        ("ws://127.0.0.1:4500/", "ws://127.0.0.1:4500/ws"),
        ("ws://127.0.0.1:4500/ws", "ws://127.0.0.1:4500/ws"),
        ("  WSS://Letta.Example  ", "wss://letta.example/ws"),
        ("wss://letta.example/team/ws", "wss://letta.example/team/ws"),
        ("ws://[::1]:4500", "ws://[::1]:4500/ws"),
        ("https://api.letta.com", "https://api.letta.com"),
        ("  HTTPS://API.Letta.com/ ", "https://api.letta.com"),
        ("http://127.0.0.1:8283", "http://127.0.0.1:8283"),
        ("https://letta.example/team/v1", "https://letta.example/team/v1"),
    ],
)
def test_an_address_is_completed(text: str, url: str) -> None:
    """People leave out the path, which the App Server needs and the REST API has not."""
    assert parse_address(text).url == url


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ws://127.0.0.1:4500", Kind.APP_SERVER),
        ("WSS://letta.example", Kind.APP_SERVER),
        ("http://127.0.0.1:8283", Kind.REST),
        ("HTTPS://api.letta.com", Kind.REST),
    ],
)
def test_the_scheme_tells_the_kind_of_server(text: str, kind: Kind) -> None:
    """Nobody is asked twice."""
    assert parse_address(text).kind is kind


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("ws://127.0.0.1:4500", True),
        ("ws://127.8.9.10:4500", True),
        ("ws://localhost:4500", True),
        ("ws://LOCALHOST:4500", True),
        ("ws://[::1]:4500", True),
        ("wss://letta.example", True),
        ("ws://letta.example", False),
        ("ws://192.168.1.2:4500", False),
        ("ws://0.0.0.0:4500", False),
        ("ws://127.1:4500", False),
        ("ws://localhost.example:4500", False),
        ("ws://127.0.0.1.example:4500", False),
        ("http://127.0.0.1:8283", True),
        ("http://localhost:8283", True),
        ("https://api.letta.com", True),
        ("http://api.letta.com", False),
        ("http://192.168.1.2:8283", False),
    ],
)
def test_a_token_is_safe_where_it_is_encrypted_or_stays_on_this_machine(
    text: str, safe: bool
) -> None:
    """What is not known to be this machine is another."""
    assert parse_address(text).token_is_safe is safe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("127.0.0.1:4500", "begins with"),
        ("localhost", "begins with"),
        ("", "begins with"),
        ("ftp://127.0.0.1", "begins with"),
        ("ws:127.0.0.1:4500", "begins with"),
        ("https:api.letta.com", "begins with"),
        ("ws://", "no host"),
        ("https://", "no host"),
        ("https://:443/v1", "no host"),
        ("https://api.letta.com/?key=hunter2", "no `?`"),
        ("ws:///ws", "no host"),
        ("ws://:4500", "no host"),
        ("ws://host:0", "port 0"),
        ("ws://host:99999", "can't be read"),
        ("ws://host:port", "can't be read"),
        ("ws://[::1", "can't be read"),
        ("ws://host/ws?token=hunter2", "no `?`"),
        ("ws://host/ws?", "no `?`"),
        ("ws://host/ws#", "no `?`"),
        ("ws://<host>:4500", "odd signs"),
        ("ws://my host:4500", "odd signs"),
        ("ws://host/`", "odd signs"),
        ("ws://" + "h" * 300, "too long"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str, words: str) -> None:
    """The person learns what to type instead."""
    with pytest.raises(AddressError) as refused:
        parse_address(text)
    assert words in str(refused.value)
    assert "ws://127.0.0.1:4500" in str(refused.value)
    assert "https://api.letta.com" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "ws://ada:hunter2@host",
        "wss://hunter2@host",
        "http://ada:hunter2@host",
        "ada:hunter2@host:4500",
        "ws:/ada:hunter2@host",
        "ws://ada:hunter2@[broken",
        "//ada:hunter2@host",
    ],
)
def test_credentials_are_refused_however_broken_the_address(text: str) -> None:
    """And named as what is wrong, with the right place for a token."""
    with pytest.raises(AddressError, match="user name or password") as refused:
        parse_address(text)
    assert "[p]set api letta token" in str(refused.value)


@given(
    st.text(max_size=40), st.text(max_size=40), st.sampled_from(["", "ws://", "wss://", "http://"])
)
def test_a_refusal_never_repeats_what_was_typed(before: str, after: str, scheme: str) -> None:
    """Whatever was typed may hold a secret."""
    refusal = ""
    try:
        parse_address(f"{scheme}{before}hunter2{after}")
    except AddressError as error:
        refusal = str(error)
    assert "hunter2" not in refusal


@given(st.text(max_size=40), st.sampled_from(["ws://", "wss://", "http://", "https://"]))
def test_an_address_that_is_taken_can_be_shown_and_read_again(rest: str, scheme: str) -> None:
    """It has nothing that Discord would take for markup, and stays the same."""
    try:
        address = parse_address(scheme + rest)
    except AddressError:
        return
    assert not set("@?#<>` \n") & set(address.url)
    assert parse_address(address.url) == address
