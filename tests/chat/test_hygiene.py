"""What models write beside their answers: none of it is read by people, and no answer is lost."""

from __future__ import annotations

import importlib
import json
import re
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurora.chat.hygiene import Cleaned, WrittenCall, clean
from aurora.chat.hygiene.names import OWN
from aurora.files import Attachment, File, Opened
from aurora.prompts import build_prompt
from aurora.prompts.fence import fence, new_nonce
from aurora.prompts.files import format_files
from aurora.prompts.transcript import format_reply_chain
from aurora.tools.tool import Tool
from tests.support.events import make_context
from tests.support.fuzzing import HOSTILE, seconds_for
from tests.support.house import ROOT, modules_of
from tests.support.payloads import make_quote

GIVEN = {"channelId": "1", "message": "It opened in 1932."}
CALL = WrittenCall("discord_send", GIVEN)
JSON = json.dumps(GIVEN)
NAMED = json.dumps({"name": "discord_send", "arguments": GIVEN})
WIDE = "\uff5c"

# -- reasoning

PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<inner_monologue>", "</inner_monologue>"),
    ("<inner-monologue>", "</inner-monologue>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<analysis>", "</analysis>"),
    ("<THINK>", "</THINK>"),
    ("<Thinking>", "</thinking>"),
    ("<think >", "</think >"),
    ("< think>", "</ think>"),
    ('<thinking budget="9" lang=en>', "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<thinking>", "</thinking>"),
    ("<REASONING_SCRATCHPAD>", "</REASONING_SCRATCHPAD>"),
    ("<system-reminder>", "</system-reminder>"),
    ("[THINK]", "[/THINK]"),
    ("[think]", "[/think]"),
    ("[REASONING]", "[/REASONING]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>"),
    ("```thinking\n", "\n```\n"),
)
"""How models, and what runs them, begin and end what is not for people."""

LONE = tuple(pair for pair in PAIRS if "think" in pair[1].lower() and "`" not in pair[1])


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_reasoning_is_taken_out_wherever_it_stands(opening: str, closing: str) -> None:
    """At the start, in the middle, at the end, twice; closed or cut off."""
    block = f"{opening}the plan{closing}"
    assert clean(f"{block}Hello!") == Cleaned("Hello!")
    assert clean(f"{block}\n\nHello!").text == "Hello!"
    assert clean(f"Hello!\n\n{block}").text == "Hello!"
    assert clean(f"Hello.\n{block}\n{block}\nGoodbye.").text == "Hello.\nGoodbye."
    assert clean(f"Hello!\n{opening}the plan").text == "Hello!"
    assert clean(f"{opening}the plan") == clean(block) == Cleaned("")


