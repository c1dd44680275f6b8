"""Configurators: values that operators set over HTTP."""

EMOJI = "\U0001F680"


def a_configurator_sees_nothing_then_each_value_then_nothing_again(case):
    server = case.server()
    config = case.client(server).configure("limits")
    config.shows(None)
    for value in ("rate=10", "rate=20", ""):
        server.set_config("limits", value)
        config.shows(value)
    server.delete_config("limits")
    case.eventually("the deleted value is told as null",
                    lambda: (config.values()[-1] is None, config.values()[-3:]))
    config.shows(None)
    server.set_config("limits", "rate=30")
    config.shows("rate=30")


def a_value_set_before_reaches_every_configurator(case):
    server = case.server()
    value = "a" * 40_000 + EMOJI * 100 + "\u4e2d\u6587"
    server.set_config("limits", value)
    for client in (case.client(server), case.client(server, zone="WEST")):
        client.configure("limits").shows(value)


def a_value_survives_kill_and_restart_and_changes_afterwards(case):
    server = case.server()
    client = case.client(server)
    config = client.configure("limits")
    server.set_config("limits", "before")
    config.shows("before")
    told, connections = len(config.values()), client.connections()
    server.kill()
    server.start()
    client.is_back(connections)
    server.set_config("limits", "after")
    config.shows("after")
    late = case.client(server).configure("limits")
    late.shows("after")
    wrong = [value for value in config.values()[told:] if value not in ("before", "after")]
    assert not wrong, f"the restart showed {wrong}"


CASES = [
    a_configurator_sees_nothing_then_each_value_then_nothing_again,
    a_value_set_before_reaches_every_configurator,
    a_value_survives_kill_and_restart_and_changes_afterwards,
]
