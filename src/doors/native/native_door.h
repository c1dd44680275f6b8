#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "doors/native/mark_face.h"
#include "doors/native/push_bodies.h"
#include "doors/native_codec/native_codec.h"
#include "env/net.h"
#include "msg/client_port.h"
#include "roles/session/client_face.h"
#include "wire/bolt/frame_conversation.h"

namespace muster::doors {

struct NativeDoorOptions {
    native::CodecLimits limits;
    // A connection without any frame for so long is closed; clients beat every 5 s.
    Duration idle_max = std::chrono::seconds(15);
    std::size_t push_bodies_bytes_max = std::size_t{8} << 20U;
    // Longer pushes are packed for clients that take that; zero: never.
    std::size_t pushes_packed_above = std::size_t{16} << 10U;
};

// Frames that did not become a message for the session.
enum class NativeBadFrame : std::uint8_t {
    unknown_class,   // answered with status 6
    malformed,       // no protobuf of that class: status 0x12
    over_limit,      // of CodecLimits: status 1
    invalid,         // a service or id that cannot be: status 1
    bad_oneway,      // any of these without a way to answer: the connection is closed
    stray_response,  // an answer to nothing: ignored
};
inline constexpr std::size_t kNativeBadFrames = 6;

[[nodiscard]] std::string_view to_string(NativeBadFrame bad);

// The conversation with native clients (docs/protocol/native.md): Protobuf in bolt frames, codec
// 11, on the port of the Java clients.
//
//   *Request  -> on_client_message -> session        Reply              <- reply
//   PushAck   -> on_client_message -> session        Push, ConfigPush,  <- push, push_config,
//                                                    ServerHint            hint
//   MarkRequest -> ask_mark -> the process           MarkReply
//
// The RequestId given to the session carries what is needed to frame the answer, so nothing is kept
// for open requests; a push is answered by a message of its own, so nothing is kept for pushes.
//
// Owned by the process; outlives the port. Loop thread only. Bounds: CodecLimits, and one small
// record for each connection, with kMarksMax open MarkRequests.
class NativeDoor final : public bolt::FrameConversation, public msg::ClientPort {
public:
    static constexpr std::size_t kMarksMax = 64;

    NativeDoor(NativeDoorOptions options, session::ClientFace& session, Log log);

    [[nodiscard]] std::uint64_t bad_frames(NativeBadFrame bad) const {
        return bad_frames_[static_cast<std::size_t>(bad)].value();
    }
    [[nodiscard]] const PushBodies& push_bodies() const {
        return bodies_;
    }
    void write_metrics(MetricsWriter& writer) const;

    // Where MarkRequests go; null, as at first: they are refused. Outlives this.
    void put_marks_to(MarkFace* marks) {
        marks_ = marks;
    }

    // ---- bolt::FrameConversation
    void on_open(env::ConnId conn, const env::SocketAddress& peer, bolt::FramePort& port) override;
    void on_frame(env::ConnId conn, const bolt::Frame& frame) override;
    void on_drained(env::ConnId conn) override;
    void on_closed(env::ConnId conn) override;
    [[nodiscard]] Duration idle_max() const override {
        return options_.idle_max;
    }

    // ---- msg::ClientPort
    void reply(env::ConnId conn, const msg::RequestReply& reply) override;
    void push(const msg::PushOrder& order) override;
    void push_config(env::ConnId conn, const msg::ConfigPush& push) override;
    void hint(env::ConnId conn, const msg::ServerHint& hint) override;
    [[nodiscard]] bool shows_incomplete() const override {
        return true;
    }
    [[nodiscard]] bool follows_hints() const override {
        return true;
    }
    [[nodiscard]] bool takes_deltas() const override {
        return true;
    }
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    void stop_reading(env::ConnId conn) override;
    void go_on_reading(env::ConnId conn) override;
    void close(env::ConnId conn, const Error& why) override;

private:
    struct Client {
        bolt::FramePort* port = nullptr;
        std::string address;
        bolt::FrameHead dialect;  // of the newest frame: pushes are framed like it
        std::uint32_t last_push_id = 0;
        bool takes_packed = false;
        std::size_t marks = 0;  // asked for, not answered
    };

    static msg::RequestId pack(const bolt::FrameHead& head);
    static bolt::FrameHead unpack(msg::RequestId request);

    void on_mark(env::ConnId conn, Client& client, const bolt::Frame& frame);
    void on_marked(env::ConnId conn, const bolt::FrameHead& head,
                   const Result<propagation::DrainReport>& report);
    void refuse(env::ConnId conn, Client& client, const bolt::FrameHead& head, const Error& error);
    static void answer_failure(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                               const Error& error);
    void answer(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                std::string_view content, std::string_view class_name = native::kReplyClass);
    [[nodiscard]] bolt::FrameHead oneway_head(Client& client);
    void push_to(const msg::PushTarget& target, Client& client, const PushBody& body);
    void send_oneway(env::ConnId conn, std::string_view class_name, std::string_view content);
    void count(NativeBadFrame bad) {
        bad_frames_[static_cast<std::size_t>(bad)].add();
    }

    NativeDoorOptions options_;
    session::ClientFace& session_;
    MarkFace* marks_ = nullptr;
    Log log_;
    std::unordered_map<env::ConnId, Client> clients_;
    PushBodies bodies_;

    std::array<Counter, std::variant_size_v<msg::ClientMessage>> messages_;
    Counter marks_asked_;
    Counter items_registered_;
    Counter replies_;
    Counter pushes_full_;
    Counter pushes_delta_;
    Counter pushes_packed_;
    Counter push_bytes_;
    Counter config_pushes_;
    Counter hints_;
    Counter acks_refused_;
    std::array<Counter, kNativeBadFrames> bad_frames_;
};

}  // namespace muster::doors
