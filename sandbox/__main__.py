"""`python -m sandbox run` and `python -m sandbox demo`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .languages import languages
from .servers import Backend
from .stack import Stack, StackError

_PORT = 8137


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
    )
    try:
        return asyncio.run(_until_told(options))
    except StackError as error:
        print(f"\nThe sandbox cannot start. {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0 if options.command == "run" else 1


async def _until_told(options: argparse.Namespace) -> int:
    """Run the command; signals to end, and a closed terminal, end it in good order."""
    work = asyncio.ensure_future(_run(options) if options.command == "run" else _demo(options))
    loop = asyncio.get_running_loop()
    # Windows has neither handlers (NotImplementedError) nor SIGHUP (AttributeError); Ctrl-C, which
    # needs neither, works there.
    with contextlib.suppress(NotImplementedError, AttributeError):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, _cancel_once, work)
    return await work


def _cancel_once(work: asyncio.Task[int]) -> None:
    if not work.cancelling():
        work.cancel()


async def _run(options: argparse.Namespace) -> int:
    port = None if options.no_page else options.port
    stack = Stack(
        os.environ, backend=options.backend, data=options.data, page_port=port, report=_say
    )
    async with stack:
        if stack.page is not None:
            _say(f"\nOpen  {stack.page.url}")
        if stack.discord is not None:
            _say('Write "@Aurora hello" in #general. Ctrl-C ends everything.\n')
        else:
            _say(f"{stack.red.bot.user} is online. Its owner types in a server:")
            _say(f"  !aurora enable {stack.guild_agent}\nCtrl-C ends everything.\n")
        await asyncio.Event().wait()
    return 0


async def _demo(options: argparse.Namespace) -> int:
    from .demo import demo

    return await demo(
        os.environ,
        backend=options.backend,
        page_port=options.port,
        limit=options.limit,
        language=options.language,
    )


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A place to try Aurora: a local Discord, a real Red, a real Letta agent.",
        epilog="AURORA_LLM_BASE_URL, AURORA_LLM_API_KEY and AURORA_LLM_MODEL put a real model "
        "behind the agent; DISCORD_TOKEN lets `run` log in to the real Discord.",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="log what the parts do")
    commands = parser.add_subparsers(dest="command", required=True, metavar="run|demo")
    run = commands.add_parser("run", help="start everything and serve the chat page")
    run.add_argument(
        "--port", type=_port, default=_PORT, help="of the page (default: %(default)s)"
    )
    run.add_argument("--data", type=Path, metavar="DIR", help="keep agents and settings here")
    run.add_argument("--no-page", action="store_true", help="serve no page")
    demo = commands.add_parser(
        "demo", help="play a conversation; exits 0 if every message got its one answer"
    )
    demo.add_argument("--port", type=_port, help="also serve the page there")
    demo.add_argument(
        "--limit",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="that an answer may take (default: %(default)g)",
    )
    demo.add_argument(
        "--language",
        choices=languages(),
        help="let the bot speak it, and fail if an English sentence of Aurora's is left",
    )
    for command in (run, demo):
        command.add_argument(
            "--backend",
            type=Backend,
            choices=list(Backend),
            default=Backend.APP_SERVER,
            help="a real Letta App Server, or a double of the Letta REST API, whose agents live "
            "as long as it does (default: %(default)s)",
        )
    return parser


def _port(text: str) -> int:
    """Read a port; argparse shows the text of the error."""
    if text.isdigit() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; a port is a number from 0 to 65535")


if __name__ == "__main__":
    sys.exit(main())