@pytest.mark.parametrize("closing", [pair[1] for pair in LONE])
def test_what_stands_before_a_lone_end_of_reasoning_is_reasoning(closing: str) -> None:
    """Templates open the block themselves, so that only its end stands in the text."""
    assert clean(f"They ask for the year.\n{closing}\nIt opened in 1932.").text == (
        "It opened in 1932."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "<|channel|>analysis<|message|>plan<|end|><|start|>assistant<|channel|>final<|message|>"
            "Hello!<|return|>",
            "Hello!",
        ),
        ("analysisThe user says hi. Greet.assistantfinalHello!", "Hello!"),
        ("analysisWe need to greet", ""),
        (
            "<|begin_of_thought|>p<|end_of_thought|><|begin_of_solution|>Hello!<|end_of_solution|>",
            "Hello!",
        ),
        ("<|begin_of_thought|>p <|begin_of_solution|>Hello!<|end_of_solution|>", "Hello!"),
        ("<think>\np\n</think>\n<answer>\nHello!\n</answer>", "Hello!"),
        ("<|START_THINKING|>p<|END_THINKING|><|START_RESPONSE|>Hello!<|END_RESPONSE|>", "Hello!"),
        ("Here is my thought process: p Here is my response: Hello!", "Hello!"),
        ("<think>\n<think>p</think>Hello!", "Hello!"),
        ("<think>p<thinking>q</think>Hello!", "Hello!"),
        ("<think>p<reasoning>q</think>r</reasoning>Hello!", "Hello!"),
        ("<think>p</thinking>Hello!", "Hello!"),
        ("A <think><think>p</think>q</think> B", "A B"),
        ("<think>What of `</think>`?</think>The tag `</think>` ends it.", None),
        ("Hello <think", "Hello"),
        (r"<think>p<\/think>Hello!", "Hello!"),
        ("Sure!<think>p</think>Here.", "Sure! Here."),
        ("A <think>p</think>\nB", "A \nB"),
        ("Thought: They ask for the year.\nFinal Answer: Hello!", "Hello!"),
        ("plan</think", ""),
        ("Hello!<|im_end|>", "Hello!"),
        ("Hello!</s>", "Hello!"),
        ("<s>Hello!<|eot_id|>", "Hello!"),
        ("Hello!<|endoftext|>", "Hello!"),
        (f"Hello!<{WIDE}end▁of▁sentence{WIDE}>", "Hello!"),
        ("<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nMore?<|im_end|>", "Hello!"),
        ("<start_of_turn>model\nHello!<end_of_turn>", None),
        ("<think/>Hello!", "Hello!"),
        ("```\n<think>p</think>\nHello!\n```", "Hello!"),
        ("<th<think>p</think>ink>plan", ""),
    ],
)
def test_what_models_put_around_an_answer_is_taken_off(text: str, said: str | None) -> None:
    """The formats of a dozen families, and what happens to them on the way."""
    found = clean(text)
    if said is not None:
        assert found == Cleaned(said)
    assert "<|" not in found.text
    assert "of_turn" not in found.text
    assert "What of" not in found.text


_WORDS = st.sampled_from(("alpha", "beta", "gamma.", "delta\n", " ", "it's 5 < 6"))
_SECRETS = st.sampled_from((" hush ", "hush", "\nhush\n"))
_NESTABLE = tuple(pair for pair in PAIRS if pair[0][0] in "<[◁" and "channel" not in pair[0])


