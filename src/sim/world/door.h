#pragma once

#include <functional>
#include <map>
#include <string>

#include "msg/client_port.h"
#include "roles/session/client_face.h"
#include "sim/world/pipes.h"
#include "sim/world/process.h"

namespace muster::sim {

// What a door can do with lists.
struct Dialect {
    std::string name;
    bool shows_incomplete = true;
    bool takes_deltas = true;
    bool follows_hints = true;
};

inline const Dialect kNative{.name = "native"};
inline const Dialect kJava{
    .name = "bolt", .shows_incomplete = false, .takes_deltas = false, .follows_hints = false};

// How a connection ended at a living session.
enum class ConnectionEnd : std::uint8_t {
    lost,       // its client or the network closed it, or nothing was heard for too long
    sent_away,  // the session closed it, so that its client goes to another one
};

// A door in one life of the session's process: pipes on one side, the session on the other, without
// bytes between. Closes what was not heard for kIdleMax; time it stood still itself does not count.
class Door final : public ServerEnd, public msg::ClientPort {
public:
    static constexpr Duration kIdleMax = std::chrono::seconds(15);
    static constexpr Duration kTick = std::chrono::seconds(1);

    // Told every connection that ends here while the session lives.
    using Ended = std::function<void(PipeId, ConnectionEnd)>;

    Door(Dialect dialect, Process& process, Pipes& pipes, session::ClientFace& session,
         Ended ended);

    // The connection takes no more for so long; then it has drained.
    void congest(PipeId pipe, Duration how_long);

    // ServerEnd
    void on_accepted(PipeId pipe, const std::string& client) override;
    void on_message(PipeId pipe, const ToServer& message) override;
    void on_closed(PipeId pipe) override;
    [[nodiscard]] std::vector<std::string> server_list() const override {
        return session_.server_list();
    }

    // ClientPort
    void reply(env::ConnId conn, const msg::RequestReply& reply) override;
    void push(const msg::PushOrder& order) override;
    void push_config(env::ConnId conn, const msg::ConfigPush& push) override;
    void hint(env::ConnId conn, const msg::ServerHint& hint) override;
    [[nodiscard]] bool shows_incomplete() const override;
    [[nodiscard]] bool takes_deltas() const override;
    [[nodiscard]] bool follows_hints() const override {
        return dialect_.follows_hints;
    }
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    void close(env::ConnId conn, const Error& why) override;

    [[nodiscard]] std::size_t connections() const {
        return conns_.size();
    }

private:
    struct Conn {
        MonoTime heard;
        bool congested = false;
    };

    void tick();

    Dialect dialect_;
    Process& process_;
    Pipes& pipes_;
    session::ClientFace& session_;
    Ended ended_;
    std::map<PipeId, Conn> conns_;
    MonoTime last_tick_;
};

}  // namespace muster::sim
