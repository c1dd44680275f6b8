#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/id.h"
#include "base/prng.h"
#include "msg/client.h"
#include "sim/world/cuts.h"
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
    // What its page of servers says.
    [[nodiscard]] virtual std::vector<std::string> server_list() const = 0;
};

// One life of one session.
struct ServerLife {
    std::string server;
    std::uint64_t life = 0;  // zero: none

    [[nodiscard]] bool operator==(const ServerLife&) const = default;
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

// Connections between clients and session servers: each way in order and without loss, until closed
// by an end, reset by the network, or ended by the death of a process (told at once) or of its
// machine (told to nobody). What meets a cut waits until it is opened.
class Pipes {
public:
    using DoorOf = std::function<ServerEnd*(const std::string& door)>;

    Pipes(Scheduler& scheduler, Trace& trace, Prng prng, const Cuts& cuts)
        : scheduler_(scheduler), trace_(trace), prng_(prng), cuts_(cuts) {}

    // `door` gives that of the session's running life, null when there is none.
    void serve(std::string address, Process& session, DoorOf door);
    // All addresses served, in a stable order.
    [[nodiscard]] std::vector<std::string> servers() const;

    // Requires: somebody serves the address.
    PipeId connect(Process& client, ClientEnd& end, const std::string& server, std::string door);
    void send_to_server(PipeId pipe, ToServer message);
    void send_to_client(PipeId pipe, ToClient message);
    // What was sent before still arrives. The own end hears nothing more.
    void close_from_client(PipeId pipe);
    void close_from_server(PipeId pipe);

    // The network breaks the connection: what is on its way is lost.
    void reset(PipeId pipe, const Break& how);

    // A process died. With its machine nobody is told.
    void on_client_killed(const Process& client, bool machine_lost);
    void on_session_killed(const Process& session, bool machine_lost);

    // Cuts were opened: what waited goes on.
    void on_opened();

    [[nodiscard]] bool was_reset(PipeId pipe) const {
        return reset_.contains(pipe);
    }
    // Where this connection leads to.
    [[nodiscard]] ServerLife session_of(PipeId pipe) const;
    // The session that has it for open and lives, whether the client's end is there or not.
    [[nodiscard]] ServerLife holder_of(PipeId pipe) const;
    [[nodiscard]] bool held_by_session(PipeId pipe) const {
        return holder_of(pipe).life != 0;
    }
    // The page of servers of the session at the other end; empty when it does not answer.
    [[nodiscard]] std::vector<std::string> server_list(PipeId pipe) const;
    [[nodiscard]] std::vector<PipeId> open() const;

    PipeFaults faults;

private:
    struct Server {
        Process* process = nullptr;
        DoorOf door;
    };
    struct Pipe {
        const Server* server = nullptr;
        Process* client = nullptr;
        std::uint64_t client_life = 0;
        std::uint64_t session_life = 0;
        ClientEnd* end = nullptr;
        std::string door;
        bool client_open = true;
        bool server_open = false;
        bool broken = false;        // nothing on its way arrives any more
        bool machine_lost = false;  // the server's: its next life resets what it does not know
        Duration delay{};
        MonoTime last_to_server;
        MonoTime last_to_client;
    };
    using Shared = std::shared_ptr<Pipe>;

    // Carried out at `when`, or when the way from one to the other is open again.
    void travel(MonoTime when, const Process& from, const Process& to, std::function<void()> what);
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
    const Cuts& cuts_;
    std::map<std::string, Server> servers_;  // by address
    std::map<PipeId, Shared> pipes_;
    struct Waiting {
        const Process* from = nullptr;
        const Process* to = nullptr;
        std::function<void()> what;
    };
    std::vector<Waiting> waiting_;  // at a cut, in order
    std::set<PipeId> reset_;
    std::uint64_t last_ = 0;
};

}  // namespace muster::sim
