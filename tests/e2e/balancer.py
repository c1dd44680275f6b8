"""A load balancer: a process that clients are connected through, and that can be killed.

    python3 balancer.py FROM TO [FROM TO ...]

Each FROM and TO is "ip:port"; bytes pass both ways until one side ends."""

import asyncio
import os
import subprocess
import sys


class Balancer:
    """The process, for tests. `routes`: from address -> to address."""

    def __init__(self, routes):
        self.routes = routes
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        pairs = [address for pair in self.routes.items() for address in pair]
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), *pairs],
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "listening":
            raise AssertionError("the balancer does not listen")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


async def _pass(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _split(address):
    ip, _, port = address.rpartition(":")
    return ip, int(port)


def _serve(target):
    async def serve(reader, writer):
        try:
            onward, back = await asyncio.open_connection(*_split(target))
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass(reader, back), _pass(onward, writer))

    return serve


async def main(*pairs):
    for source, target in zip(pairs[::2], pairs[1::2]):
        await asyncio.start_server(_serve(target), *_split(source))
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
