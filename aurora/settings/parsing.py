"""Settings as they are typed."""

from __future__ import annotations

from collections.abc import Mapping

from ..words import settings as w
from .rules import NO_LIMIT, Rule, SettingError, TurnLimit
from .values import GLOBAL_DEFAULTS, GUILD_DEFAULTS, RULES, WORLD_RULES

_WORDS = {
    "on": True, "true": True, "yes": True, "1": True, "enable": True, "enabled": True,
    "off": False, "false": False, "no": False, "0": False, "disable": False, "disabled": False,
}  # fmt: skip


_ALL_DEFAULTS = {**GLOBAL_DEFAULTS, **GUILD_DEFAULTS}
_ALL_RULES = {**WORLD_RULES, **RULES}


def parse(key: str, text: str) -> bool | float | str | TurnLimit:
    """Read a setting's value as a person types it.

    Raises SettingError, which names the range, if the setting does not take it.
    """
    default, rule = _ALL_DEFAULTS[key], _ALL_RULES[key]
    given = {"setting": rule.command, "values": rule.values, "given": text[:50]}
    if isinstance(default, bool):
        try:
            return _WORDS[text.strip().lower()]
        except KeyError:
            raise SettingError(w.NOT_EITHER(**given)) from None
    if isinstance(default, str):
        if (word := text.strip().lower()) in rule.words:
            return word
        raise SettingError(w.NOT_EITHER(**given))
    if isinstance(default, TurnLimit):
        return _turn_limit(text, rule, given)
    if (named := rule.named.get(text.strip().lower())) is not None:
        return named
    try:
        value: float = type(default)(text)
    except ValueError:
        kind = w.NO_WHOLE_NUMBER if isinstance(default, int) else w.NO_NUMBER
        raise SettingError(kind(**given)) from None
    _ensure_in_span(value, rule, given)
    return value


def _turn_limit(text: str, rule: Rule, given: Mapping[str, object]) -> TurnLimit:
    """Read two numbers, with a blank or a slash between them, or a word for off."""
    if _WORDS.get(text.strip().lower()) is False:
        return NO_LIMIT
    try:
        minute, hour = map(int, text.replace("/", " ").split())
    except ValueError:
        raise SettingError(w.NO_PAIR(**given)) from None
    for number in (minute, hour):
        _ensure_in_span(number, rule, given)
    return TurnLimit(minute, hour)


def _ensure_in_span(value: float, rule: Rule, given: Mapping[str, object]) -> None:
    # Written so that NaN, which compares false with everything, is refused too.
    if not (rule.minimum or 0) <= value <= (rule.maximum or 0):
        raise SettingError(w.NOT_IN_SPAN(**given))


def typed(value: object) -> str:
    """Write a value the way it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
