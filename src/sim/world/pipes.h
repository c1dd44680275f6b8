#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <variant>

#include "base/id.h"
#include "base/prng.h"
#include "msg/client.h"
#include "sim/world/process.h"

namespace muster::sim {

struct Heartbeat {};
struct HeartbeatAck {};
using ToServer = std::variant<msg::ClientMessage, Heartbeat>;
using ToClient =
    std::variant<msg::RequestReply, msg::Push, msg::ConfigPush, msg::ServerHint, HeartbeatAck>;

using PipeId = Id<struct PipeIdTag, std::uint64_t>;

// The client's end of its connections.
class ClientEnd {
public:
    virtual ~ClientEnd() = default;
    virtual void on_up(PipeId pipe) = 0;
    virtual void on_message(PipeId pipe, const ToClient& message) = 0;
    virtual void on_down(PipeId pipe) = 0;
};

// The server's end of all connections to it.
class ServerEnd {
public:
    virtual ~ServerEnd() = default;
    virtual void on_accepted(PipeId pipe, const std::string& client) = 0;
    virtual void on_message(PipeId pipe, const ToServer& message) = 0;
    virtual void on_closed(PipeId pipe) = 0;
};

// How a connection is broken by the network. An end that is not told finds out by its own timeouts.
struct Break {
    bool client_told = true;
    bool server_told = true;
    Duration client_told_after{};
    Duration server_told_after{};
};

struct PipeFaults {
    Duration delay_min = std::chrono::microseconds(50);
    Duration delay_max = std::chrono::milliseconds(1);
    bool connects_hang = false;
};

// Connections between clients and the session server: each way in order and without loss, until
// closed by an end, reset by the network, or cut by the death of a process (told at once) or of its
// machine (told to nobody).
class Pipes {
public:
    Pipes(Scheduler& scheduler, Trace& trace, Prng prng)
        : scheduler_(scheduler), trace_(trace), prng_(prng) {}

    // The door of the session's running life, null when there is none.
    void serve(Process& session, std::function<ServerEnd*(const std::string& door)> door);

    PipeId connect(Process& client, ClientEnd& end, std::string door);
    void send_to_server(PipeId pipe, ToServer message);
    void send_to_client(PipeId pipe, ToClient message);
    // What was sent before still arrives. The own end hears nothing more.
    void close_from_client(PipeId pipe);
    void close_from_server(PipeId pipe);

    // The network breaks the connection: what is on its way is lost.
    void reset(PipeId pipe, const Break& how);

    // A process died. With its machine nobody is told.
    void on_client_killed(const Process& client, bool machine_lost);
    void on_session_killed(bool machine_lost);

    // The life of the session that this connection leads to; zero: none.
    [[nodiscard]] std::uint64_t session_life_of(PipeId pipe) const;
    [[nodiscard]] std::vector<PipeId> open() const;

    PipeFaults faults;

private:
    struct Pipe {
        Process* client = nullptr;
        std::uint64_t client_life = 0;
        std::uint64_t session_life = 0;
        ClientEnd* end = nullptr;
        std::string door;
        bool client_open = true;
        bool server_open = false;
        bool broken = false;  // nothing on its way arrives any more
        bool machine_lost = false;  // the server's: its next life resets what it does not know
        Duration delay{};
        MonoTime last_to_server;
        MonoTime last_to_client;
    };
    using Shared = std::shared_ptr<Pipe>;

    [[nodiscard]] MonoTime arrival(const Pipe& pipe, MonoTime& last);
    void to_server(PipeId id, const Shared& pipe, MonoTime when, bool even_broken,
                   std::function<void(ServerEnd&)> what, Channel channel = 0);
    void to_client(PipeId id, const Shared& pipe, MonoTime when, bool even_broken,
                   std::function<void(ClientEnd&)> what);
    void tell_client_down(PipeId id, const Shared& pipe, MonoTime when, bool even_broken);
    void tell_server_closed(PipeId id, const Shared& pipe, MonoTime when, bool even_broken);
    void forget_when_closed(PipeId id, const Shared& pipe);

    Scheduler& scheduler_;
    Trace& trace_;
    Prng prng_;
    Process* session_ = nullptr;
    std::function<ServerEnd*(const std::string&)> door_;
    std::map<PipeId, Shared> pipes_;
    std::uint64_t last_ = 0;
};

}  // namespace muster::sim
