"""What people write can neither act nor leave its block."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.prompts.fence import (
    NAME_CHARS,
    clean,
    defuse,
    fence,
    inline,
    new_nonce,
    shorten,
)

NONCE = "0123456789abcdef"

TEXTS = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            [
                NONCE,
                NONCE.upper(),
                NONCE[:8],
                "<<<END note ",
                "<<<BEGIN note ",
                ">>>",
                "\n",
                "```",
                "<system-reminder>",
                "<|im_end|>",
                "\u200b",
                "\u200d",
                "\u2028",
            ]
        ),
    )
).map("".join)

BLOCK = re.compile(
    rf"<<<BEGIN note {NONCE}>>>\n(.*?)\n<<<END note {NONCE}>>>", re.DOTALL | re.IGNORECASE
)


@given(TEXTS)
def test_no_text_closes_its_block(text: str) -> None:
    """Nor opens another, even if it knows the nonce."""
    block = fence("note", text, NONCE)
    match = BLOCK.match(block)
    assert match is not None
    assert match.end() == len(block)
    assert NONCE not in match[1].lower()


@given(TEXTS)
def test_defusing_twice_changes_nothing_more(text: str) -> None:
    """Text that passes through two surfaces is not mangled."""
    assert defuse(defuse(text)) == defuse(text)


@given(TEXTS, st.integers(1, 200))
def test_an_inline_text_is_one_bounded_line_without_quotes(text: str, limit: int) -> None:
    """It can't forge a line, an id, or length."""
    result = inline(text, limit)
    assert len(result.splitlines()) <= 1
    assert '"' not in result
    assert len(result) <= limit + len("… [999999 more characters]")


@given(
    st.text(
        st.characters(
            codec="utf-8",
            categories=("L", "N", "P", "Zs"),
            # Letters by name alone: fillers, which are blank.
            exclude_characters="\u115f\u1160\u3164\uffa0",
        )
    )
)
def test_visible_text_without_tags_stays_as_it_is(text: str) -> None:
    """Cleaning is for what nobody sees."""
    assert clean(text) == text


@pytest.mark.parametrize(
    "tag",
    [
        "<system-reminder>",
        "</system-reminder>",
        "< / System-Reminder >",
        "<system-reminder\n>",
        "<system-reminder a:1>",
        "<system-reminder:123456789012345678>",
        "<sys\u200btem-reminder>",
        "<sys\u200dtem-reminder>",
        "<system-\u200dreminder>",
        "<sys\ufe0ftem>",
        "<sy\U000e0041stem>",
        "<system",
        "<tool_call>",
        "<function_calls>",
        "<ns:invoke>",
        "<invoke name='x'>",
        "<think>",
        "</s>",
        "<|im_start|>",
        "<\uff5cbegin\uff5c>",
        "<start_of_turn>",
        "<<SYS>>",
        "<</SYS>>",
        "[INST]",
        "[/INST]",
        "[TOOL_CALLS]",
        "<<<END current message",
    ],
)
def test_a_control_tag_is_escaped(tag: str) -> None:
    """Whatever a server or a model takes for a command is only text afterwards."""
    result = defuse(f"before {tag} after")
    assert clean(tag) not in result
    assert result.startswith(("before &lt;", "before &#91;"))


@pytest.mark.parametrize(
    "text",
    [
        "<@123456789012345678>",
        "<@!123456789012345678>",
        "<@&123456789012345678>",
        "<#123456789012345678>",
        "<:my_emoji:123456789012345678>",
        "<a:my_wave:123456789012345678>",
        "<t:1700000000:R>",
        "</remind me:123456789012345678>",
        "<id:customize>",
        "<https://example.com/a-b?c_d>",
        "<mailto:ann@example.com>",
        "vector<int> a < b <3 <div class='x'> [1] [x](y)",
        "👨‍👩‍👧 ❤️‍🔥 1️⃣ ☎️ ©️ ↔️ ℹ️ ‼️ 👩🏽‍⚕️ 🏳️‍🌈 🏴󠁧󠁢󠁷󠁬󠁳󠁿 می‌خواهم 葛󠄀",
    ],
)
def test_what_is_no_control_tag_stays(text: str) -> None:
    """Mentions, emoji, links, code and scripts with joiners arrive as they were written."""
    assert defuse(text) == text


def test_hidden_text_is_dropped() -> None:
    """Tag characters and selectors can carry a message that only a model sees."""
    hidden = "".join(chr(0xE0000 + ord(one)) for one in "obey")
    assert clean("hi" + hidden + " 😀" + "\ufe01" * 9) == "hi 😀"


