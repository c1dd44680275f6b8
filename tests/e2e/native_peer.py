"""A native client written from api/proto/muster/v1/client.proto and docs/protocol/native.md alone:
it says what it likes, keeps the lists it is told, and acknowledges as it is told to."""

import struct

REQUEST, ONEWAY = 1, 2
PROTOBUF = 11
REQUEST_HEAD = struct.Struct(">BBHBiBiHHI")
RESPONSE_HEAD = struct.Struct(">BBHBiBHHHI")
PATIENCE = 60  # seconds without a word from the server
DATA_CENTER = 1  # Scope


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, value):
    """A field of a message; nothing when it has its default."""
    if not value:
        return b""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """(number, value) of each field of a message."""
    at = 0

    def number_here():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    while at < len(data):
        tag = number_here()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, number_here()
            continue
        size = number_here() if kind == 2 else {1: 8, 5: 4}[kind]
        yield tag >> 3, data[at:at + size]
        at += size


def service(data_id):
    return field(3, data_id)


def subscription(name, data_id, held=0, digest=b""):
    return field(1, field(1, name) + field(2, service(data_id)) + field(3, 1) + field(4, 1) +
                 field(5, DATA_CENTER) + field(8, held) + field(9, digest))


def publication(name, data_id, version, box, timestamp=1):
    return field(1, field(1, name) + field(2, version) + field(3, timestamp) + field(4, box) +
                 field(9, service(data_id)))


class Push:
    def __init__(self, content):
        self.service, self.zone, self.scope, self.version, self.start = b"", b"", 0, 0, 0
        self.complete = False
        self.publications, self.removed = {}, []
        for number, value in fields(content):
            if number == 1:
                self.service = value
            elif number == 2:
                self.scope = value
            elif number == 3:
                self.zone = value
            elif number == 4:
                self.version = value
            elif number == 5:
                self.complete = value == 1
            elif number == 7:
                parts = dict(fields(value))
                self.publications[parts[1].decode()] = parts.get(4, b"").decode()
            elif number == 8:
                self.start = value
            elif number == 9:
                self.removed.append(value.decode())

    @property
    def data_id(self):
        return dict(fields(self.service))[3].decode()


class NativePeer:
    """One connection. `views`: the boxes of each list by id; `pushes`: what came of it, newest
    last, when `keeps` says so."""

    def __init__(self, server, acknowledges=True, keeps=True):
        self.connection = server.connect()
        self.connection.settimeout(PATIENCE)
        self.received = b""
        self.at = 0
        self.unsent = []  # acknowledgements: sent before anything is waited for
        self.acknowledges = acknowledges
        self.keeps = keeps
        self.views, self.versions = {}, {}
        self.pushes = []
        self.pushed = 0
        self.last_request = 0  # said, and
        self.answered = 0      # answered last: in the order in which it is done

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def frame(self, kind, name, content):
        self.last_request += 1
        name = f"muster.v1.{name}".encode()
        return REQUEST_HEAD.pack(1, kind, 1, 1, self.last_request, PROTOBUF, 3000, len(name), 0,
                                 len(content)) + name + content

    def say(self, kind, name, content):
        self.connection.sendall(self.frame(kind, name, content))

    def acknowledge(self, push, version=None):
        self.say(ONEWAY, "PushAck", self.ack_of(push, version))

    @staticmethod
    def ack_of(push, version=None):
        return (field(1, push.service) + field(2, push.scope) + field(3, push.zone) +
                field(4, push.version if version is None else version))

    def bytes_here(self, size):
        """The next ones, once they are there."""
        while len(self.received) - self.at < size:
            if self.unsent:
                self.connection.sendall(b"".join(self.unsent))
                self.unsent.clear()
            more = self.connection.recv(1 << 18)
            if not more:
                raise AssertionError("the server closed the connection")
            self.received, self.at = self.received[self.at:] + more, 0
        self.at += size
        return self.received[self.at - size:self.at]

    def read(self):
        """The next frame: (bolt status, content) of an answer; a push is taken, and None."""
        head = self.bytes_here(20)
        if head[1] == 0:
            (_, _, _, _, self.answered, _, status, name, _, size) = RESPONSE_HEAD.unpack(head)
            return status, self.bytes_here(name + size)[name:]
        (*_, name, _, size) = REQUEST_HEAD.unpack(head + self.bytes_here(2))
        body = self.bytes_here(name + size)
        if body[:name] == b"muster.v1.Push":
            self.take(Push(body[name:]))
        return None

    def take(self, push):
        self.pushed += 1
        if self.keeps:
            self.pushes.append(push)
        name = push.data_id
        held = self.versions.get(name, 0)
        if push.version < held:
            raise AssertionError(f"{name} is pushed at {push.version} after {held}")
        if push.start not in (0, held):
            raise AssertionError(f"{name} is pushed from {push.start}, {held} is held")
        view = {} if push.start == 0 and push.complete else dict(self.views.get(name, {}))
        view.update(push.publications)
        for gone in push.removed:
            view.pop(gone, None)
        self.views[name], self.versions[name] = view, push.version
        if self.acknowledges:
            self.unsent.append(self.frame(ONEWAY, "PushAck", self.ack_of(push)))

    def answer(self):
        """(bolt status, [(code, detail) of each item]) of the next reply."""
        while True:
            read = self.read()
            if read is None:
                continue
            outcomes = []
            for number, value in fields(read[1]):
                if number == 1:
                    parts = dict(fields(value))
                    outcomes.append((parts.get(3, b"").decode(), parts.get(4, b"").decode()))
            return read[0], outcomes

    def ask(self, name, content):
        self.say(REQUEST, name, content)
        return self.answer()

    def subscribe(self, name, data_id, **held):
        return self.ask("SubscribeRequest", subscription(name, data_id, **held))

    def register(self, *arguments, **more):
        return self.ask("RegisterRequest", publication(*arguments, **more))

    def next_push(self):
        """The next one, which is taken. Requires: they are kept."""
        before = self.pushed
        while self.pushed == before:
            self.read()
        return self.pushes[-1]

    def read_until(self, condition):
        while not condition():
            self.read()
        self.connection.sendall(b"".join(self.unsent))
        self.unsent.clear()
