#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/prng.h"
#include "doors/native_codec/native_codec.h"
#include "roles/client/client.h"
#include "sim/deltas/byte_net.h"
#include "sim/world/process.h"
#include "wire/bolt/frame_decoder.h"

namespace muster::sim {

// A native client with the real role and the real bytes: what it says is encoded and framed, what
// it is told is cut into frames and decoded. Lives as long as the run.
class ByteClient final : private client::ClientLink,
                         private client::ClientObserver,
                         private env::ConnectionHandler {
public:
    struct Setup {
        Scheduler& scheduler;
        Trace& trace;
        ByteNet& net;
        Prng prng;
        std::string name;
        std::string zone;
        std::vector<std::string> servers;
    };
    static constexpr std::size_t kLong = 20;
    struct Told {
        std::uint64_t deltas = 0;
        std::uint64_t wholes = 0;
        std::uint64_t long_wholes = 0;  // of kLong publications or more
        std::uint64_t packed = 0;       // of these
        std::uint64_t bytes = 0;        // contents of pushes
        std::uint64_t bad_messages = 0;
        std::uint64_t connects = 0;
    };
    using OnList = std::function<void(const client::ListKey&, const ServiceView&)>;

    ByteClient(Setup setup, OnList on_list);

    [[nodiscard]] client::ClientRole& role() {
        return role_;
    }
    [[nodiscard]] const client::ClientRole& role() const {
        return role_;
    }
    [[nodiscard]] const std::string& name() const {
        return process_.name();
    }
    [[nodiscard]] const std::string& zone() const {
        return zone_;
    }
    [[nodiscard]] const Told& told() const {
        return told_;
    }
    // The connection it uses now; zero: none.
    [[nodiscard]] env::ConnId conn() const;

private:
    struct Connection {
        client::LinkId link;
        std::shared_ptr<bolt::FrameReader> reader;
        std::int32_t heartbeats = 0;
    };

    // client::ClientLink
    void connect(client::LinkId link, const std::string& server) override;
    void send(client::LinkId link, msg::ClientMessage message) override;
    void send_heartbeat(client::LinkId link) override;
    void disconnect(client::LinkId link) override;

    // client::ClientObserver
    void on_list(const client::ListKey& key, const client::ListState& list) override;
    void on_config(const Service& /*key*/, const client::ConfigState& /*config*/) override {}
    void on_state(client::ClientState /*state*/, const std::string& /*server*/) override {}
    void on_registered(const RegistId& /*id*/, std::int64_t /*version*/,
                       const Result<void>& /*result*/) override {}

    // env::ConnectionHandler
    void on_accepted(env::ConnId /*conn*/, const env::SocketAddress& /*peer*/) override {}
    void on_connected(env::ConnId conn) override;
    void on_bytes(env::ConnId conn, std::string_view bytes) override;
    void on_drained(env::ConnId /*conn*/) override {}
    void on_closed(env::ConnId conn, const Error& why) override;

    void on_frame(client::LinkId link, const bolt::Frame& frame);
    void on_response(client::LinkId link, const bolt::Frame& frame);
    void on_server_message(client::LinkId link, const bolt::Frame& frame);
    void count(const msg::Push& push, const bolt::Frame& frame);

    ByteNet& net_;
    std::string zone_;
    Process process_;
    ProcessTimers timers_;
    native::CodecLimits limits_;
    OnList on_list_;
    std::map<env::ConnId, Connection> connections_;
    std::map<client::LinkId, env::ConnId> by_link_;
    Told told_;
    client::ClientRole role_;
};

}  // namespace muster::sim
