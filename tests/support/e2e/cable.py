"""A line between Aurora and the App Server that a test can cut."""

from __future__ import annotations

import asyncio


class Cable:
    """A TCP proxy in front of a port of this machine.

    `cut` cuts every line at once; `cut_before` cuts when the server is about to say something.
    """

    def __init__(self, port: int) -> None:
        self.url = ""
        self.cuts = 0
        self._port = port
        self._fatal: bytes | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Cable:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Cut every line that is open, without a word to either side; new ones go through."""
        self.cuts += 1
        self._fatal = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    def cut_before(self, words: str) -> None:
        """Cut every line, once, just before these words of the server's would get through."""
        self._fatal = words.encode()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._writers |= ends
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer, heard=True))
        except OSError:
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, heard: bool = False
    ) -> None:
        while data := await source.read(65536):
            # Frames are not put together: what a test waits for is short and rarely torn.
            if heard and self._fatal is not None and self._fatal in data:
                self.cut()
                raise ConnectionResetError
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError
