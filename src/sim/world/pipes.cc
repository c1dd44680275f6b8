#include "sim/world/pipes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/world/describe.h"

namespace muster::sim {
namespace {

// Channels of connections stand behind those of timers, buses and senders.
Channel channel_of(PipeId id) {
    return 1000 + id.raw();
}

std::string text(const ToServer& message) {
    const auto* known = std::get_if<msg::ClientMessage>(&message);
    return known != nullptr ? describe(*known) : "Heartbeat";
}

std::string text(const ToClient& message) {
    return std::visit(
        [](const auto& known) -> std::string {
            if constexpr (requires { describe(known); }) {
                return describe(known);
            } else {
                return "HeartbeatAck";
            }
        },
        message);
}

}  // namespace

void Pipes::serve(std::string address, Process& session, DoorOf door) {
    servers_[std::move(address)] = {&session, std::move(door)};
}

std::vector<std::string> Pipes::servers() const {
    std::vector<std::string> addresses;
    for (const auto& [address, server] : servers_) {
        addresses.push_back(address);
    }
    return addresses;
}

void Pipes::travel(MonoTime when, const Process& from, const Process& to,
                   std::function<void()> what) {
    scheduler_.at(when, [this, &from, &to, what = std::move(what)]() mutable {
        if (cuts_.blocked(from.name(), to.name())) {
            waiting_.push_back({&from, &to, std::move(what)});
        } else {
            what();
        }
    });
}

void Pipes::on_opened() {
    for (Waiting& item : std::exchange(waiting_, {})) {
        if (cuts_.blocked(item.from->name(), item.to->name())) {
            waiting_.push_back(std::move(item));
        } else {
            scheduler_.at(scheduler_.now(), std::move(item.what));
        }
    }
}

MonoTime Pipes::arrival(const Pipe& pipe, MonoTime& last) {
    const Duration jitter(prng_.between(0, pipe.delay.count() / 4));
    last = std::max(last, scheduler_.now() + pipe.delay + jitter);
    return last;
}

PipeId Pipes::connect(Process& client, ClientEnd& end, const std::string& server,
                      std::string door) {
    const auto known = servers_.find(server);
    CHECK(known != servers_.end());
    const Process& session = *known->second.process;
    const PipeId id(++last_);
    auto pipe = std::make_shared<Pipe>(Pipe{.server = &known->second,
                                            .client = &client,
                                            .client_life = client.life(),
                                            .session_life = session.life(),
                                            .end = &end,
                                            .door = std::move(door)});
    pipe->delay = Duration(prng_.between(faults.delay_min.count(), faults.delay_max.count()));
    pipes_[id] = pipe;
    if (faults.connects_hang || cuts_.apart(client.name(), session.name())) {
        pipe->broken = true;
        return id;
    }
    const MonoTime there = arrival(*pipe, pipe->last_to_server);
    if (!session.alive()) {
        pipe->broken = true;
        tell_client_down(id, pipe, there + pipe->delay, true);
        return id;
    }
    pipe->server_open = true;
    to_server(
        id, pipe, there, false,
        [id, name = client.name()](ServerEnd& known_end) { known_end.on_accepted(id, name); },
        kListenChannel);
    // The kernel answers, whatever the process does.
    pipe->last_to_client = there + pipe->delay;
    to_client(id, pipe, pipe->last_to_client, false, [this, id, &client](ClientEnd& known_end) {
        trace_.note(scheduler_.now(), client.name(), fmt::format("pipe {} is up", id.raw()));
        known_end.on_up(id);
    });
    return id;
}

void Pipes::to_server(PipeId id, const Shared& pipe, MonoTime when, bool even_broken,
                      std::function<void(ServerEnd&)> what, Channel channel) {
    Process& session = *pipe->server->process;
    travel(when, *pipe->client, session, [=, &session, what = std::move(what)] {
        if ((pipe->broken && !even_broken) || session.life() != pipe->session_life) {
            return;
        }
        session.deliver(session.scheduler().now(), channel != 0 ? channel : channel_of(id), [=] {
            ServerEnd* server = pipe->server->door(pipe->door);
            if (pipe->server_open && server != nullptr &&
                pipe->server->process->life() == pipe->session_life) {
                what(*server);
            }
        });
    });
}

void Pipes::to_client(PipeId id, const Shared& pipe, MonoTime when, bool even_broken,
                      std::function<void(ClientEnd&)> what) {
    travel(when, *pipe->server->process, *pipe->client, [=, this, what = std::move(what)] {
        if ((pipe->broken && !even_broken) || pipe->client->life() != pipe->client_life) {
            return;
        }
        pipe->client->deliver(scheduler_.now(), channel_of(id), [=] {
            if (pipe->client_open && pipe->client->life() == pipe->client_life) {
                what(*pipe->end);
            }
        });
    });
}

namespace {

// As a door does: subscribers see over which connection a publication came.
void stamp_address(ToServer& message, PipeId pipe) {
    auto* request = std::get_if<msg::ClientMessage>(&message);
    auto* registration =
        request == nullptr ? nullptr : std::get_if<msg::RegisterPublishers>(request);
    if (registration != nullptr) {
        for (PublicationPtr& publication : registration->publications) {
            auto stamped = std::make_shared<Publication>(*publication);
            stamped->client_address = fmt::format("10.0.9.1:{}", pipe.raw());
            publication = std::move(stamped);
        }
    }
}

}  // namespace

void Pipes::send_to_server(PipeId id, ToServer message) {
    const auto found = pipes_.find(id);
    if (found == pipes_.end() || !found->second->client_open) {
        return;
    }
    const Shared pipe = found->second;
    const Process& session = *pipe->server->process;
    if (pipe->machine_lost && session.alive() && session.life() != pipe->session_life) {
        // The machine is back and knows nothing of this connection: it answers with a reset.
        tell_client_down(id, pipe, arrival(*pipe, pipe->last_to_server) + pipe->delay, true);
        return;
    }
    if (pipe->broken) {
        return;
    }
    stamp_address(message, id);
    auto shared = std::make_shared<const ToServer>(std::move(message));
    to_server(id, pipe, arrival(*pipe, pipe->last_to_server), false,
              [this, id, shared, &session](ServerEnd& server) {
                  trace_.note(scheduler_.now(), session.name(),
                              fmt::format("<- pipe {} {}", id.raw(), text(*shared)));
                  server.on_message(id, *shared);
              });
}

void Pipes::send_to_client(PipeId id, ToClient message) {
    const auto found = pipes_.find(id);
    if (found == pipes_.end() || !found->second->server_open || found->second->broken) {
        return;
    }
    const Shared& pipe = found->second;
    auto shared = std::make_shared<const ToClient>(std::move(message));
    to_client(id, pipe, arrival(*pipe, pipe->last_to_client), false,
              [this, id, shared, client = pipe->client](ClientEnd& end) {
                  trace_.note(scheduler_.now(), client->name(),
                              fmt::format("<- pipe {} {}", id.raw(), text(*shared)));
                  end.on_message(id, *shared);
              });
}

void Pipes::tell_client_down(PipeId id, const Shared& pipe, MonoTime when, bool even_broken) {
    to_client(id, pipe, when, even_broken, [this, id, pipe](ClientEnd& end) {
        pipe->client_open = false;
        trace_.note(scheduler_.now(), pipe->client->name(),
                    fmt::format("pipe {} is down", id.raw()));
        forget_when_closed(id, pipe);
        end.on_down(id);
    });
}

void Pipes::tell_server_closed(PipeId id, const Shared& pipe, MonoTime when, bool even_broken) {
    to_server(id, pipe, when, even_broken, [this, id, pipe](ServerEnd& server) {
        pipe->server_open = false;
        trace_.note(scheduler_.now(), pipe->server->process->name(),
                    fmt::format("pipe {} closed", id.raw()));
        forget_when_closed(id, pipe);
        server.on_closed(id);
    });
}

void Pipes::forget_when_closed(PipeId id, const Shared& pipe) {
    if (!pipe->client_open && !pipe->server_open) {
        pipes_.erase(id);
    }
}

void Pipes::close_from_client(PipeId id) {
    const auto found = pipes_.find(id);
    if (found == pipes_.end() || !found->second->client_open) {
        return;
    }
    const Shared pipe = found->second;
    pipe->client_open = false;
    if (pipe->server_open) {
        tell_server_closed(id, pipe, arrival(*pipe, pipe->last_to_server), false);
    }
    forget_when_closed(id, pipe);
}

void Pipes::close_from_server(PipeId id) {
    const auto found = pipes_.find(id);
    if (found == pipes_.end() || !found->second->server_open) {
        return;
    }
    const Shared pipe = found->second;
    pipe->server_open = false;
    if (pipe->client_open) {
        tell_client_down(id, pipe, arrival(*pipe, pipe->last_to_client), false);
    }
    forget_when_closed(id, pipe);
}

void Pipes::reset(PipeId id, const Break& how) {
    const auto found = pipes_.find(id);
    if (found == pipes_.end() || found->second->broken) {
        return;
    }
    const Shared pipe = found->second;
    trace_.note(scheduler_.now(), "network",
                fmt::format("breaks pipe {} of {}", id.raw(), pipe->client->name()));
    pipe->broken = true;
    reset_.insert(id);
    if (how.client_told && pipe->client_open) {
        tell_client_down(id, pipe, scheduler_.now() + how.client_told_after, true);
    }
    if (how.server_told && pipe->server_open) {
        tell_server_closed(id, pipe, scheduler_.now() + how.server_told_after, true);
    }
}

void Pipes::on_client_killed(const Process& client, bool machine_lost) {
    for (const PipeId id : open()) {
        const Shared pipe = pipes_.at(id);
        if (pipe->client != &client) {
            continue;
        }
        if (machine_lost) {
            pipe->broken = true;
        }
        close_from_client(id);
    }
}

void Pipes::on_session_killed(const Process& session, bool machine_lost) {
    for (const PipeId id : open()) {
        const Shared pipe = pipes_.at(id);
        if (pipe->server->process != &session) {
            continue;
        }
        if (machine_lost && pipe->server_open) {
            pipe->broken = true;
            pipe->machine_lost = true;
        }
        close_from_server(id);
    }
}

ServerLife Pipes::session_of(PipeId pipe) const {
    const auto found = pipes_.find(pipe);
    if (found == pipes_.end() || found->second->broken) {
        return {};
    }
    return {found->second->server->process->name(), found->second->session_life};
}

ServerLife Pipes::holder_of(PipeId pipe) const {
    const auto found = pipes_.find(pipe);
    if (found == pipes_.end() || !found->second->server_open) {
        return {};
    }
    const Process& session = *found->second->server->process;
    const bool lives = session.alive() && session.life() == found->second->session_life;
    return lives ? ServerLife{session.name(), session.life()} : ServerLife{};
}

std::vector<std::string> Pipes::server_list(PipeId pipe) const {
    const auto found = pipes_.find(pipe);
    if (found == pipes_.end() || found->second->broken) {
        return {};
    }
    const Pipe& known = *found->second;
    const Process& session = *known.server->process;
    const ServerEnd* end = known.server->door(known.door);
    if (end == nullptr || session.paused() || session.life() != known.session_life ||
        cuts_.apart(known.client->name(), session.name())) {
        return {};
    }
    return end->server_list();
}

std::vector<PipeId> Pipes::open() const {
    std::vector<PipeId> ids;
    for (const auto& [id, pipe] : pipes_) {
        ids.push_back(id);
    }
    return ids;
}

}  // namespace muster::sim