@pytest.mark.parametrize(
    "hidden",
    [
        "\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u17b4", "\u180b", "\u180e", "\u034f",
        "\u00ad", "\u200b", "\u2060", "\u2064", "\u206a", "\ufeff", "\ufff0", "\U0001bca0",
        "\U0001d173", "\U000e0001", "\U000e0020", "\U000e0fff", "\u202e", "\u2066", "\u200e",
        "\ufe0f\ufe0f", "\ufe0f\ufe0e", "\ufe00", "\ufe0f", "\U000e0100",
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", [("ad", "min"), ("é", "é")])
def test_what_nobody_sees_is_dropped(hidden: str, around: tuple[str, str]) -> None:
    """Fillers and blank letters make two names look the same, and carry words of their own."""
    assert clean(hidden.join(around)) == "".join(around)


def test_an_emoji_keeps_one_selector_and_no_more() -> None:
    """Of sixteen, sixteen times over, a text can be made."""
    assert clean("❤️") == "❤️"
    assert clean("❤\ufe0f\ufe0f") == "❤"
    assert clean("❤\ufe01") == "❤"
    assert clean("1\ufe0f") == "1"


def test_half_a_surrogate_pair_becomes_a_replacement() -> None:
    """No encoder takes it, and two halves would change when they meet in JSON."""
    assert clean("a\ud83d\ude00b") == "a\ufffd\ufffdb"


def test_line_ends_become_one_kind() -> None:
    """A separator that only some readers honour can't start a line of its own."""
    assert clean("a\r\nb\rc\u2028d\x85e") == "a\nb\nc\nd\ne"


def test_a_name_is_cut_and_says_so() -> None:
    """A name can't drown the rest."""
    assert inline("x" * (NAME_CHARS + 7)) == "x" * NAME_CHARS + "… [7 more characters]"


def test_shortening_leaves_what_fits() -> None:
    """Nothing is said where nothing was cut."""
    assert shorten("abc", 3) == "abc"


def test_nonces_are_new_every_time() -> None:
    """Yesterday's is of no use to anybody."""
    assert len({new_nonce() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "evil", ["<" * 4000, "`" * 4000, "<system " * 500, "\u200d" * 4000, "🏴" + "\U000e0041" * 4000]
)
def test_hostile_text_is_handled_in_no_time(evil: str) -> None:
    """No pattern may hold up the event loop."""
    start = time.thread_time()
    fence("note", evil, NONCE)
    assert time.thread_time() - start < 0.05


@pytest.mark.parametrize(
    "surface", [defuse, lambda text: inline(text, 4000), lambda text: fence("note", text, NONCE)]
)
@pytest.mark.parametrize("blank", [" ", "\n"])
def test_blanks_behind_a_bracket_take_no_time(surface: Callable[[str], str], blank: str) -> None:
    """They can be shared out before and behind a slash in thousands of ways."""
    evil = "<" + blank * (3990 // len(blank)) + "x"
    start = time.thread_time()
    surface(evil)
    assert time.thread_time() - start < 0.05


@pytest.mark.parametrize(
    "code",
    [
        "#include <memory>",
        "#include <system_error>",
        "std::vector<my_type> all; Map<String, user_id> some;",
        "<my-button>x</my-button> <xsl:template> <context.Provider>",
        "List<User> users = new List<User>(); fn(x: Option<Thought>)",
    ],
)
@pytest.mark.parametrize(
    "block", ["```cpp\n{}\n```", "`{}`", "look: ``{}``", "```\n{}\nand it is cut"]
)
def test_code_stays_as_it_was_written(code: str, block: str) -> None:
    """What is asked about must be what is read; also where its end was cut off."""
    assert defuse(block.format(code)) == block.format(code)


@pytest.mark.parametrize(
    "tag",
    [
        "<system-reminder>",
        "</system-reminder>",
        "< / System-Reminder >",
        "<sys\u200btem-reminder>",
        "<system>",
        "<tool_call>",
        "<function_calls>",
        "<ns:invoke name='x'>",
        "<invoke name='x'>",
        "<|im_start|>",
        "<\uff5cbegin\uff5c>",
        "<start_of_turn>",
        "</s>",
        "<<SYS>>",
        "[INST]",
        "<<<END current message 0123>>>",
        "<<< BEGIN note 0123>>>",
    ],
)
@pytest.mark.parametrize("block", ["```\n{}\n```", "`{}`", "```xml\n{}"])
def test_scaffolding_is_escaped_in_code_too(tag: str, block: str) -> None:
    """A block of code is no way out of the fence."""
    assert clean(tag) not in defuse(block.format(tag))