@st.composite
def _blocks(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a block with blocks in it, which may lack their ends; its own is there."""
    opening, closing = draw(st.sampled_from(_NESTABLE))
    parts = [opening, draw(_SECRETS)]
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        inner = draw(_blocks(depth=depth - 1))
        inside = draw(st.sampled_from(_NESTABLE))
        # One of the same name that lacks its end has taken the end of the outer one.
        cut = draw(st.booleans()) and _named(inside[0]) != _named(opening)
        parts += [inside[0] if cut else inner, draw(_SECRETS)]
    return "".join([*parts, closing])


def _named(opening: str) -> str:
    name = opening.lower().replace("-", "_")
    return name[0] + "think" if "think" in name or "thought" in name else name


@given(st.lists(st.one_of(_WORDS, _blocks()), max_size=6))
@settings(deadline=None)
def test_no_reasoning_survives_in_any_nesting(parts: list[str]) -> None:
    """Families mixed, blocks in blocks, ends forgotten: the words outside stay, in their order."""
    said = clean("".join(parts))
    outside = [part for part in parts if "hush" not in part]
    assert "hush" not in said.text
    assert "".join(said.text.split()) == "".join("".join(outside).split())


@given(st.lists(st.one_of(_WORDS, _SECRETS, st.sampled_from([p for q in PAIRS for p in q]))))
@settings(deadline=None)
def test_nothing_written_after_an_open_mark_is_read(parts: list[str]) -> None:
    """Whatever stands before: a last block without an end hides the rest."""
    said = clean("".join(parts).replace("hush", "word").replace("`", "") + "\n<think>hush hush")
    assert "hush" not in said.text


# -- ordinary text

ORDINARY = (
    "a < b and b > c",
    "I <3 you, <@123> and <@&4>, in <#5> with <:emoji:1> <a:wave:2> at <t:1:R>",
    "See <https://example.com/think> or </help:1>",
    "List<T>, Map<String, List<Thought>> and std::vector<int>",
    "In HTML write `<thinking>` and close it with `</thinking>`.",
    "Like this:\n```xml\n<thinking>plan</thinking>\n<tool_call>{}</tool_call>\n```\nThat is all.",
    'Call `print("x")`, or print("x").',
    'The answer is:\n```json\n{"name": "Ann", "arguments": {"a": 1}}\n```\nas you asked.',
    '{"name": "Ann", "age": 5}',
    "I answer with discord_send, and discord_send(channelId, message) does it.",
    "Use NO_REPLY if you have nothing to say.",
    "No reply came from Ann. I asked twice.",
    "Silence is golden.",
    "Nothing.",
    "| a | b |\n|---|---|\n| <b> | </b> |",
    "<b>bold</b> and <s>old</s> and <answer>",
    "Think [think](https://example.com) and [reasoning] [1]",
    "Write `\\n` for a new line,\nor two.",
    r"It lies in C:\new\notes",
    r"It lies in \\server\new\notes",
    r"$\nabla f \neq \nu$",
    "The `<<<BEGIN` of a heredoc <<<EOF",
    "Analysis of the year 1932: The user base grew.",
    'Channel: "general" (ID: "12", type: text)',
    "def memory_usage():\n    return memory_info()",
    "```py\nasync def discord_send(message='x'):\n    ...\n\nawait discord_send(message='y')\n```",
    "A ``` in a sentence, and\n\n\nblank lines stay.  Double blanks, too.",
    "pipes <| and |> of F#, a <- b, <=> and <>",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    """Brackets, code and talk about tools are what people asked for."""
    assert clean(text) == Cleaned(text)


@given(st.text(st.sampled_from("ab <>&3@#:/`*_[](){}\"'|=.-\n"), max_size=60))
@settings(deadline=None)
def test_text_without_marks_is_left_as_it_is(text: str) -> None:
    """But for blanks at both ends, which Discord drops."""
    assert clean(text) == Cleaned(text.strip())


@given(st.text(max_size=80))
@settings(deadline=None)
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    """What is read is what can be sent."""
    said = clean(text).text
    said.encode()
    assert clean(said).text == said


def test_half_a_character_becomes_one_that_can_be_sent() -> None:
    """And two halves become the whole."""
    assert clean("a\ud83d b \ud83d\ude00").text == "a\ufffd b 😀"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"One.\nTwo.", "One.\nTwo."),
        (r"One.\n\n- two\n- three", "One.\n\n- two\n- three"),
        (r"One\ntwo", "One\ntwo"),
        (r"One\n`a\nb`", "One\n`a\\nb`"),
        (r"<think>plan</think>One.\nTwo.", "One.\nTwo."),
        ("One.\\nTwo.\nThree.", "One.\\nTwo.\nThree."),
        (r"`a\nb`", r"`a\nb`"),
        (r"a\\nb", r"a\\nb"),
        (r'print("a\nb")', r'print("a\nb")'),
    ],
)
def test_a_backslash_and_an_n_break_a_text_that_has_no_breaks(text: str, said: str) -> None:
    """Models escape what they write twice; in code, and beside real breaks, it is meant."""
    assert clean(text).text == said


# -- tool calls

WRITTEN = (
    f'discord_send(channelId="1", message="{GIVEN["message"]}")',
    f"await discord_send(channelId='1', message='{GIVEN['message']}');",
    f'discord_send("1", "{GIVEN["message"]}")',
    f'discord_send(channelId: "1", message: "{GIVEN["message"]}")',
    f"discord_send({JSON})",
    f"discord_send {JSON}",
    f"functions.discord_send({JSON})",
    f'[discord_send(channelId="1", message="{GIVEN["message"]}")]',
    f'`discord_send(channelId="1", message="{GIVEN["message"]}")`',
    "```tool_code\nprint(default_api.discord_send("
    f"channelId='1', message='{GIVEN['message']}'))\n```",
    f'```python\ndiscord_send(\n    channelId="1",\n    message="{GIVEN["message"]}",\n)\n```',
    NAMED,
    f"[{NAMED}]",
    f"```json\n{NAMED}\n```",
    f"```\n{NAMED}\n```",
    JSON,
    json.dumps({"type": "function", "function": {"name": "discord_send", "arguments": JSON}}),
    json.dumps({"tool": "discord_send", "parameters": GIVEN}),
    json.dumps({"action": "discord_send", "action_input": GIVEN}),
    json.dumps({"tool_calls": [{"name": "discord_send", "args": GIVEN}]}),
    json.dumps({"discord_send": GIVEN}),
    f"<tool_call>{NAMED}</tool_call>",
    f"<tool_call>\n{NAMED}\n",
    f"{NAMED}\n</tool_call>",
    f"<think>plan</think>\n<tool_call>\n{NAMED}\n</tool_call>",
    f"<tool_call>\n```json\n{NAMED}\n```\n</tool_call>",
    f"<function=discord_send>{JSON}</function>",
    f"<function_call>discord_send {JSON}</function_call>",
    f'<function name="discord_send">{JSON}</function>',
    "<tool_call><function=discord_send><parameter=channelId>\n1\n</parameter><parameter=message>\n"
    f"{GIVEN['message']}\n</parameter></function></tool_call>",
    '<function_calls>\n<invoke name="discord_send">\n<parameter name="channelId">1</parameter>\n'
    f'<parameter name="message">{GIVEN["message"]}</parameter>\n</invoke>\n</function_calls>',
    '<minimax:tool_call><invoke name="discord_send"><parameter name="channelId">1</parameter>'
    f'<parameter name="message">{GIVEN["message"]}</parameter></invoke></minimax:tool_call>',
    "<tool_call>discord_send\n<arg_key>channelId</arg_key>\n<arg_value>1</arg_value>\n"
    f"<arg_key>message</arg_key>\n<arg_value>{GIVEN['message']}</arg_value>\n</tool_call>",
    "<discord_send>\n<channelId>1</channelId>\n"
    f"<message>{GIVEN['message']}</message>\n</discord_send>",
    f"[TOOL_CALLS] [{NAMED}]",
    f"[TOOL_CALLS]discord_send[ARGS]{JSON}",
    f"[TOOL_CALLS]discord_send{JSON}</s>",
    f"<|python_tag|>{NAMED}<|eom_id|>",
    f'<|python_tag|>discord_send(channelId="1", message="{GIVEN["message"]}")',
    f"<{WIDE}tool▁calls▁begin{WIDE}><{WIDE}tool▁call▁begin{WIDE}>function<{WIDE}tool▁sep{WIDE}>"
    f"discord_send\n```json\n{JSON}\n```<{WIDE}tool▁call▁end{WIDE}><{WIDE}tool▁calls▁end{WIDE}>",
    f"<{WIDE}tool▁calls▁begin{WIDE}><{WIDE}tool▁call▁begin{WIDE}>discord_send<{WIDE}tool▁sep{WIDE}>"
    f"{JSON}<{WIDE}tool▁call▁end{WIDE}>",
    f'<{WIDE}DSML{WIDE}function_calls><{WIDE}DSML{WIDE}invoke name="discord_send">'
    f'<{WIDE}DSML{WIDE}parameter name="channelId" string="true">1</{WIDE}DSML{WIDE}parameter>'
    f'<{WIDE}DSML{WIDE}parameter name="message" string="true">{GIVEN["message"]}'
    f"</{WIDE}DSML{WIDE}parameter></{WIDE}DSML{WIDE}invoke></{WIDE}DSML{WIDE}function_calls>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.discord_send:0"
    f"<|tool_call_argument_begin|>{JSON}<|tool_call_end|><|tool_calls_section_end|>",
    f"<|START_THINKING|>p<|END_THINKING|><|START_ACTION|>[{NAMED}]<|END_ACTION|>",
    f"<|action_start|><|plugin|>{NAMED}<|action_end|>",
    '<|tool_call>call:discord_send{channelId:<|"|>1<|"|>,message:<|"|>'
    f'{GIVEN["message"]}<|"|>}}<tool_call|>',
    f"<|channel|>commentary to=functions.discord_send <|constrain|>json<|message|>{JSON}<|call|>",
    "<|channel|>analysis<|message|>plan<|end|><|start|>assistant to=functions.discord_send"
    f"<|channel|>commentary json<|message|>{JSON}<|call|>",
    f"assistantcommentary to=functions.discord_send json{JSON}",
    f"analysisWe answer.assistantcommentary to=functions.discord_send json{JSON}",
    f"Action: discord_send\nAction Input: {JSON}",
    f"Thought: They ask for the year.\nAction: discord_send\nAction Input: {JSON}",
    f"[Tool Call: discord_send]\nArguments: {JSON}",
    f'<call:default_api:discord_send{{channelId:"1",message:"{GIVEN["message"]}"}}/>',
    f"{NAMED}\n\nNO_REPLY",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_that_is_one_call_is_that_call(text: str) -> None:
    """In the forms that Llama, Qwen, Mistral, DeepSeek, Kimi, GLM, Gemma and others have."""
    assert clean(text) == Cleaned("", call=CALL)


@pytest.mark.parametrize("text", [one for one in WRITTEN if "NO_REPLY" not in one])
def test_a_call_beside_words_is_taken_out_and_not_done(text: str) -> None:
    """What the agent meant by both is not for Aurora to guess."""
    found = clean(f"One moment, please.\n\n{text}")
    if text == JSON or text.startswith(("`d", "analysis", "assistant")):
        # Arguments alone, or in words, could be what is explained.
        return
    assert found.call is None
    assert found.tool_talk or not found.text.startswith("One moment")
    assert "1932" not in found.text or found.text == ""


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "get_weather", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "discord_send", "arguments": {"channelId": "1", "mess',
        '{"name": "discord_send", "arguments": {"channelId": "1", "mess',
        'discord_send(channelId="1", message="He said "hi".")',
        'discord_send(channelId="1", message="cut',
        'discord_read_messages(channelId="1", limit=20)',
        'memory_write(path="a.md", text="b")',
        'discord_send("It opened in 1932.")',
        "discord_send()",
        '<tool_call>{"name": "discord_send", "arguments": "</tool_call>"}</tool_call>',
        f"<tool_call>{NAMED}</tool_call>\n<tool_call>{NAMED}</tool_call>",
        f"[{NAMED}, {NAMED}]",
        f"{NAMED}\n{NAMED}",
        "<tool_call></tool_call>",
        f"{'discord_send({' * 500}",
        f"<tool_call>{'[' * 5000}</tool_call>",
    ],
)
def test_what_cannot_be_done_is_not_read_either(text: str) -> None:
    """The person gets ⚠️ then, and no machine's language."""
    assert clean(text) == Cleaned("", tool_talk=True)


def test_other_types_and_a_reaction_are_read_as_they_are_written() -> None:
    """Numbers stay exact, escapes mean what they mean in a string."""
    assert clean(
        'discord_add_reaction(channelId=1187654321098765432, messageId="2", emoji="👍")'
    ).call == WrittenCall(
        "discord_add_reaction",
        {"channelId": 1187654321098765432, "messageId": "2", "emoji": "👍"},
    )
    assert clean(
        r'discord_send(channelId="1", message="One.\n\"Two\" \u00e9", interim=True)'
    ).call == WrittenCall(
        "discord_send", {"channelId": "1", "message": 'One.\n"Two" é', "interim": True}
    )


def test_a_block_of_code_that_is_a_call_goes_and_the_rest_of_the_code_stays() -> None:
    """An agent that shows code does so on purpose; one that calls in a block does not."""
    code = "```py\nprint(1)\n```"
    found = clean(f"Look:\n{code}\n```json\n{NAMED}\n```\nDone.")
    assert found.tool_talk
    assert code in found.text
    assert "discord_send" not in found.text


# -- silence

MARKERS = (
    "NO_REPLY", "no_reply", "NO REPLY", "<no-reply/>", "<no_reply>", "[NO_REPLY]", "**NO_REPLY**",
    "`NO_REPLY`", "NO_REPLY.", '"NO_REPLY"', "(no message)", "(No message.)", "[no response]",
    "*no response*", "<NO_RESPONSE>", "<!-- no reply -->", "```\nNO_REPLY\n```", "SILENT",
    "[silent]", "<silence/>", "*stays silent*", "(silence)", "[empty]", "no response needed",
    "NO_REPLY NO_REPLY", "NO_REPLY\n\nNO_REPLY", "{no_reply}", "(none)", "_(no answer)_",
    "<|no_reply|>", "*says nothing*", "<answer>NO_REPLY</answer>", "> NO_REPLY",
    "[无回复]", "（不回复）", "【無需回覆】", "(沉默)", "（返信不要）", "(침묵)",
    "(нет ответа)", "*silencio*",
    "(nessuna risposta)", "(aucune réponse)", "NO_REPLY: nothing to add", "NO_REPLY (not for me)",
    "**NO_REPLY** — they talk to each other, and nobody has asked me anything at all in this.",
)  # fmt: skip


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_alone_is_silence(marker: str) -> None:
    """Whatever its case, its markup and its punctuation; after reasoning, too."""
    assert clean(marker) == Cleaned("", silent=True)
    assert clean(f"<think>They talk to Bob.</think>\n{marker}") == Cleaned("", silent=True)
    assert clean(f"They talk to Bob.</think>{marker}<|im_end|>") == Cleaned("", silent=True)


@pytest.mark.parametrize("marker", ["NO_REPLY", "<no-reply/>", "[no response]", "(no message)"])
def test_a_marker_on_a_line_of_its_own_goes_and_the_text_stays(marker: str) -> None:
    """Agents are told to end their turn by one."""
    assert clean(f"It opened in 1932.\n\n{marker}") == Cleaned("It opened in 1932.")
    assert clean(f"{marker}\n\nIt opened in 1932.") == Cleaned("It opened in 1932.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is un<think>p</think>likely.", "It is unlikely."),
        ("In 19<think>p</think>32.", "In 1932."),
        ("Yes.<think>p</think>It is.", "Yes. It is."),
        ("Yes<think>p</think>It is.", "Yes It is."),
        ("In<think>p</think>1932", "In 1932"),
    ],
)
def test_a_word_that_reasoning_cuts_in_two_is_one(text: str, said: str) -> None:
    """Words that stood apart stay apart."""
    assert clean(text) == Cleaned(said)


