"""A network with a round trip of its own: what arrives is passed on after half of it, in both directions.

usage: slow_network.py HOST PORT MILLISECONDS     prints the port it listens on, and runs until its input ends

Threads, since an event loop's timers are as coarse as a millisecond, which is the whole round trip.
"""

import os
import queue
import socket
import sys
import threading
import time


def receive(source, waiting, seconds):
    while True:
        try:
            data = source.recv(1 << 16)
        except OSError:
            data = b""
        waiting.put((time.monotonic() + seconds, data))
        if not data:
            return


def send(target, waiting):
    while True:
        due, data = waiting.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)
        except OSError:
            return


def pass_on(source, target, seconds):
    waiting = queue.SimpleQueue()
    threading.Thread(target=receive, args=(source, waiting, seconds), daemon=True).start()
    threading.Thread(target=send, args=(target, waiting), daemon=True).start()


def serve(listener, address, seconds):
    while True:
        inside, _ = listener.accept()
        outside = socket.create_connection(address)
        for end in (inside, outside):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pass_on(inside, outside, seconds)
        pass_on(outside, inside, seconds)


def main(host, port, milliseconds):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    arguments = (listener, (host, int(port)), float(milliseconds) / 2000)
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
