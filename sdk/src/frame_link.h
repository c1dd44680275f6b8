#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/log.h"
#include "doors/native_codec/native_codec.h"
#include "env/clock.h"
#include "env/net.h"
#include "msg/client_mark.h"
#include "roles/client/client.h"
#include "wire/bolt/frame_decoder.h"

namespace muster::sdk_core {

// The client role's link as native messages in bolt frames on TCP connections.
//
//   ClientRole -> encode -> frame -> Net          Net -> frames -> decode -> ClientRole
//
// A stream that breaks the protocol ends its connection; a message that does is counted and
// dropped, because the role asks again for what does not come. Owned by the client's core; the role
// is bound before anything is received. Loop thread only. Bounds: one frame of
// client_codec_limits() per connection; the role has at most three connections.
class FrameLink final : public client::ClientLink, private env::ConnectionHandler {
public:
    struct Stats {
        std::uint64_t pushes = 0;
        std::uint64_t bad_messages = 0;
        std::uint64_t received_bytes = 0;
    };

    FrameLink(env::Net& net, const env::Clock& clock, Log log);

    void bind(client::ClientRole& role) {
        role_ = &role;
    }
    // Who is told the answers to requests of send_mark().
    using MarkEar = std::function<void(msg::RequestId, Result<msg::MarkOutcome>)>;
    void tell_marks_to(MarkEar ear) {
        mark_ear_ = std::move(ear);
    }
    void send_mark(client::LinkId link, const msg::MarkWish& wish);
    // When the bytes that are being handled came in.
    [[nodiscard]] MonoTime received() const {
        return received_;
    }
    [[nodiscard]] const Stats& stats() const {
        return stats_;
    }

    void connect(client::LinkId link, const std::string& server) override;
    void send(client::LinkId link, msg::ClientMessage message) override;
    void send_heartbeat(client::LinkId link) override;
    void disconnect(client::LinkId link) override;

private:
    struct Connection {
        client::LinkId link;
        std::shared_ptr<bolt::FrameReader> reader;
        std::int32_t last_heartbeat = 0;
    };

    void on_accepted(env::ConnId conn, const env::SocketAddress& peer) override;
    void on_connected(env::ConnId conn) override;
    void on_bytes(env::ConnId conn, std::string_view bytes) override;
    void on_drained(env::ConnId conn) override;
    void on_closed(env::ConnId conn, const Error& why) override;

    void on_frame(client::LinkId link, const bolt::Frame& frame);
    void on_response(client::LinkId link, const bolt::Frame& frame);
    void on_mark_response(const native::ResponseHead& head, const bolt::Frame& frame);
    void on_server_message(client::LinkId link, const bolt::Frame& frame);
    void drop(std::string_view what, const Error& why);

    env::Net& net_;
    const env::Clock& clock_;
    Log log_;
    client::ClientRole* role_ = nullptr;
    MarkEar mark_ear_;
    native::CodecLimits limits_;
    std::map<env::ConnId, Connection> connections_;
    std::map<client::LinkId, env::ConnId> by_link_;
    MonoTime received_;
    Stats stats_;
};

}  // namespace muster::sdk_core
