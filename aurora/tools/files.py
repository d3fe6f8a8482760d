"""The tool by which an agent sends a file: discord_send_file."""

from __future__ import annotations

import re
import unicodedata

from ..agents.protocol import ToolSpec
from ..chat.long_texts import Part
from ..chat.splitting import LIMIT
from ..guard.policy import Act, Target
from .arguments import Arguments, schema, snowflake
from .posting import ids_of, post
from .tool import Call, Tool, ToolError

MOST_BYTES = 1_000_000

_NAME_CHARS = 60
_ENDINGS = {
    "txt", "md", "csv", "tsv", "json", "jsonl", "yaml", "yml", "toml", "xml", "log", "tex", "rst",
    "srt", "ics", "diff", "patch", "sql", "py", "js", "ts", "css", "c", "h", "cpp", "hpp", "rs",
    "go", "java", "kt", "rb", "lua", "r",
}  # fmt: skip
"""What opens as text, and starts nothing when it is clicked."""
_OTHERS = re.compile(r"[^A-Za-z0-9.-]+")


def file_name(given: str) -> str:
    """Return what a file is called: a plain name, without a folder, that ends as a text's does."""
    last = re.split(r"[\\/]", given)[-1][-2 * _NAME_CHARS :]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    # Discord leaves nothing else, nor what stands in front.
    stem, dot, ending = _OTHERS.sub("_", plain).rstrip("._-").rpartition(".")
    if not dot or ending.lower() not in _ENDINGS:
        stem, ending = f"{stem}{dot}{ending}", "txt"
    return f"{stem.strip('._-')[:_NAME_CHARS].rstrip('._-') or 'file'}.{ending.lower()}"


async def discord_send_file(call: Call) -> str:
    """Send a text file, unless it repeats one."""
    scope, arguments = call.scope, call.arguments
    name, text = file_name(arguments.text("name")), arguments.optional_text("message")
    content = arguments.text("content")
    if not content.strip():
        raise ToolError("Not sent: content is empty.")
    if len(content.encode("utf-8", "replace")) > MOST_BYTES:
        raise ToolError(f"Not sent: a file has at most {MOST_BYTES:,} bytes. Send it in two.")
    filtered = scope.sender.filtered(scope.turn, text)
    if len(filtered.text) > LIMIT:
        raise ToolError(
            f"Not sent: message has at most {LIMIT:,} characters. Put the rest into the file."
        )
    kept = await scope.sender.filtered_file(content)
    scope.ensure_open()
    print_ = scope.sender.fingerprints.of(f"{name}\n{kept}\n{filtered.text}")
    beside = Part("", name, kept.encode())
    sent = await post(call, (f"file:{call.channel.id}:{print_}",), text, beside)
    if isinstance(sent, str):
        return sent
    said = f'Sent {name} to channel "{call.channel.id}" as {ids_of(sent.message_ids)}.'
    changed = kept.strip() != content.strip().replace("\r\n", "\n") or filtered.changes
    return said + " Secrets, paths and what can't be seen were removed." * bool(changed)


def _where(arguments: Arguments) -> Target:
    arguments.text("name")
    arguments.text("content")
    arguments.optional_text("message")
    return Target(arguments.snowflake("channelId"))


SEND_FILE = Tool(
    ToolSpec(
        "discord_send_file",
        "Send a text file, for what is too long or too wide for a message.",
        schema(
            ("channelId", "name", "content"),
            channelId=snowflake("Id of the channel or thread"),
            name={"type": "string", "description": "Such as plan.md"},
            content={"type": "string", "description": "Its text, up to 1 MB"},
            message={"type": "string", "description": "Text beside it"},
        ),
    ),
    Act.ATTACH,
    _where,
    discord_send_file,
    alters=True,
    answers=True,
)
