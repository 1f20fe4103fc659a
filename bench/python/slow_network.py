"""A network with a round trip of its own: what arrives is passed on after half of it, in both directions.

usage: slow_network.py HOST PORT MILLISECONDS     prints the port it listens on, and runs until its input ends
"""

import asyncio
import sys


async def pass_on(reader, writer, seconds):
    loop = asyncio.get_running_loop()
    while data := await reader.read(1 << 16):
        loop.call_later(seconds, writer.write, data)
    loop.call_later(seconds, writer.close)


async def main(host, port, milliseconds):
    half = float(milliseconds) / 2000

    async def connected(reader, writer):
        outside_reader, outside_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pass_on(reader, outside_writer, half), pass_on(outside_reader, writer, half))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
