"""Java clients of a cluster of which processes are lost. No callback may show less than lives."""

from cases_config import CASES as CONFIG_CASES
from cases_everyday import (
    idle_clients_keep_their_connections_and_lists_for_65_seconds,
    subscriptions_refused_for_their_rate_are_asked_for_until_they_are_taken)
from java_client import RETURN_WITHIN_S, wrong_versions


class Fleet:
    """Two providers and two consumers in four JVMs, all lists right and all copies placed."""

    def __init__(self, case, each=2, settings=()):
        self.case = case
        self.server = case.server(settings)
        self.nodes = self.server.nodes
        self.providers = [case.client(self.server) for _ in range(each)]
        self.consumers = [case.client(self.server, log_level="info") for _ in range(each)]
        self.seen = [consumer.subscribe("orders") for consumer in self.consumers]
        self.publishers = [provider.publish("orders", f"box-{i}")
                           for i, provider in enumerate(self.providers)]
        self.stable = self.providers[0].publish("orders", "stable")
        self.all_show(*self.boxes(), "stable")
        self.nodes.wait_placed()
        # Only what comes from here on counts: the client calls observers from several threads, so
        # of two lists that came together the older one may be told last.
        self.calls = [len(subscriber.callbacks()) for subscriber in self.seen]

    def boxes(self):
        return [f"box-{i}" for i in range(len(self.providers))]

    def all_show(self, *boxes, within=20.0):
        for subscriber in self.seen:
            subscriber.shows(*boxes, within=within)

    def none_lacked(self, *boxes):
        """Nor did a version fall."""
        for subscriber, since in zip(self.seen, self.calls):
            subscriber.never_lacked(*boxes, since=since)
        assert all(consumer.pushes("orders") for consumer in self.consumers), "no log of pushes"
        wrong = list(wrong_versions(self.consumers, "orders"))
        assert not wrong, wrong[0]

    def at(self, session):
        """The clients of a session, with their connections."""
        return {client: connections for client in self.providers + self.consumers
                if (connections := client.connections(session.bolt_port))}

    def fullest_session(self):
        return max(self.server.sessions, key=lambda session: len(self.at(session)))

    def change(self, box):
        """The second publisher says `box` from now on, and everybody hears it."""
        self.publishers[1].republish(box)
        self.all_show("box-0", box, "stable")
        self.none_lacked("box-0", "stable")


def clients_of_a_killed_session_go_to_the_other_and_nobody_is_missed(case):
    fleet = Fleet(case)
    for box in ("box-1-a", "box-1-b"):  # the second time the other session is the full one
        session = fleet.fullest_session()
        moving = fleet.at(session)
        assert moving, "somebody is connected"
        session.kill()
        for client, before in moving.items():
            client.is_back(before, RETURN_WITHIN_S)
        fleet.none_lacked("box-0", "stable")
        fleet.change(box)
        session.start()
        fleet.nodes.wait_ready(session)
    fleet.publishers[0].leave()
    fleet.all_show("box-1-b", "stable")
    fleet.none_lacked("stable")


def clients_of_a_session_that_is_ended_go_to_the_other_and_nobody_is_missed(case):
    fleet = Fleet(case)
    session = fleet.fullest_session()
    moving = fleet.at(session)
    assert moving, "somebody is connected"
    session.stop()
    assert session.process.returncode == 0, session.said()
    assert "session.left clients=0 writes=0" in session.said(), session.said()
    for client, before in moving.items():
        client.is_back(before, RETURN_WITHIN_S)
    fleet.change("box-1-a")
    session.start()
    fleet.nodes.wait_ready(session)
    fleet.publishers[0].leave()
    fleet.all_show("box-1-a", "stable")
    fleet.none_lacked("stable")


def a_new_session_gets_its_share_of_clients_and_nobody_is_missed(case):
    # Longer than the 30 s after which Java clients read the list of servers anew.
    fleet = Fleet(case, each=4, settings=("balance.grace=32s", "balance.count=0",
                                          "balance.pace=100%"))
    late = fleet.server.add_session()

    def spread():
        there = [len(fleet.at(session)) for session in fleet.server.sessions]
        return sorted(there) == [2, 3, 3], there
    case.eventually("the new session has its share", spread, 75.0)
    for client in fleet.providers + fleet.consumers:
        client.is_back(set())
    fleet.none_lacked(*fleet.boxes(), "stable")
    closed = sum(session.metric("muster_session_balance_closed_total")
                 for session in fleet.server.sessions)
    assert closed >= len(fleet.at(late)), f"{closed} were closed"
    fleet.publishers[1].republish("box-1-spread")
    fleet.all_show(*(box for box in fleet.boxes() if box != "box-1"), "box-1-spread", "stable")
    fleet.none_lacked("box-0", "box-2", "box-3", "stable")


def a_change_arrives_although_the_slot_leader_was_killed(case):
    fleet = Fleet(case)
    leader = max(fleet.nodes.of("data"), key=lambda node: node.metric("muster_data_publications"))
    assert leader.metric("muster_data_publications") > 0, "it leads the service"
    leader.kill()
    fleet.change("box-1-without-leader")
    late = case.client(fleet.server).subscribe("orders")
    late.shows("box-0", "box-1-without-leader", "stable")
    leader.start()
    fleet.nodes.wait_ready(leader)
    fleet.change("box-1-with-it-again")


def clients_come_and_change_without_metas(case):
    fleet = Fleet(case)
    for meta in fleet.nodes.of("meta"):
        meta.kill()
    fleet.change("box-1-without-metas")
    late = case.client(fleet.server).subscribe("orders")
    late.shows("box-0", "box-1-without-metas", "stable")
    for meta in fleet.nodes.of("meta"):
        meta.start()
    fleet.nodes.wait_ready()
    fleet.change("box-1-with-metas-again")


def a_provider_killed_with_its_session_goes_and_the_others_stay(case):
    fleet = Fleet(case)
    doomed = case.client(fleet.server)
    doomed.publish("orders", "doomed")
    fleet.all_show("box-0", "box-1", "stable", "doomed")
    session = next(session for session in fleet.server.sessions
                   if doomed.connections(session.bolt_port))
    doomed.kill()
    session.kill()
    fleet.all_show("box-0", "box-1", "stable", within=60.0)
    fleet.none_lacked("box-0", "box-1", "stable")


CASES = [
    clients_of_a_killed_session_go_to_the_other_and_nobody_is_missed,
    clients_of_a_session_that_is_ended_go_to_the_other_and_nobody_is_missed,
    a_new_session_gets_its_share_of_clients_and_nobody_is_missed,
    a_change_arrives_although_the_slot_leader_was_killed,
    clients_come_and_change_without_metas,
    a_provider_killed_with_its_session_goes_and_the_others_stay,
]

# Cases that say nothing about a cluster, or kill a server that is one process.
OF_ONE_PROCESS = [
    idle_clients_keep_their_connections_and_lists_for_65_seconds,
    subscriptions_refused_for_their_rate_are_asked_for_until_they_are_taken,
    *(case for case in CONFIG_CASES if "restart" in case.__name__),
]