@pytest.mark.parametrize("text", ["Enjoy!", "It opened in 1932.", "もちろん。", "*nods*"])
def test_a_marker_behind_the_last_sentence_goes(text: str) -> None:
    """On the same line, in capitals; in a sentence it is spoken of."""
    assert clean(f"{text} NO_REPLY") == Cleaned(text)
    assert clean(f"{text} [NO_REPLY].") == Cleaned(text)
    spoken = f"{text} You end a turn with NO_REPLY"
    assert clean(spoken) == Cleaned(spoken)
    assert clean(f"{text} `NO_REPLY`") == Cleaned(f"{text} `NO_REPLY`")


@pytest.mark.parametrize(
    "text", ["NO_REPLY ends a turn.", "NO_REPLY-like words", "NO_PROXY: leave it empty", "无回复"]
)
def test_what_only_begins_like_a_marker_stays(text: str) -> None:
    """It is spoken of."""
    assert clean(text) == Cleaned(text)


def test_admins_may_have_words_of_their_own() -> None:
    """They are compared as the others are; signs count where there are no letters."""
    assert clean("Nichts zu sagen.", silence=("nichts ZU sagen",)) == Cleaned("", silent=True)
    assert clean("🤐", silence=("🤐",)) == Cleaned("", silent=True)
    assert clean("Hello!\n🤐", silence=("🤐",)) == Cleaned("Hello!")
    assert clean("😀", silence=("🤐",)) == Cleaned("😀")
    assert clean("I have nichts zu sagen.", silence=("nichts zu sagen",)).text


