"""A small HTTP provider, as a process: python3 provider.py REGISTRY SERVICE PORT ID

Answers every GET with its id, and registers itself by a lease at the registry's HTTP address;
"registered" is said when it is."""

import http.server
import json
import subprocess
import sys
import threading
import urllib.parse
import urllib.request


class Provider:
    """The process, for tests."""

    def __init__(self, registry, service, port, name):
        self.port = port
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-B", __file__, registry, service, str(port), name],
            stdout=subprocess.PIPE, text=True)

    def wait_registered(self):
        said = self.process.stdout.readline().strip()
        if said != "registered":
            raise AssertionError(f"provider {self.name} said {said!r}")

    def kill(self):
        """kill -9: whoever calls it now fails."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def main(registry, service, port, name):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = name.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", int(port)), Answer)
    threading.Thread(target=server.serve_forever).start()
    body = json.dumps({"ip": "127.0.0.1", "port": int(port), "ttl_seconds": 600}).encode()
    urllib.request.urlopen(urllib.request.Request(
        f"http://{registry}/api/v1/instances/{urllib.parse.quote(name)}?service={service}",
        data=body, method="PUT"), timeout=30).read()
    print("registered", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
