"""Many native clients in one process, each a connection of its own, by the C ABI of the SDK.

    python3 crowd.py LIBRARY EACH BOX_BYTES SERVICE FIRST_PORT COUNT SERVERS [COUNT SERVERS ...]

Each registers EACH times 127.0.0.1 with a port of its own, or when BOX_BYTES is not 0 a box of so
many bytes; `{}` in SERVICE stands for one of a thousand numbers. "registered" is said when all are.
SIGTERM: each withdraws, then the process ends."""

import ctypes
import itertools
import os
import signal
import subprocess
import sys

from harness import MUSTER

LIBRARY = os.environ.get("MUSTER_SDK_LIB", os.path.join(
    os.path.dirname(os.path.abspath(MUSTER)), "..", "lib", "libmuster.so"))


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("servers", ctypes.c_char_p),
                ("zone", ctypes.c_char_p), ("app", ctypes.c_char_p),
                ("cache_folder", ctypes.c_char_p), ("services_file", ctypes.c_char_p),
                ("connect_timeout_ms", ctypes.c_uint32), ("request_timeout_ms", ctypes.c_uint32),
                ("heartbeat_interval_ms", ctypes.c_uint32), ("retry_max_ms", ctypes.c_uint32),
                ("poll_interval_ms", ctypes.c_uint32), ("cache_wait_ms", ctypes.c_uint32),
                ("log", ctypes.c_void_p), ("log_context", ctypes.c_void_p),
                ("log_level", ctypes.c_int)]


class EndpointSpec(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("service", ctypes.c_char_p), ("ip", ctypes.c_char_p),
                ("port", ctypes.c_uint16), ("weight", ctypes.c_uint32), ("enabled", ctypes.c_int),
                ("healthy", ctypes.c_int), ("zone", ctypes.c_char_p), ("app", ctypes.c_char_p),
                ("metadata", ctypes.c_void_p), ("metadata_count", ctypes.c_size_t),
                ("boxes", ctypes.POINTER(ctypes.c_char_p)),
                ("boxes_count", ctypes.c_size_t),
                ("on_registered", ctypes.c_void_p), ("context", ctypes.c_void_p),
                ("free_context", ctypes.c_void_p)]


class Crowd:
    """The process, for tests. `homes`: (count, servers) pairs. `with` ends it by kill -9."""

    def __init__(self, service, first_port, *homes, each=1, box_bytes=0):
        arguments = [str(part) for home in homes for part in home]
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), LIBRARY, str(each), str(box_bytes), service,
             str(first_port), *arguments], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        said = self.process.stdout.readline().strip()
        if said != "registered":
            self.__exit__()
            raise AssertionError(f"the crowd said {said!r}")
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stand_still(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def leave(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


class _Client:
    def __init__(self, library, servers):
        self.library = library
        self.handle = ctypes.c_void_p()
        self.registrations = []
        options = Options()
        library.muster_options_init(ctypes.byref(options))
        options.servers = servers.encode()
        options.services_file = b""
        options.retry_max_ms = 500
        options.heartbeat_interval_ms = 1000
        self.call("muster_client_open", ctypes.byref(options), ctypes.byref(self.handle))

    def call(self, name, *arguments):
        if getattr(self.library, name)(*arguments) != 0:
            sys.exit(f"{name}: {self.library.muster_error_message().decode()}")

    def register(self, service, port, box_bytes):
        spec = EndpointSpec()
        self.library.muster_endpoint_spec_init(ctypes.byref(spec))
        spec.service = service.encode()
        if box_bytes > 0:
            spec.boxes = (ctypes.c_char_p * 1)(f"box {port} ".encode().ljust(box_bytes, b"x"))
            spec.boxes_count = 1
        else:
            spec.ip, spec.port = b"127.0.0.1", port
        registration = ctypes.c_uint64()
        self.call("muster_register", self.handle, ctypes.byref(spec), ctypes.byref(registration))
        self.registrations.append(registration)

    def await_registered(self):
        for registration in self.registrations:
            self.call("muster_await_registered", self.handle, registration, ctypes.c_uint32(60000))

    def close(self):
        self.library.muster_client_close(self.handle, ctypes.c_uint32(5000))


def main(library, each, box_bytes, service, first_port, *homes):
    ending = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    library = ctypes.CDLL(library)
    library.muster_error_message.restype = ctypes.c_char_p
    clients = []
    numbers = itertools.count()
    for count, servers in zip(homes[::2], homes[1::2]):
        for _ in range(int(count)):
            client = _Client(library, servers)
            for number in itertools.islice(numbers, int(each)):
                client.register(service.format(number % 1000), int(first_port) + number,
                                int(box_bytes))
            clients.append(client)
    for client in clients:
        client.await_registered()
    print("registered", flush=True)
    signal.sigwait(ending)
    for client in clients:
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
