"""What a cluster does with nodes that do not belong to it: each is refused with a sentence that
says what is wrong and what to do, nothing is overwritten, and nobody else notices."""

import json
import os
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from cluster import Cluster
from harness import MUSTER, eventually, free_port, run
from peer import DATA, MESSAGE, META, RAW, SESSION, Peer, text


def contents(folder):
    """What is below it: path -> bytes; None for a folder, and for the lock, to which whoever looks
    into the folder writes its process id."""
    found = {}
    for where, folders, files in os.walk(folder):
        found |= {os.path.join(where, name): None for name in (*folders, *files)}
        for name in set(files) - {"LOCK"}:
            with open(os.path.join(where, name), "rb") as file:
                found[os.path.join(where, name)] = file.read()
    return found


def lines_of(node, event):
    """What the node said of such events; it writes its log a little later than it counts."""
    def said():
        with open(os.path.join(node.folder, "log"), encoding="utf-8") as lines:
            return [line for line in lines if event in line and line.endswith("\n")]
    eventually(said, f"{node.name} says {event}")
    return said()


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 1, 1)
        cls.cluster.__enter__()
        cls.members = cls.shown_members()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    @classmethod
    def shown_members(cls):
        answer = json.loads(run("members", "-o", "json", "-s",
                                cls.cluster["meta-1"].http).stdout)
        return {(m["node"], m["role"], m["incarnation"]) for m in answer["members"]}

    def tearDown(self):
        """Whoever knocked, the cluster is as before and serves."""
        self.assertEqual(self.shown_members(), self.members)
        session = self.cluster["session-1"]
        ended = run("publish", "orders", "127.0.0.1:8001", "--seconds", "0.1", "-s", session.bolt)
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def stranger(self, **settings):
        """A data server that wants to join, with these keys; dots as double underscores."""
        folder = os.path.join(self.cluster.folder, f"stranger-{self.id()}")
        self.addCleanup(shutil.rmtree, folder, True)
        keys = {"node_id": "data-9", "roles": "data", "data_dir": folder,
                "cluster.name": self.cluster.name, "cluster.join": self.cluster.join,
                "cluster.secret_file": self.cluster.secret_file,
                "cluster.listen": f"127.0.0.1:{free_port()}",
                "http.listen": f"127.0.0.1:{free_port()}"}
        keys |= {key.replace("__", "."): value for key, value in settings.items()}
        command = [MUSTER, "server"]
        for key, value in keys.items():
            command += ["--set", f"{key}={value}"]
        return command

    def says(self, command, *sentences):
        """The process says all of `sentences`, sooner or later."""
        log = os.path.join(self.cluster.folder, f"{self.id()}.log")
        with open(log, "wb") as file, subprocess.Popen(command, stdout=file,
                                                       stderr=file) as process:
            try:
                def said():
                    with open(log, encoding="utf-8") as lines:
                        return lines.read()
                for sentence in sentences:
                    eventually(lambda: sentence in said(), f"it says '{sentence}'", context=said)
            finally:
                process.kill()

    def test_a_node_of_another_cluster(self):
        self.says(self.stranger(cluster__name="other"), "link.refused_by_peer",
                  "is of cluster 'other'", "correct the cluster name or the address")

    def test_a_node_with_another_secret(self):
        secret = os.path.join(self.cluster.folder, "wrong-secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("0123456789abcdef0123456789abcdef\n")
        self.says(self.stranger(cluster__secret_file=secret), "the cluster secret is not the same: "
                  "give all nodes of the cluster the same one")

    def test_a_node_id_that_is_in_use(self):
        self.says(self.stranger(node_id="data-1"), "node id 'data-1' is in use",
                  "give this node an id of its own")

    def test_a_join_address_where_another_node_is(self):
        data = self.cluster["data-1"]
        self.says(self.stranger(cluster__join=f"meta-1={data.peer}"), "reason=other_node",
                  "node 'data-1' answers where node 'meta-1' was expected",
                  "correct the address of 'meta-1'")

    def test_a_join_address_where_nobody_is(self):
        nowhere = f"127.0.0.1:{free_port()}"
        self.says(self.stranger(cluster__join=f"meta-1={nowhere}"), "server.waits",
                  f"linked with 0 of 1 other metas; no answer from meta-1 at {nowhere}: start what "
                  "is not running, or correct the address in cluster.join (--join)")

    def test_a_join_address_that_is_wrong_shows_at_the_health_check_too(self):
        nowhere, http = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        command = self.stranger(cluster__join=f"meta-1={nowhere}", http__listen=http)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                def answer():
                    try:
                        with urllib.request.urlopen(f"http://{http}/health/ready") as ready:
                            return ready.read().decode()
                    except urllib.error.HTTPError as error:
                        return error.read().decode()
                    except OSError:
                        return ""
                eventually(lambda: f"no answer from meta-1 at {nowhere}" in answer(),
                           "it names the address", context=answer)
            finally:
                process.kill()

    def test_a_data_folder_of_another_node(self):
        folder = self.cluster["data-1"].data_folder
        copy = folder + "-copy"
        shutil.copytree(folder, copy)
        self.addCleanup(shutil.rmtree, copy, True)
        before = contents(copy)
        self.assertIn(os.path.join(copy, "owner"), before)
        ended = run(*self.stranger(data_dir=copy)[1:])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("belongs to node 'data-1' of cluster 'test'", ended.stderr)
        self.assertIn("--set data_dir=FOLDER", ended.stderr)
        ended = run(*self.stranger(data_dir=copy, cluster__name="other", node_id="data-1")[1:])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("of cluster 'other'", ended.stderr)
        self.assertEqual(contents(copy), before)

    def test_garbage_at_the_peer_port(self):
        for node in self.cluster.nodes.values():
            ended = "muster_link_connections_ended_total"
            before = node.metric(ended, reason="garbled")
            for bytes_sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(4000),
                               b"\xff" * 20, b""):
                with socket.create_connection(node.listens_at, timeout=10) as connection:
                    connection.sendall(bytes_sent)
                    if bytes_sent:
                        try:
                            while connection.recv(65536):
                                pass  # a refusal, perhaps; then it closes
                        except ConnectionResetError:
                            pass
            self.assertGreaterEqual(node.metric(ended, reason="garbled"), before + 2)
            self.assertIn("no Muster node speaks from there, the connection is ended; stop what "
                          "does, or keep it from this port", lines_of(node, "link.garbled")[0])

    def test_messages_of_a_linked_node_that_cannot_be_read(self):
        """A node of another release may be linked and say what this one does not understand."""
        cut_short = bytes([DATA, META, 1]) + b"\xff" * 9  # a PublishBatch
        unknown = bytes([DATA, META, 127])
        for node in self.cluster.nodes.values():
            before = {reason: node.metric("muster_link_unread_total", reason=reason)
                      for reason in ("malformed", "newer_release")}
            with Peer(self.cluster, node, "garbler") as peer:
                for kind, content in ((MESSAGE, cut_short), (MESSAGE, unknown), (RAW, b"\x63?"),
                                      (MESSAGE, cut_short)):
                    peer.send(kind, content)

                def counted():
                    return {reason: node.metric("muster_link_unread_total", reason=reason) - count
                            for reason, count in before.items()}
                eventually(lambda: counted() == {"malformed": 2, "newer_release": 2},
                           f"{node.name} counts all four", context=counted)
            said = lines_of(node, "link.unread")
            self.assertEqual(len(said), 1, "said once a minute")
            self.assertIn("a message of node 'garbler' cannot be read and was dropped", said[0])
            self.assertIn("a message of type 1", said[0])
            self.assertIn("is it of another release? Run the same release on all nodes", said[0])

    def test_a_meta_that_is_not_among_the_metas(self):
        ended = run(*self.stranger(roles="meta")[1:])
        self.assertEqual(ended.returncode, 2)
        self.assertIn("meta-1", ended.stderr)
        self.assertIn("data-9", ended.stderr)


