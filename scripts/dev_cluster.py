#!/usr/bin/env python3
"""A cluster of processes on this machine, to play with: ./dev cluster.

    dev_cluster.py [up] [--metas N] [--data N] [--sessions N] [--free-ports]
    dev_cluster.py status|stop
    dev_cluster.py kill|pause|resume|cut|heal|restart|log NAME

`up` stays in the foreground and ends all of it on Ctrl-C; the other verbs talk to it from another
terminal. Everything lies in build/cluster, or in the folder that --folder names to every verb, anew
at every start. Nodes reach each other through relays (tests/e2e/relay.py), so that `cut` really
stops all that passes, without any rights."""

import argparse
import json
import os
import shutil
import signal
import socket
import sys
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

FOLDER = os.path.join(ROOT, "build", "cluster")
CONTROL = "control.sock"  # in the folder
MARK = ".muster-dev-cluster"  # a folder with it may be emptied
PATH_MAX = 107  # bytes that Linux takes as the path of a socket
VERBS = ("kill", "pause", "resume", "cut", "heal", "restart", "log")
FIRST_PORTS = {"meta": (0, 9613, 9610), "data": (0, 9623, 9620), "session": (9600, 9603, 9630)}


def complain(what):
    print(f"dev cluster: {what}", file=sys.stderr)
    return 1


def fixed_ports(role, number):
    """session-1 has the default ports, so that commands need no address; the next ones are 100
    further. Peer ports repeat: every node has an IP address of its own for them."""
    bolt, http, peer = FIRST_PORTS[role]
    step = 100 * (number - 1)
    return bolt + step, http + step, peer


def table(cluster):
    rows = [("NAME", "STATE", "PID", "CLIENTS", "HTTP", "PEERS", "FOLDER")]
    for node in cluster.nodes.values():
        rows.append((node.name, node.state(), str(node.process.pid) if node.is_running() else "-",
                     node.bolt if "session" in node.roles else "-", node.http, node.peer,
                     os.path.relpath(node.data_folder)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def carry_out(cluster, verb, name):
    """What one command does; gives what is said about it. Raises ValueError when it cannot be."""
    if verb == "status":
        return table(cluster)
    if name not in cluster.nodes:
        raise ValueError(f"there is no node '{name}'; there are: {', '.join(cluster.nodes)}")
    node = cluster[name]
    if verb == "log":
        return node.said()
    if verb in ("kill", "pause", "resume") and not node.is_running():
        raise ValueError(f"{name} does not run; ./dev cluster restart {name} starts it")
    if verb == "kill":
        node.kill()
        return f"{name} was killed (kill -9); ./dev cluster restart {name} starts it again"
    if verb == "pause":
        node.pause()
        return f"{name} stands still (SIGSTOP); ./dev cluster resume {name} lets it go on"
    if verb == "resume":
        node.resume()
        return f"{name} goes on"
    if verb == "cut":
        cluster.cut(name)
        return f"{name} is cut from all other nodes; ./dev cluster heal {name} ends that"
    if verb == "heal":
        cluster.heal(name)
        return f"{name} is linked again"
    if node.is_running():
        node.stop()
    node.start()
    return f"{name} was started as process {node.process.pid}"


class Control:
    """The socket by which other terminals command this one."""

    def __init__(self, cluster, stop):
        self.cluster = cluster
        self.stop = stop
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(os.path.join(cluster.folder, CONTROL))
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            with connection:
                try:
                    connection.settimeout(30)
                    words = json.loads(connection.makefile().readline())
                    connection.sendall(json.dumps(self.answer(*words)).encode() + b"\n")
                except (OSError, ValueError):
                    pass  # it went, or is not one of ours

    def answer(self, verb, name):
        if verb == "stop":
            self.stop.set()
            return {"said": "the cluster stops"}
        try:
            return {"said": carry_out(self.cluster, verb, name)}
        except (ValueError, OSError, AssertionError) as error:
            return {"error": str(error)}


def is_served(folder):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.path.join(folder, CONTROL))
            return True
        except OSError:
            return False


def may_be_emptied(folder):
    if os.path.isdir(folder):
        found = os.listdir(folder)
        return folder == FOLDER or not found or MARK in found
    return not os.path.lexists(folder)


def up(options):
    if is_served(options.folder):
        return complain(f"a cluster runs in {options.folder} already; ./dev cluster status shows "
                        "it, and --folder names another place")
    if not may_be_emptied(options.folder):
        return complain(f"{options.folder} holds other things; name a new or an empty folder")
    shutil.rmtree(options.folder, ignore_errors=True)
    os.makedirs(options.folder)
    with open(os.path.join(options.folder, MARK), "w", encoding="ascii"):
        pass
    from cluster import Cluster  # pylint: disable=import-outside-toplevel
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Cluster(options.metas, options.data, options.sessions, cuttable=True,
                 folder=options.folder, name="dev",
                 ports=None if options.free_ports else fixed_ports) as cluster:
        Control(cluster, stop)
        print(table(cluster))
        session = next(iter(cluster.of("session")), None)
        meta = cluster.of("meta")[0]
        print("\nIn another terminal:")
        if session:
            print(f"  muster watch orders -s {session.bolt}"
                  f"\n  muster publish orders 127.0.0.1:8001 -s {session.bolt}")
        print(f"  muster slots -s {meta.http}"
              "\n  ./dev cluster kill data-2        also pause, resume, cut, heal, restart, log"
              "\n  ./dev cluster status"
              "\nCtrl-C, or ./dev cluster stop, ends all of it.", flush=True)
        while not stop.wait(timeout=0.5):
            pass
    return 0


def command(verb, name, folder):
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.path.join(folder, CONTROL))
        except OSError:
            return complain("no cluster runs; ./dev cluster starts one")
        connection.settimeout(60)
        connection.sendall(json.dumps([verb, name]).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    if "error" in answer:
        return complain(answer["error"])
    print(answer["said"])
    return 0


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev cluster", description=__doc__.split("\n", 1)[0],
                                     usage="./dev cluster [--metas N] [--data N] [--sessions N] "
                                           "[--free-ports]\n       ./dev cluster status|stop\n"
                                           f"       ./dev cluster {'|'.join(VERBS)} NAME\n"
                                           "       each with [--folder DIR]")
    parser.add_argument("verb", nargs="?", default="up", choices=("up", "status", "stop", *VERBS),
                        help=argparse.SUPPRESS)
    parser.add_argument("name", nargs="?", help=argparse.SUPPRESS)
    for role, count in (("metas", 3), ("data", 3), ("sessions", 2)):
        parser.add_argument(f"--{role}", type=int, default=count, choices=range(0, 10),
                            metavar="N", help=f"{count} by default")
    parser.add_argument("--free-ports", action="store_true",
                        help="take any free ports instead of 9600, 9603, ...")
    parser.add_argument("--folder", default=FOLDER, metavar="DIR",
                        help="where all of it lies; build/cluster by default")
    options = parser.parse_args(arguments)
    options.folder = os.path.abspath(options.folder)
    if len(os.path.join(options.folder, CONTROL).encode()) > PATH_MAX:
        parser.error(f"the path of the folder is too long: {options.folder}")
    if options.verb in VERBS and options.name is None:
        parser.error(f"{options.verb} takes the name of a node, such as data-2")
    if options.verb == "up":
        if options.metas == 0:
            parser.error("a cluster has at least one meta")
        return up(options)
    return command(options.verb, options.name, options.folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
