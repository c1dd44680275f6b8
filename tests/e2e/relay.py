"""Peer links that can be cut: every node of a cluster is reached by the others through a relay in
front of its peer port, which passes bytes on as long as nobody cut the two nodes apart.

A node begins its links at an address of its own (cluster.listen, 127.0.1.N), so a relay knows both
ends. While two nodes are cut apart nothing passes between them: bytes wait as they would in the
kernel of the sender, endings are not told, new links get no answer. When a node's process is gone
its relay refuses connections, as the node's machine would."""

import asyncio
import socket
import threading

CHUNK = 256 * 1024
PROBE_PAUSE = 0.05


class Network:
    """All relays of one cluster, on a thread of their own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._cut = set()  # (from, to): addresses of nodes
        self._altered = {}  # (from, to) -> (bytes, what passes instead)
        self.alterations = 0
        self._changed = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._changed = asyncio.Event()
        self._loop.call_soon(self._ready.set)
        self._loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=20)

    def close(self):
        async def end():
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join(timeout=5)

    def relay(self, outside, inside):
        """From now on `outside` (ip, port) leads to `inside`."""
        relay = _Relay(self, outside, inside)
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(relay.keep_listening()))

    def cut(self, some, others):
        """Nothing passes between the addresses of `some` and those of `others`, both ways."""
        async def change():
            for a in some:
                for b in others:
                    if a != b:
                        self._cut |= {(a, b), (b, a)}
        self._call(change())

    def cut_one_way(self, sources, targets):
        """Nothing passes from `sources` to `targets`; the other way it does."""
        async def change():
            self._cut |= {(a, b) for a in sources for b in targets if a != b}
        self._call(change())

    def heal(self, addresses=None):
        """Ends all cuts, or those that concern one of `addresses`."""
        async def change():
            kept = set() if addresses is None else {
                pair for pair in self._cut if not set(pair) & set(addresses)}
            self._cut = kept
            self._changed.set()
            self._changed = asyncio.Event()
        self._call(change())

    def alter(self, sources, targets, what, instead):
        """What passes from `sources` to `targets` is not what was said: a defect that neither end
        knows of. As many bytes as before, in what is read in one piece."""
        assert len(what) == len(instead)
        async def change():
            self._altered |= {(a, b): (what, instead) for a in sources for b in targets if a != b}
        self._call(change())

    def alter_nothing(self):
        async def change():
            self._altered = {}
        self._call(change())

    def altered(self, source, target, data):
        what, instead = self._altered.get((source, target), (None, None))
        if what is None or what not in data:
            return data
        self.alterations += 1
        return data.replace(what, instead)

    async def passable(self, source, target):
        """Returns when bytes may pass from `source` to `target`."""
        while (source, target) in self._cut:
            await self._changed.wait()


class _Relay:
    def __init__(self, network, outside, inside):
        self.network = network
        self.outside = outside
        self.inside = inside
        self.server = None

    async def keep_listening(self):
        """Listens whenever somebody listens at the inside."""
        while True:
            if self.server is None and await self.is_inside_there():
                try:
                    self.server = await asyncio.start_server(self.serve, *self.outside,
                                                             backlog=128)
                except OSError:
                    pass  # the address is not free yet
            await asyncio.sleep(PROBE_PAUSE)

    async def is_inside_there(self):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(*self.inside), 2)
        except asyncio.TimeoutError:
            return True  # a paused process: its kernel takes no more, and does not refuse
        except OSError:
            return False
        writer.close()
        return True

    async def stop_if_inside_is_gone(self):
        if self.server is not None and not await self.is_inside_there():
            server, self.server = self.server, None
            if server is not None:
                server.close()

    async def serve(self, reader, writer):
        source = writer.get_extra_info("peername")[0]
        target = self.inside[0]
        try:
            await self.network.passable(source, target)
            await self.network.passable(target, source)
            try:
                far_reader, far_writer = await asyncio.open_connection(*self.inside)
            except OSError:
                await self.stop_if_inside_is_gone()
                writer.transport.abort()
                return
            await asyncio.gather(self.pump(reader, far_writer, source, target, False),
                                 self.pump(far_reader, writer, target, source, True))
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()

    async def pump(self, reader, writer, source, target, from_inside):
        for end in (reader, writer):
            transport = getattr(end, "transport", None) or end._transport
            raw = transport.get_extra_info("socket") if transport else None
            if raw is not None:
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            await self.network.passable(source, target)
            if not data:
                if from_inside:
                    await self.stop_if_inside_is_gone()
                writer.close()
                return
            try:
                writer.write(self.network.altered(source, target, data))
                await writer.drain()
            except OSError:
                pass  # its own reader sees the end
