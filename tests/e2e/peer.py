"""A node of a cluster as far as its link: it proves the secret as docs/protocol/cluster.md says,
and then sends what it likes."""

import hashlib
import hmac
import os
import socket
import struct

HELLO, PROOF, READY, REFUSAL, PING, BYE, MESSAGE, RAW = range(1, 9)
META, DATA, SESSION = range(3)


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def text(value):
    return varint(len(value)) + value


def name(value):
    return varint(2 * len(value)) + value


def secret_of(cluster):
    with open(cluster.secret_file, "rb") as file:
        return file.readline().strip()


class Peer:
    """`with Peer(cluster, node, called) as peer:` is linked with that node of the cluster."""

    def __init__(self, cluster, node, called):
        self.secret = secret_of(cluster)
        fields = (varint(1) + varint(1) + text(cluster.name.encode()) + name(called.encode())
                  + varint(int.from_bytes(os.urandom(4), "big") + 1) + varint(1) + text(b"")
                  + text(os.urandom(32)))
        self.hello = b"MSTL" + text(fields)
        self.connection = socket.create_connection(node.listens_at, timeout=10)
        self.file = self.connection.makefile("rb")

    def __enter__(self):
        self.send(HELLO, self.hello)
        theirs = self.read(HELLO)
        self.send(PROOF, self._proof("dialler", theirs))
        if self.read(PROOF) != self._proof("accepter", theirs):
            raise AssertionError("the node does not prove the secret")
        self.send(READY)
        return self

    def __exit__(self, *_):
        self.file.close()
        self.connection.close()

    def _proof(self, side, theirs):
        words = f"muster link 1 {side}".encode()
        for hello in (self.hello, theirs):
            words += struct.pack(">I", len(hello)) + hello
        return hmac.new(self.secret, words, hashlib.sha256).digest()

    def send(self, kind, content=b""):
        self.connection.sendall(varint(1 + len(content)) + bytes([kind]) + content)

    def read(self, kind):
        """The content of the next frame, which must be of that kind."""
        got, content = self.read_any()
        if got != kind:
            raise AssertionError(f"a frame of kind {got} where one of kind {kind} was expected")
        return content

    def read_any(self):
        """Kind and content of the next frame."""
        length = shift = 0
        while True:
            byte = self.file.read(1)
            if not byte:
                raise AssertionError("the node closed the connection")
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if byte[0] < 0x80:
                break
        frame = self.file.read(length)
        return frame[0], frame[1:]