def test_nothing_is_neither_silence_nor_a_call() -> None:
    """Nor is reasoning without an answer: both end as the lack of one."""
    assert clean("") == clean(" \n ") == clean("<think>plan</think>") == Cleaned("")


# -- what is Aurora's own

ANSWER = "It opened in 1932."


@pytest.mark.parametrize("kind", ["mention", "reply", "dm"])
@pytest.mark.parametrize("behind", [True, False])
def test_a_prompt_that_is_repeated_is_taken_out(
    kind: Literal["mention", "reply", "dm"], behind: bool
) -> None:
    """All of it: sentences, facts, fences with what people wrote, and how to call tools."""
    context = make_context(kind=kind)
    context["chain"] = [make_quote("When did it open?", author="Ann")]
    context["message"]["content"] = "And the bridge?"
    prompt = build_prompt(context, now=1e9, guidance=True, tools=_TOOLS, text_delivered=True)
    found = clean(f"{prompt}\n\n{ANSWER}" if behind else f"{ANSWER}\n\n{prompt}")
    assert found.text == ANSWER
    assert not found.call


_TOOLS = (
    "discord_send", "discord_read_messages", "discord_add_reaction", "discord_get_server_info",
    "memory_write",
)  # fmt: skip


def test_lines_of_a_transcript_are_taken_out() -> None:
    """But for what the agent says in the form of one."""
    people = format_reply_chain([make_quote("When?\nPlease!", author="Ann")], now=1e9)
    mine = make_quote(ANSWER, author="Aurora")
    own = format_reply_chain([mine], now=1e9, bot_id=mine["author"]["id"])
    assert "Please!" in people
    assert clean(f"{people}\n{ANSWER}").text == ANSWER
    assert clean(own).text == ANSWER
    assert clean(f'{ANSWER} [ID: "1187654321098765432"]').text == ANSWER


