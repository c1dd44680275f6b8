"""A subscriber by the C ABI of the SDK, whose program calls whom it picks from its list: a list is
acknowledged when no call is under way to an address that left it."""

import contextlib
import ctypes
import random
import threading

from crowd import LIBRARY, Options


class _Endpoint(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("id", ctypes.c_char_p), ("box", ctypes.c_char_p),
                ("box_size", ctypes.c_size_t), ("scheme", ctypes.c_char_p),
                ("ip", ctypes.c_char_p), ("port", ctypes.c_uint16), ("weight", ctypes.c_uint32),
                ("enabled", ctypes.c_int), ("healthy", ctypes.c_int), ("zone", ctypes.c_char_p),
                ("app", ctypes.c_char_p), ("client_address", ctypes.c_char_p),
                ("metadata_count", ctypes.c_size_t), ("ramp_since_unix_ms", ctypes.c_int64),
                ("ramp_ms", ctypes.c_uint32)]


_ON_LIST = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class DrainReport(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("instances", ctypes.c_uint32),
                ("changed", ctypes.c_uint32), ("others", ctypes.c_uint32),
                ("subscribers", ctypes.c_uint32), ("behind", ctypes.c_uint32),
                ("confirmed", ctypes.c_int), ("gone", ctypes.c_int),
                ("waited_ms", ctypes.c_uint32)]


class _SubscriptionSpec(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("service", ctypes.c_char_p), ("scope", ctypes.c_int),
                ("zone", ctypes.c_char_p), ("on_list", _ON_LIST), ("context", ctypes.c_void_p),
                ("free_context", ctypes.c_void_p)]


class Caller:
    """`with Caller(service, servers) as caller:` then `with caller.picked() as (ip, port):`."""

    def __init__(self, service, servers):
        self.library = ctypes.CDLL(LIBRARY)
        self.library.muster_error_message.restype = ctypes.c_char_p
        self.changed = threading.Condition()
        self.ramps = {}  # (ip, port) -> (since, length) in ms, of those that came back
        self.addresses = []
        self.calls = {}
        self.handle = ctypes.c_void_p()
        options = Options()
        self.library.muster_options_init(ctypes.byref(options))
        options.servers = servers.encode()
        options.services_file = b""
        options.app = b"caller"
        self._call("muster_client_open", ctypes.byref(options), ctypes.byref(self.handle))
        spec = _SubscriptionSpec()
        self.library.muster_subscription_spec_init(ctypes.byref(spec))
        self.callback = _ON_LIST(self._on_list)  # lives as long as this
        spec.service, spec.on_list = service.encode(), self.callback
        self._call("muster_subscribe", self.handle, ctypes.byref(spec),
                   ctypes.byref(ctypes.c_uint64()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.muster_client_close(self.handle, ctypes.c_uint32(2000))
        self.library.muster_client_release(self.handle)

    def _call(self, name, *arguments):
        if getattr(self.library, name)(*arguments) != 0:
            raise AssertionError(f"{name}: {self.library.muster_error_message().decode()}")

    def _mark(self, name, service, address, milliseconds):
        report = DrainReport()
        self.library.muster_drain_report_init(ctypes.byref(report))
        status = getattr(self.library, name)(self.handle, service.encode(), address.encode(),
                                             ctypes.c_uint32(milliseconds), ctypes.byref(report))
        return status, report, self.library.muster_error_message().decode()

    def drain(self, service, address, timeout_ms):
        """Status, report and, of a failure, the sentence."""
        return self._mark("muster_drain", service, address, timeout_ms)

    def restore(self, service, address, ramp_ms):
        return self._mark("muster_restore", service, address, ramp_ms)

    def _on_list(self, _, told):
        addresses, ramps, index = [], {}, 0
        endpoint = _Endpoint()
        self.library.muster_endpoint_init(ctypes.byref(endpoint))
        while self.library.muster_list_at(ctypes.c_void_p(told), ctypes.c_size_t(index),
                                          ctypes.byref(endpoint)) == 0:
            address = (endpoint.ip.decode(), endpoint.port)
            addresses.append(address)
            if endpoint.ramp_ms:
                ramps[address] = (endpoint.ramp_since_unix_ms, endpoint.ramp_ms)
            index += 1
        with self.changed:
            left = set(self.addresses) - set(addresses)
            self.addresses, self.ramps = addresses, ramps
            self.changed.notify_all()
            self.changed.wait_for(lambda: not any(self.calls.get(one) for one in left))

    def wait_for(self, condition, patience=30):
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self.addresses), patience):
                raise AssertionError(f"not within {patience} s: {self.addresses}")

    @contextlib.contextmanager
    def picked(self):
        with self.changed:
            address = random.choice(self.addresses)
            self.calls[address] = self.calls.get(address, 0) + 1
        try:
            yield address
        finally:
            with self.changed:
                self.calls[address] -= 1
                self.changed.notify_all()