class Late(unittest.TestCase):
    """What a linked node says that heard of no slot table for long."""

    def setUp(self):
        self.cluster = self.enterContext(Cluster(1, 2, 1))
        self.session = self.cluster["session-1"]
        eventually(lambda: self.slots()["moving"] == 0, "copies are placed")
        leader = self.slots()["slots"][0]["leader"]
        other = "data-2" if leader == "data-1" else "data-1"
        ended = run("slots", "move", "0", "--to", other, "-s", self.session.http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        eventually(lambda: self.slots()["slots"][0]["leader"] == other, "slot 0 has moved")
        self.wait_known()
        self.before = self.slots()

    def wait_known(self):
        """Until all nodes have the newest table, and nothing is about to change it."""
        epoch = 0
        while epoch != int(self.slots()["epoch"]):
            epoch = int(self.slots()["epoch"])
            eventually(lambda: self.slots()["moving"] == 0, "no slot moves")
            run("publish", "orders", "127.0.0.1:8001", "--seconds", "1", "-s", self.session.bolt)

    def slots(self):
        return json.loads(run("slots", "-o", "json", "-s", self.cluster["meta-1"].http).stdout)

    def nothing_changed(self):
        def table(shown):
            return shown["epoch"], [(slot["leader"], slot["epoch"], slot["followers"])
                                    for slot in shown["slots"]]
        self.assertEqual(table(self.slots()), table(self.before))

    def test_a_slot_table_that_is_older_than_the_one_in_use(self):
        older = bytes([73]) + text(bytes([1, 0])) + bytes([0, 0, 0])  # ViewReply: epoch 1
        for node, role in ((self.session, SESSION), (self.cluster["data-1"], DATA)):
            metric = f"muster_{node.roles[0]}_older_tables_total"
            with Peer(self.cluster, node, "late") as peer:
                peer.send(MESSAGE, bytes([DATA, role]) + older)
                peer.send(MESSAGE, bytes([DATA, role]) + older)
                eventually(lambda: node.metric(metric) == 2, "both are counted")
            lines = lines_of(node, "node.view.older")
            self.assertEqual(len(lines), 1, "said once a minute")
            self.assertIn("the slot table of epoch 1 that node 'late' offers is older than the one "
                          f"of epoch {self.before['epoch']} that is used, and is ignored", lines[0])
        self.nothing_changed()

    def test_a_write_by_an_older_epoch_of_its_slot(self):
        leader = self.cluster[self.before["slots"][0]["leader"]]
        batch = bytes([1, 1, 0, 0, 7, 0, 0])
        with Peer(self.cluster, leader, "late") as peer:
            peer.send(MESSAGE, bytes([SESSION, DATA]) + batch)  # PublishBatch: slot 0, epoch 0
            kind, content = peer.read_any()
            while kind != MESSAGE or content[2] != 16:
                kind, content = peer.read_any()
        self.assertIn(b"stale_epoch", content)
        self.assertIn(f"slot 0 has epoch {self.before['slots'][0]['epoch']} at node "
                      f"'{leader.name}', and this was sent for epoch 0: ask the metas for a newer "
                      "slot table, and send it to who leads there".encode(), content)
        self.assertEqual(
            leader.metric("muster_data_batches_refused_total", reason="older_epoch"), 1)
        self.nothing_changed()
        ended = run("publish", "orders", "127.0.0.1:8001", "--seconds", "0.1", "-s",
                    self.session.bolt)
        self.assertEqual(ended.returncode, 0, ended.stderr)


if __name__ == "__main__":
    unittest.main()
