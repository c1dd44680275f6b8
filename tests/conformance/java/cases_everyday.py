"""Publishing, subscribing and what lists may hold, while nothing breaks."""

import re

EMOJI = "\U0001F680"


def a_published_box_reaches_another_jvm(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    seen.shows()
    provider.publish("orders", "10.0.0.1:80").is_registered()
    seen.shows("10.0.0.1:80")


def a_late_subscriber_gets_the_present_list(case):
    server = case.server()
    provider = case.client(server)
    provider.publish("orders", "10.0.0.1:80", "10.0.0.1:81").is_registered()
    case.client(server).subscribe("orders").shows("10.0.0.1:80", "10.0.0.1:81")


def a_client_subscribes_to_what_it_publishes(case):
    client = case.client(case.server())
    client.publish("orders", "10.0.0.1:80")
    client.subscribe("orders").shows("10.0.0.1:80")


def the_providers_of_two_jvms_stand_in_one_list(case):
    server = case.server()
    one, two = case.client(server), case.client(server)
    one.publish("orders", "10.0.0.1:80")
    two.publish("orders", "10.0.0.2:80")
    for client in (one, two):
        client.subscribe("orders").shows("10.0.0.1:80", "10.0.0.2:80")


def scope_zone_shows_the_own_zone_and_the_wider_scopes_show_all(case):
    server = case.server()
    east, west = case.client(server, zone="EAST"), case.client(server, zone="WEST")
    everything = {"EAST": ["10.0.0.1:80"], "WEST": ["10.0.0.2:80", "10.0.0.3:80"]}
    subscribers = [(client, scope, client.subscribe("orders", scope))
                   for client in (east, west) for scope in ("zone", "dataCenter", "global")]
    east.publish("orders", "10.0.0.1:80")
    west.publish("orders", "10.0.0.2:80")
    west.publish("orders", "10.0.0.3:80")
    for client, scope, subscriber in subscribers:
        own = "EAST" if client is east else "WEST"
        subscriber.shows_zones({own: everything[own]} if scope == "zone" else everything)
        case.eventually("the client is told its own zone",
                        lambda s=subscriber, z=own: (s.look()["local_zone"] == z, s.look()))
        for zones in subscriber.callbacks():
            assert scope != "zone" or set(zones) <= {own}, f"zone {own} was shown {zones}"


def groups_are_services_of_their_own(case):
    client = case.client(case.server())
    client.publish("orders", "10.0.0.1:80", group="BLUE")
    client.publish("orders", "10.0.0.2:80", group="GREEN")
    client.subscribe("orders", group="BLUE").shows("10.0.0.1:80")
    client.subscribe("orders", group="GREEN").shows("10.0.0.2:80")
    client.subscribe("orders").shows()


def the_last_of_200_quick_republishes_wins(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    publisher = provider.publish("orders", "first")
    seen.shows("first")
    publisher.republish_many("state-", 200)
    seen.shows("state-199")
    for zones in seen.callbacks():
        boxes = [box for zone in zones.values() for box in zone]
        assert len(boxes) <= 1, f"one publisher was shown with two states: {boxes}"
    publisher.republish("final")
    seen.shows("final")


def an_unpublished_box_goes_and_may_come_again(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    provider.publish("orders", "10.0.0.1:80")
    going = provider.publish("orders", "10.0.0.1:81")
    seen.shows("10.0.0.1:80", "10.0.0.1:81")
    going.leave()
    seen.shows("10.0.0.1:80")
    provider.publish("orders", "10.0.0.1:81")
    seen.shows("10.0.0.1:80", "10.0.0.1:81")


def the_last_unpublish_leaves_an_empty_list(case):
    client = case.client(case.server())
    publisher = client.publish("orders", "10.0.0.1:80")
    seen = client.subscribe("orders")
    seen.shows("10.0.0.1:80")
    publisher.leave()
    seen.shows()


def an_unsubscribed_observer_is_not_called_again(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    publisher = provider.publish("orders", "10.0.0.1:80")
    leaving, staying = consumer.subscribe("orders"), consumer.subscribe("orders")
    leaving.shows("10.0.0.1:80")
    staying.shows("10.0.0.1:80")
    ids = [subscriber.look()["regist_id"] for subscriber in (leaving, staying)]
    assert server.subscriber_ids("orders") == sorted(ids), server.subscriber_ids("orders")
    leaving.leave()
    case.eventually("the server knows one subscriber less",
                    lambda: (server.subscriber_ids("orders") == ids[1:],
                             server.subscriber_ids("orders")))
    calls = len(leaving.callbacks())
    for number in range(10):
        publisher.republish(f"10.0.0.1:{number}")
        staying.shows(f"10.0.0.1:{number}")
    case.stays("the unsubscribed observer stays silent",
               lambda: (len(leaving.callbacks()) == calls, leaving.callbacks()[calls:]), 1.0)


def fifty_publishers_and_fifty_subscribers_share_one_connection(case):
    server = case.server()
    client = case.client(server)
    subscribers = [client.subscribe(f"service-{i % 10}") for i in range(50)]
    publishers = [client.publish(f"service-{i % 10}", f"box-{i}") for i in range(50)]
    for i, subscriber in enumerate(subscribers):
        subscriber.shows(*(f"box-{k}" for k in range(50) if k % 10 == i % 10))
    assert len(client.connections()) == 1, client.connections()
    for i, publisher in enumerate(publishers):
        publisher.republish(f"new-{i}")
    for i, subscriber in enumerate(subscribers):
        subscriber.shows(*(f"new-{k}" for k in range(50) if k % 10 == i % 10))


def subscriptions_refused_for_their_rate_are_asked_for_until_they_are_taken(case):
    server = case.server(settings=("session.client_subscribes.per_second=2",
                                   "session.client_subscribes.burst=2"))
    provider, client = case.client(server), case.client(server)
    for i in range(8):
        provider.publish(f"service-{i}", f"box-{i}")
    subscribers = [client.subscribe(f"service-{i}") for i in range(8)]
    for i, subscriber in enumerate(subscribers):
        subscriber.shows(f"box-{i}")
    metrics = server.request("GET", "/metrics")[1]
    refused = re.search(r'_subscribes_refused_total\{limit="client"\} (\d+)', metrics)
    assert int(refused[1]) > 0, "none was refused"


def boxes_of_40000_characters_and_beyond_the_bmp_arrive_unchanged(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    boxes = [
        "a" * 40_000,
        EMOJI * 40_000,
        "b" * 0x7FFF + EMOJI + "c",  # a surrogate pair across the 0x8000 chunk edge
        "d" * 0x8000,
        "e" * 0x8001,
        "\u00e4\u00f6\u00fc \u4e2d\u6587 \u20ac \x00 \x7f " + EMOJI,
        "",
    ]
    seen = consumer.subscribe("\u8ba2\u5355-" + EMOJI)
    provider.publish("\u8ba2\u5355-" + EMOJI, *boxes)
    seen.shows(*boxes)


def half_a_surrogate_pair_does_not_spoil_its_neighbours(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    provider.publish("orders", "before", "x\ud83dy", "x\ude80y", "after")

    def probe():
        told = seen.callbacks()
        boxes = told[-1].get("DEFAULT_ZONE", []) if told else []
        # Java may keep a lone surrogate; UTF-8 cannot, so a replacement is as good.
        kept = [box for box in boxes if box[:1] == "x" and box[-1:] == "y"]
        return len(boxes) == 4 and len(kept) == 2 and {"before", "after"} < set(boxes), boxes
    case.eventually("four boxes, the ordinary ones unchanged", probe)


def a_publication_may_have_no_boxes_for_a_while(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    publisher = provider.publish("orders").is_registered()
    seen.shows()
    publisher.republish("10.0.0.1:80")
    seen.shows("10.0.0.1:80")
    publisher.republish()
    seen.shows()


def null_lists_and_null_boxes_are_taken(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    provider.publish_null_list("orders").is_registered()
    provider.publish("orders", None, "10.0.0.1:80").is_registered()

    def probe():
        told = seen.callbacks()
        boxes = told[-1].get("DEFAULT_ZONE", []) if told else []
        # Boxes are text to the registry: a null may come back as the empty text.
        return [box or "" for box in boxes] == ["", "10.0.0.1:80"], boxes
    case.eventually("the null box and the other one are shown", probe)


def two_thousand_boxes_of_one_publisher_arrive(case):
    server = case.server()
    consumer, provider = case.client(server), case.client(server)
    seen = consumer.subscribe("orders")
    boxes = [f"10.0.{i // 256}.{i % 256}:12200?weight=100&app=orders" for i in range(2_000)]
    publisher = provider.publish("orders", *boxes)
    seen.shows(*boxes)
    publisher.republish(*boxes[1:])
    seen.shows(*boxes[1:])


def protocol_2_with_crc_carries_requests_and_pushes(case):
    server = case.server()
    entry = f"127.0.0.1:{server.bolt_port}?_PROTOCOL=2&_VERSION=2"
    consumer, provider = (case.client(server, server_entry=entry) for _ in range(2))
    seen, plain_seen = consumer.subscribe("orders"), case.client(server).subscribe("orders")
    publisher = provider.publish("orders", "10.0.0.1:80")
    config = consumer.configure("limits")
    seen.shows("10.0.0.1:80")
    plain_seen.shows("10.0.0.1:80")
    server.set_config("limits", "rate=10")
    config.shows("rate=10")
    before = consumer.connections()  # a client closes the connection on a wrong CRC
    publisher.republish("a" * 40_000)
    seen.shows("a" * 40_000)
    assert consumer.connections() == before, "the client has reconnected"


def clients_of_the_oldest_and_the_newest_version_see_each_other(case):
    server = case.server()
    this, other = case.client(server), case.client(server, other_version=True)
    publisher = this.publish("orders", "of-this")
    other.publish("orders", "of-other-" + EMOJI)
    seen = [client.subscribe("orders") for client in (this, other)]
    for subscriber in seen:
        subscriber.shows("of-this", "of-other-" + EMOJI)
    publisher.leave()
    for subscriber in seen:
        subscriber.shows("of-other-" + EMOJI)


def data_stays_visible_after_sync_config(case):
    server = case.server()
    consumer, provider = case.client(server, sync_config_ms=1000), case.client(server)
    publisher = provider.publish("orders", "10.0.0.1:80").is_registered()
    seen = consumer.subscribe("orders")
    seen.shows("10.0.0.1:80")
    # The segments named by the first sync-config make the client call its observers again, with
    # the lists of the named segments only.
    case.eventually("the observer is called again after sync-config",
                    lambda: (len(seen.callbacks()) >= 2, seen.callbacks()))
    seen.shows("10.0.0.1:80")
    seen.never_lacked("10.0.0.1:80")
    publisher.republish("10.0.0.1:81")
    seen.shows("10.0.0.1:81")


def idle_clients_keep_their_connections_and_lists_for_65_seconds(case):
    server = case.server()
    provider = case.client(server)
    publisher = provider.publish("orders", "10.0.0.1:80").is_registered()
    # The first sends nothing but heartbeats (every 15 s) and closes its connection after 45 to 60 s
    # when they are not answered; the second asks for its sync-config after 30 s.
    silent, ordinary = case.client(server, sync_config_ms=600_000), case.client(server)
    seen = [client.subscribe("orders") for client in (silent, ordinary)]
    for subscriber in seen:
        subscriber.shows("10.0.0.1:80")
    clients = (silent, ordinary, provider)
    before = [client.connections() for client in clients]

    def probe():
        now = [client.connections() for client in clients]
        return now == before, now
    case.stays(f"the connections are still {before}", probe, 65.0)
    for subscriber in seen:
        subscriber.never_lacked("10.0.0.1:80")
        subscriber.shows("10.0.0.1:80")
    publisher.republish("10.0.0.1:81")
    for subscriber in seen:
        subscriber.shows("10.0.0.1:81")


CASES = [
    idle_clients_keep_their_connections_and_lists_for_65_seconds,  # longest first
    a_published_box_reaches_another_jvm,
    a_late_subscriber_gets_the_present_list,
    a_client_subscribes_to_what_it_publishes,
    the_providers_of_two_jvms_stand_in_one_list,
    scope_zone_shows_the_own_zone_and_the_wider_scopes_show_all,
    groups_are_services_of_their_own,
    the_last_of_200_quick_republishes_wins,
    an_unpublished_box_goes_and_may_come_again,
    the_last_unpublish_leaves_an_empty_list,
    an_unsubscribed_observer_is_not_called_again,
    fifty_publishers_and_fifty_subscribers_share_one_connection,
    subscriptions_refused_for_their_rate_are_asked_for_until_they_are_taken,
    boxes_of_40000_characters_and_beyond_the_bmp_arrive_unchanged,
    half_a_surrogate_pair_does_not_spoil_its_neighbours,
    a_publication_may_have_no_boxes_for_a_while,
    null_lists_and_null_boxes_are_taken,
    two_thousand_boxes_of_one_publisher_arrive,
    protocol_2_with_crc_carries_requests_and_pushes,
    clients_of_the_oldest_and_the_newest_version_see_each_other,
    data_stays_visible_after_sync_config,
]
