"""Python runs this before `redbot`: it turns Red from Discord to a local one."""

import os

_ADDRESS = os.environ.get("AURORA_SANDBOX_DISCORD")

if _ADDRESS:
    import yarl
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    Route.BASE = f"{_ADDRESS}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(_ADDRESS).with_scheme("ws") / "gateway"