def test_a_fence_around_the_answer_goes_and_the_answer_stays() -> None:
    """Agents that read fences write fences."""
    nonce = new_nonce()
    assert clean(fence("my reply", ANSWER, nonce)).text == ANSWER
    assert clean(f"{ANSWER}\n<<<END current message {nonce}>>>").text == ANSWER
    assert clean(f"{fence('MEMORY FILE a.md', 'secret', nonce)}\n{ANSWER}").text == ANSWER


@pytest.mark.parametrize("room", ["prompts", "tools"])
def test_what_aurora_has_fenced_is_taken_out_with_its_fence(room: str) -> None:
    """A new one would be taken for one around the answer, and what is in it read."""
    source = "\n".join(one.read_text() for one in sorted((ROOT / "aurora" / room).glob("*.py")))
    labels = re.findall(r"""\bfence\(f?["']([^"']+)["']|\blabel = f"([^"]+)\"""", source)
    assert len(labels) >= 4
    for first, second in labels:
        label = re.sub(r"\{[^}]*\}", "12", first or second)
        assert clean(f"{fence(label, 'what others wrote', new_nonce())}\n{ANSWER}").text == ANSWER


def test_what_came_of_files_is_taken_out() -> None:
    """What is said of them, too."""
    file = File(id="1", channel_id="2", message_id="3", name="a.txt", size=9, type="text/plain")
    files = [Attachment(file, one, Opened("a text", "plans")) for one in ("current", "chain")]
    assert clean(f"{format_files(files, new_nonce())}\n{ANSWER}").text == ANSWER


def test_reminders_are_taken_out() -> None:
    """They are written by servers, for agents."""
    assert clean(f"<system-reminder>Be nice.</system-reminder>{ANSWER}").text == ANSWER


# -- bounds


def test_auroras_tools_are_known_by_their_names() -> None:
    """A tool that is not known here would be posted when it is written as text."""
    modules = [importlib.import_module(one) for one in modules_of("aurora") if ".tools." in one]
    named = [value for module in modules for value in vars(module).values()]
    several = [one for value in named if type(value) is tuple for one in value]
    names = {one.spec.name for one in (*named, *several) if type(one) is Tool}
    assert {"discord_send", "discord_search_messages", "memory_read"} <= names
    assert [one for one in names if not OWN.fullmatch(one)] == []


@pytest.mark.parametrize("piece", ["<think>", "a</think>", "discord_send({", "`<think>` ", "[{"])
def test_a_hostile_megabyte_is_read_in_one_go(piece: str) -> None:
    """The bound is wide on purpose; what goes back and forth would take minutes."""
    assert seconds_for(clean, piece * (1_000_000 // len(piece)), tries=1) < 3
    assert max(len(clean(text).text) for text in HOSTILE[:5]) <= 100_000
