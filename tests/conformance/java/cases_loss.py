"""Loss of providers and of the server. No callback may ever show less than what lives."""

import signal

from java_client import RETURN_WITHIN_S

# Longest return of a Java client, plus the time the server gives clients of its earlier life.
RIGHT_AGAIN_WITHIN_S = RETURN_WITHIN_S + 15.0


def a_killed_jvm_disappears_and_nobody_else_does(case):
    server = case.server()
    consumer, stable, doomed = (case.client(server) for _ in range(3))
    seen = consumer.subscribe("orders")
    elsewhere = consumer.subscribe("bills")
    stable.publish("orders", "stable")
    stable.publish("bills", "stable-bill")
    doomed.publish("orders", "doomed")
    doomed.publish("orders", "doomed-too")
    seen.shows("stable", "doomed", "doomed-too")
    elsewhere.shows("stable-bill")
    calls, bill_calls = len(seen.callbacks()), len(elsewhere.callbacks())
    doomed.kill()
    seen.shows("stable", within=5.0)
    seen.never_lacked("stable", since=calls - 1)
    elsewhere.never_lacked("stable-bill", since=bill_calls - 1)


class Fleet:
    """Three providers and two consumers in five JVMs, all lists right."""

    def __init__(self, case):
        self.server = case.server()
        self.providers = [case.client(self.server) for _ in range(3)]
        self.consumers = [case.client(self.server) for _ in range(2)]
        self.seen = [consumer.subscribe("orders") for consumer in self.consumers]
        self.publishers = [provider.publish("orders", f"box-{i}")
                           for i, provider in enumerate(self.providers)]
        # A history, so that a server that counts its versions from the start is found out.
        for i in range(30):
            self.publishers[0].republish(f"early-{i}")
            self.seen[0].shows(f"early-{i}", "box-1", "box-2")
        self.publishers[0].republish("box-0")
        self.all_show("box-0", "box-1", "box-2")
        self.mark()

    def all_show(self, *boxes, within=20.0):
        for subscriber in self.seen:
            subscriber.shows(*boxes, within=within)

    def mark(self):
        """From here on no callback may show less than what lives."""
        self.calls = [len(subscriber.callbacks()) - 1 for subscriber in self.seen]
        self.connections = {client: client.connections()
                            for client in self.providers + self.consumers}

    def none_lacked(self, *boxes):
        for subscriber, since in zip(self.seen, self.calls):
            subscriber.never_lacked(*boxes, since=since)

    def is_back(self, clients=None):
        for client in clients or self.providers + self.consumers:
            client.is_back(self.connections[client])


def a_killed_and_restarted_server_heals_without_a_falsely_missing_provider(case):
    fleet = Fleet(case)
    fleet.server.kill()
    fleet.server.start()
    fleet.is_back()
    fleet.all_show("box-0", "box-1", "box-2")
    fleet.none_lacked("box-0", "box-1", "box-2")
    # Clients ignore what is not newer than what they saw before the restart.
    fleet.publishers[0].republish("box-0-changed")
    fleet.all_show("box-0-changed", "box-1", "box-2", within=RIGHT_AGAIN_WITHIN_S)
    fleet.none_lacked("box-1", "box-2")
    fleet.publishers[1].leave()
    fleet.all_show("box-0-changed", "box-2")
    late = case.client(fleet.server).subscribe("orders")
    late.shows("box-0-changed", "box-2")


def two_kills_in_a_row_heal_as_one(case):
    fleet = Fleet(case)
    fleet.server.kill()
    fleet.server.start()
    fleet.is_back(fleet.providers[:1])  # some are back, some are not
    fleet.server.kill()
    fleet.server.start()
    case.eventually("every client is connected",
                    lambda: (all(c.connections() for c in fleet.connections), None),
                    RETURN_WITHIN_S)
    fleet.publishers[0].republish("box-0-changed")
    fleet.all_show("box-0-changed", "box-1", "box-2", within=RIGHT_AGAIN_WITHIN_S)
    fleet.none_lacked("box-1", "box-2")


def changes_made_while_the_server_is_down_arrive_when_it_is_back(case):
    fleet = Fleet(case)
    fleet.server.kill()
    calls = [len(subscriber.callbacks()) for subscriber in fleet.seen]
    fleet.publishers[0].republish("box-0-changed")
    fleet.publishers[1].leave()
    fleet.providers[2].publish("orders", "box-3")
    case.stays("without a server nobody is told anything",
               lambda: ([len(s.callbacks()) for s in fleet.seen] == calls, fleet.seen), 8.0)
    for subscriber in fleet.seen:
        assert subscriber.look()["zones"], "the client must keep what it has"
    fleet.server.start()
    fleet.is_back()
    fleet.all_show("box-0-changed", "box-2", "box-3", within=RIGHT_AGAIN_WITHIN_S)
    fleet.none_lacked("box-2")


def a_provider_that_died_with_the_server_goes_and_the_living_stay(case):
    fleet = Fleet(case)
    fleet.server.kill()
    fleet.providers[2].kill()
    fleet.server.start()
    fleet.is_back(fleet.providers[:2] + fleet.consumers)
    fleet.all_show("box-0", "box-1", within=RIGHT_AGAIN_WITHIN_S)
    fleet.none_lacked("box-0", "box-1")


def a_server_killed_amid_republishing_shows_the_last_values(case):
    server = case.server()
    provider, consumer = case.client(server), case.client(server)
    seen = [consumer.subscribe(f"service-{i}") for i in range(30)]
    publishers = [provider.publish(f"service-{i}", "first") for i in range(30)]
    provider.publish("steady", "steady")
    steady = consumer.subscribe("steady")
    steady.shows("steady")
    for publisher in publishers:
        publisher.republish_many("before-", 50)
    connections = {client: client.connections() for client in (provider, consumer)}
    server.kill()
    for publisher in publishers:
        publisher.republish_many("down-", 5)
    server.start()
    for publisher in publishers:
        publisher.republish_many("after-", 50)
    for client, before in connections.items():
        client.is_back(before)
    for subscriber in seen:
        subscriber.shows("after-49", within=RIGHT_AGAIN_WITHIN_S)
    steady.shows("steady")
    steady.never_lacked("steady", since=1)


def a_paused_server_drops_nobody(case):
    fleet = Fleet(case)
    fleet.server.process.signal(signal.SIGSTOP)
    calls = [len(subscriber.callbacks()) for subscriber in fleet.seen]
    case.stays("a paused server tells nobody anything",
               lambda: ([len(s.callbacks()) for s in fleet.seen] == calls, None), 6.0)
    fleet.server.process.signal(signal.SIGCONT)
    fleet.publishers[0].republish("box-0-changed")
    fleet.all_show("box-0-changed", "box-1", "box-2", within=RIGHT_AGAIN_WITHIN_S)
    fleet.none_lacked("box-1", "box-2")


CASES = [
    a_killed_and_restarted_server_heals_without_a_falsely_missing_provider,
    a_provider_that_died_with_the_server_goes_and_the_living_stay,
    changes_made_while_the_server_is_down_arrive_when_it_is_back,
    two_kills_in_a_row_heal_as_one,
    a_server_killed_amid_republishing_shows_the_last_values,
    a_killed_jvm_disappears_and_nobody_else_does,
    a_paused_server_drops_nobody,
]
