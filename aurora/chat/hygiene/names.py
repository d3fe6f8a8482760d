"""The words that models keep reasoning, tool calls and turns apart by."""

from __future__ import annotations

import re

REASONING = frozenset(
    {
        "think", "thinking", "thought", "thoughts", "reasoning", "reflection",
        "reflections", "self_reflection", "analysis", "inner_monologue",
        "internal_monologue", "innermonologue", "monologue", "scratchpad", "scratch_pad",
        "reasoning_scratchpad", "chain_of_thought", "cot", "thought_process",
        "thinking_process", "reasoning_process", "inner_thought", "inner_thoughts",
        "internal_thought", "internal_thoughts", "internal_reasoning", "reasoning_content",
        "think_content", "antthinking", "cot_budget_reflect",
    }
)  # fmt: skip
"""Names of tags around what a model thinks, in small letters and with underscores."""

TOOLS = frozenset(
    {
        "tool_call", "tool_calls", "toolcall", "tool_use", "tool_uses", "tool_code",
        "function_call", "function_calls", "functioncall", "function", "invoke",
        "longcat_tool_call", "start_function_call", "tool_list", "tool_response",
        "tool_responses", "tool_result", "tool_results", "tool_output", "tool_outputs",
        "function_result", "function_results", "function_response",
    }
)  # fmt: skip
"""Names of tags around calls of tools, and around what a model makes up as their results."""

LANGUAGES = REASONING | {"tool_code", "tool_call", "tool_calls", "function_call"}
"""What blocks of code are called that are no code."""

OWN = re.compile(
    "discord_(?:send|read|add|remove|get|edit|create|search|list|start|view|ask|delete)[a-z_]{0,30}"
    "|memory_(?:list|read|write|delete)"
)
"""The names of Aurora's own tools."""

OURS = frozenset({"system_reminder", "system_reminders"})
ANSWERS = frozenset({"answer", "final", "final_answer", "response", "reply", "solution"})
SAME = {
    **dict.fromkeys(("thinking", "thought", "thoughts", "antthinking", "thinks"), "think"),
    **dict.fromkeys(("tool_calls", "toolcall", "tool_use", "function_call"), "tool_call"),
    **dict.fromkeys(("function_calls", "functioncall"), "tool_call"),
}
OTHERS = "user|system|tool|tools|human|developer|observation|ipython|environment|function"
AGENTS = "assistant|model|bot|gpt|ai"

STOPS = frozenset(
    {
        "end", "return", "call", "im_end", "eot", "eom", "eot_id", "eom_id", "eod", "eos",
        "eos_token", "bos", "endoftext", "end_of_text", "end_of_turn", "end_of_turn_token",
        "end_of_sentence", "end_of_message", "end_of_utterance", "endofprompt",
    }
)  # fmt: skip
BEGINS = frozenset(
    {
        "begin_of_solution", "start_response", "start_text", "content", "begin_of_answer",
        "start_of_answer", "begin_of_response", "start_of_response", "final",
    }
)  # fmt: skip
BRACKETS = {
    **{one.upper(): one for one in REASONING if "_" not in one and one != "analysis"},
    "TOOL_CALLS": "tool_call",
    "TOOL_CALL": "tool_call",
    "TOOL_RESULTS": "tool_results",
    "INST": "turn",
}
HALF = {
    "channel": "channel",
    "tool_call": "special tool",
    "tool_response": "special tool",
}
"""By what they are closed that stand as `<|tool_call>` at the other end."""
