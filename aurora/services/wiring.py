"""The wiring, from top to bottom: no piece is named before it exists."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from redbot.core import Config, commands
from redbot.core.bot import Red
from redbot.core.data_manager import cog_data_path

from ..agents.own_tools import OwnTools
from ..agents.protocol import ToolLister
from ..agents.sdk import SdkFolder
from ..agents.server import AgentServer
from ..chat.delivery import Delivery
from ..chat.edit_pace import EditPace
from ..chat.fingerprints import Fingerprints
from ..chat.languages import speak_in
from ..chat.places import is_away
from ..chat.progress import Lines
from ..chat.sender import Sender
from ..clock import Clock, SystemClock
from ..context.child import Children, libraries
from ..errors import Breakers, ErrorStats
from ..guard.barring import barred
from ..guard.conversations import Conversations
from ..guard.looking import Guard
from ..guard.naming import name_for_all
from ..guard.output import Output
from ..guard.remembering import MemoryGuard
from ..guard.runs import RunAct, RunGuard
from ..health.alerts import Alerts
from ..health.crowding import Crowding
from ..health.notices import OutageNotices
from ..health.outages import Outages
from ..health.runs import Runs
from ..health.status import Status
from ..intake.answers import Answers
from ..intake.asks import Asks
from ..intake.catchup import CatchUp
from ..intake.judging import BAD, GOOD, judge_by
from ..intake.pressing import stop_view
from ..intake.reactions import STOP, Reactions, stop_by
from ..intake.receiving import Intake
from ..intake.rereading import reread
from ..intake.triggers import Triggers
from ..intake.waking import Waking
from ..intake.wishing import Wishes
from ..ledger.sqlite import SqliteStore
from ..model import Change
from ..queue import MessageQueue
from ..queue.limits import WorkRules
from ..runs.asides import Asides
from ..runs.background import Background
from ..runs.cancelling import Cancelling
from ..runs.claim import Claims
from ..runs.escalation import Escalation
from ..runs.feedback import Feedback
from ..runs.forgetting import Forgetting
from ..runs.in_line import InLine
from ..runs.loop_guard import LoopGuard
from ..runs.models import Models
from ..runs.observers import Log, Tokens
from ..runs.pausing import Pauses
from ..runs.pinging import Pinger, look_again
from ..runs.ports import Ports
from ..runs.retrying import Retries
from ..runs.routing import Router
from ..runs.schedules import Schedules
from ..runs.steps import Steps
from ..runs.stopping import Stopping
from ..runs.worker import Worker
from ..settings import MCP_TOOLS, Settings
from ..tools.attachments import Files
from ..tools.host import Toolbox
from ..tools.memories import Memories
from ..tools.offers import Offers
from ..tools.watching import EitherToolbox
from . import Services
from .adapters import ConfigKeeper, dispatch, folders, manages, owns, role_name

_DAY = 24 * 3600.0


def build(bot: Red, cog: commands.Cog, config: Config, *, clock: Clock | None = None) -> Services:
    """Wire everything, each piece with those above it; nothing is opened or connected yet."""
    clock = clock or SystemClock()
    folder = cog_data_path(raw_name="Aurora")
    settings = Settings(ConfigKeeper(config))
    store = SqliteStore(
        folder / "ledger.sqlite3",
        clock,
        retention=lambda: settings.world.retention_days * _DAY,
    )
    background = Background()
    breakers = Breakers(clock)
    stats = ErrorStats(clock)
    hearing: list[Callable[[Change], None]] = [partial(dispatch, bot)]
    queue = MessageQueue(
        store,
        WorkRules(settings, breakers, away=partial(is_away, bot)),
        clock,
        notify=lambda change: [hear(change) for hear in hearing],
    )
    sdk = SdkFolder(folder / "sdk")
    agents = AgentServer(clock, sdk, changed=breakers.reset)
    own_tools = OwnTools(settings.allowed_tools, clock)

    fingerprints = Fingerprints()
    output = Output(
        settings.guild,
        secrets=lambda: [one for one in (bot.http.token, agents.token) if one],
        folders=lambda: folders(agents.backend),
        role=partial(role_name, bot),
    )
    speak = partial(speak_in, bot)
    guard = Guard(bot, settings, clock, partial(barred, bot, cog, settings))
    sender = Sender(
        bot,
        store,
        guard,
        most=lambda guild_id: settings.guild(guild_id).budget_messages,
        speak=speak,
        output=output,
        fingerprints=fingerprints,
        edits=EditPace(clock),
    )
    lines = Lines(
        bot,
        store,
        sender,
        start=background.start,
        speak=speak,
        named=partial(name_for_all, bot, guard),
        stop_view=stop_view,
    )
    delivery = Delivery(bot, store, sender, speak, settings.silence, lines)
    in_line = InLine(queue, settings, lines, clock)
    hearing += (lines.heard, in_line.heard)
    offers = Offers(store, sender, guard, clock, speak)
    memory_guard = MemoryGuard(
        store,
        guard,
        owns=partial(owns, bot),
        role_of=lambda guild_id: settings.guild(guild_id).memory_role_id,
        within=lambda reader, writer: guard.audiences.flows_between(bot, writer, reader),
    )
    files = Files(bot, guard, lambda: agents.backend, folder)
    toolbox = EitherToolbox(
        Toolbox(
            bot,
            store,
            sender,
            guard,
            clock,
            lambda: agents.backend,
            offers,
            settings.guild,
            memory_guard,
            files,
        ),
        store,
        sender,
        watched=lambda event: (
            settings.guild(event.guild_id).discord_tools == MCP_TOOLS
            and isinstance(agents.backend, ToolLister)
        ),
    )

    alerts = Alerts(
        bot,
        settings,
        stats,
        background,
        clock,
        waiting=lambda: queue.get_stats()["waiting_by_guild"],
        failing_for=breakers.failing_for,
    )
    notices = OutageNotices(breakers, settings, queue, background, delivery.late, clock)
    outages = Outages(breakers, clock)
    outages.subscribe(alerts.changed)
    outages.subscribe(notices.changed)
    pinger = Pinger(breakers, lambda: agents.backend, clock, outages.missed)
    breakers.subscribe(partial(look_again, queue, settings))
    breakers.subscribe(pinger.changed)
    breakers.subscribe(outages.changed)
    stats.subscribe(alerts.recorded)
    store.subscribe(alerts.tell)

    claims = Claims()
    cancelling = Cancelling(queue, claims, delivery, background)
    stopping = Stopping(queue, cancelling, delivery, lambda: agents.backend)
    run_guard = RunGuard(
        bot,
        partial(barred, bot, cog, settings),
        owns=partial(owns, bot),
        manages=partial(manages, bot),
    )
    triggers = Triggers(bot, cog, settings, store, clock)
    feedback = Feedback(store, clock)
    escalation = Escalation(store, settings, feedback.confidence)
    asides = Asides(settings, background, own_tools.admit)
    worker = Worker(
        queue,
        store,
        Ports(
            backend=lambda: agents.backend,
            toolbox=toolbox,
            delivery=delivery,
            welcome=triggers.still_welcome,
            late=notices.late,
            alert=alerts.alert,
            audience=Conversations(bot, guard),
            renewed=alerts.renewed,
            own_tools=own_tools.admit,
            files=files.gather,
            unseen=delivery.unseen,
            lines=lines,
            feedback=feedback,
        ),
        settings,
        breakers,
        stats,
        clock,
        claims,
        cancelling,
        observing=(
            partial(Log, queue),
            partial(Tokens, Models(lambda: agents.backend, clock)),
            partial(Steps, store, clock),
            partial(LoopGuard, settings),
            notices.observe,
        ),
        escalation=escalation,
        router=Router(settings, lambda: agents.backend, breakers, clock, asides),
    )
    crowding = Crowding(queue, settings, delivery.crowded, clock, first=notices.greet)
    intake = Intake(
        bot, settings, store, queue, clock, triggers, cancelling, crowding.greet, background
    )
    status = Status(
        settings,
        store,
        queue,
        breakers,
        stats,
        clock,
        backend=lambda: agents.backend,
    )
    reactions = Reactions(bot, store, run_guard, intake.asking.asked_by)
    reactions.on([STOP], RunAct.STOP, partial(stop_by, stopping))
    judging = partial(judge_by, store, feedback)
    reactions.on([GOOD, BAD], RunAct.JUDGE, judging, taken_back=True)
    waking = Waking(bot, settings, store, intake.asking, alerts.tell_guild)
    return Services(
        bot=bot,
        clock=clock,
        settings=settings,
        guard=guard,
        store=store,
        folder=folder,
        fingerprints=fingerprints,
        sdk=sdk,
        agents=agents,
        own_tools=own_tools,
        breakers=breakers,
        stats=stats,
        alerts=alerts,
        outages=outages,
        pinger=pinger,
        queue=queue,
        delivery=delivery,
        lines=lines,
        in_line=in_line,
        offers=offers,
        memories=Memories(settings, store, memory_guard, clock, memory=lambda: agents.backend),
        cancelling=cancelling,
        stopping=stopping,
        escalation=escalation,
        run_guard=run_guard,
        reactions=reactions,
        feedback=feedback,
        worker=worker,
        intake=intake,
        answers=Answers(bot, settings, store, intake.asking, clock),
        catchup=CatchUp(bot, settings, store, intake, clock, alerts.missed),
        background=background,
        asks=Asks(bot, intake.asking, queue, clock, Wishes(settings, partial(owns, bot))),
        waking=waking,
        schedules=Schedules(store, waking, clock),
        pauses=Pauses(settings, queue, clock),
        retries=Retries(
            store, queue, delivery.trace, lambda event: reread(event, bot, settings, triggers)
        ),
        status=status,
        runs=Runs(store, queue, status, clock),
        forgetting=Forgetting(
            store,
            settings,
            cancelling,
            lambda: agents.backend,
            alerts.tell,
            claims,
            background,
        ),
        drawing=Children(libraries(folder).place),
    )
