"""What is code in a message, and whom it mentions."""

from __future__ import annotations

import pytest

from aurora.markdown import code_in, mentioned_outside_code

ADA, BEN = 111111111111111111, 222222222222222222


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a `b` c", ["`b`"]),
        ("``a ` b``", ["``a ` b``"]),
        ("``a`", ["``a`"]),
        ("`a``b`", ["`a``b`"]),
        ("`a", []),
        (r"\`a`", []),
        (r"`a\`", [r"`a\`"]),
        ("``` alone", []),
        ("say ```a``` now", ["```a```"]),
        ("```py\nx = `1`\n```", ["```py\nx = `1`\n```"]),
        ("```py\n```", ["```py\n```"]),
        ("``````", []),
        ("```a```b```c```", ["```a```", "```c```"]),
        ("`` ``` `` ```", ["`` ``` ``"]),
    ],
)
def test_code_is_where_discord_shows_code(content: str, code: list[str]) -> None:
    """Marks that nothing closes, and those behind a backslash, are text."""
    assert [content[start:end] for start, end in code_in(content)] == code


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (f"<@{ADA}> and <@!{BEN}>", {ADA, BEN}),
        (f"`<@{ADA}>` and <@{BEN}>", {BEN}),
        (f"```py\nping('<@{ADA}>')\n```", set()),
        (f"```py\nping('<@{ADA}>')", {ADA}),
        (f"``<@{ADA}>`` <@{ADA}>", {ADA}),
        (f"\\`<@{ADA}>\\`", {ADA}),
        (f"> `<@{ADA}>` ||<@{BEN}>||", {BEN}),
        (f"<@&{ADA}> <#{BEN}>", set()),
    ],
)
def test_a_mention_in_code_is_none(content: str, ids: set[int]) -> None:
    """Discord pings nobody for it."""
    assert mentioned_outside_code(content) == ids
