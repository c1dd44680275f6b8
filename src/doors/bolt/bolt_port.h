#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/net.h"
#include "env/timers.h"
#include "wire/bolt/frame.h"
#include "wire/bolt/frame_conversation.h"
#include "wire/bolt/frame_decoder.h"

namespace muster::doors {

struct BoltPortOptions {
    bolt::FrameLimits frame_limits;
    // A connection without a whole frame for so long is closed (Java clients beat every 15 s).
    Duration idle_max = std::chrono::seconds(45);
    std::size_t connections_max = 65'536;
    std::size_t connections_per_ip_max = 16'384;
    // Of the incomplete frames of all connections together.
    std::size_t buffered_bytes_max = std::size_t{256} << 20U;
};

// Why connections were ended or frames refused.
enum class BoltRefusal : std::uint8_t {
    not_bolt,         // the bytes are no bolt frame
    broken_frame,     // a malformed one
    too_big_frame,    // over the frame limits
    idle,             // no frame for idle_max
    too_many,         // connections_max
    too_many_per_ip,  // connections_per_ip_max
    out_of_buffer,    // buffered_bytes_max
    unknown_codec,    // answered with status 9; the connection stays
    cut_frame,        // the peer went in the middle of one
};
inline constexpr std::size_t kBoltRefusals = 9;

[[nodiscard]] std::string_view to_string(BoltRefusal refusal);

// The listener of port 9600: owns the connections, cuts their bytes into bolt frames, answers
// heartbeats and hands all other frames to the conversation of the connection's codec.
//
//   Net -> BoltPort -> FrameConversation (Hessian: BoltDoor; Protobuf: the native door)
//
// A connection that sends what is no frame is closed, as Java servers do: there is no way to find
// the next frame. Owned by the process, ends before the conversations do. Loop thread only. Bounds:
// see BoltPortOptions. Uses one timer of its own.
class BoltPort final : public env::ConnectionHandler,
                       public env::TimerTarget,
                       public bolt::FramePort {
public:
    // `timers` are those of this target.
    BoltPort(BoltPortOptions options, env::Net& net, env::Clock& clock, env::Timers& timers,
             Log log);
    ~BoltPort() override;
    BoltPort(const BoltPort&) = delete;
    BoltPort& operator=(const BoltPort&) = delete;

    // Frames of `codec` go to `conversation`, which must outlive the port. Before listen().
    void serve(std::uint8_t codec, bolt::FrameConversation& conversation);

    // Gives the address that is listened at. Errors: as env::Net::listen.
    Result<env::SocketAddress> listen(const env::SocketAddress& at);

    // Stops listening and closes all connections; their conversations are told.
    void stop();

    [[nodiscard]] std::size_t connections() const {
        return connections_.size();
    }
    [[nodiscard]] std::uint64_t refused(BoltRefusal refusal) const {
        return refusals_[static_cast<std::size_t>(refusal)].value();
    }
    void write_metrics(MetricsWriter& writer) const;

    // ---- env::ConnectionHandler
    void on_accepted(env::ConnId conn, const env::SocketAddress& peer) override;
    void on_connected(env::ConnId conn) override;
    void on_bytes(env::ConnId conn, std::string_view bytes) override;
    void on_drained(env::ConnId conn) override;
    void on_closed(env::ConnId conn, const Error& why) override;

    // ---- env::TimerTarget
    void on_timer(env::TimerKey key) override;

    // ---- bolt::FramePort
    void send(env::ConnId conn, std::string frames) override;
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override;
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    void stop_reading(env::ConnId conn) override;
    void go_on_reading(env::ConnId conn) override;
    void close(env::ConnId conn, const Error& why) override;

private:
    struct Connection {
        env::SocketAddress peer;
        bolt::FrameReader reader;
        MonoTime last_frame;
        std::size_t buffered = 0;  // its share of buffered_bytes_
        std::uint8_t codec = 0;
        bool open = true;                                 // until it is forgotten
        bolt::FrameConversation* conversation = nullptr;  // null: no frame has chosen one yet
    };
    // Shared with the call that reads its frames, which may close it.
    using ConnectionPtr = std::shared_ptr<Connection>;

    [[nodiscard]] bool is_open(env::ConnId conn) const {
        return connections_.contains(conn);
    }
    void count(BoltRefusal refusal) {
        refusals_[static_cast<std::size_t>(refusal)].add();
    }
    void on_frame(env::ConnId conn, Connection& connection, const bolt::Frame& frame);
    [[nodiscard]] Duration idle_max_of(const bolt::FrameConversation* conversation) const;
    void arm_idle_timer();
    void refuse_codec(env::ConnId conn, const bolt::FrameHead& head);
    // Counts what `connection` keeps of an incomplete frame; false when that is too much.
    [[nodiscard]] bool account(Connection& connection);
    // Ends a connection for a reason of the port's; the conversation is told.
    void drop(env::ConnId conn, BoltRefusal refusal, std::string_view why);
    // Forgets the connection, gives it back for who has to be told; null when it is not known.
    ConnectionPtr forget(env::ConnId conn);

    BoltPortOptions options_;
    env::Net& net_;
    env::Clock& clock_;
    env::Timers& timers_;
    Log log_;
    std::map<std::uint8_t, bolt::FrameConversation*> conversations_;
    std::vector<env::ListenerId> listeners_;
    std::unordered_map<env::ConnId, ConnectionPtr> connections_;
    std::map<std::string, std::size_t> per_ip_;
    std::size_t buffered_bytes_ = 0;

    Counter accepted_;
    Counter frames_;
    Counter heartbeats_;
    Counter bytes_;
    std::array<Counter, kBoltRefusals> refusals_;
};

}  // namespace muster::doors
