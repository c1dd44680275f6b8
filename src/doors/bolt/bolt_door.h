#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/log.h"
#include "base/metrics.h"
#include "doors/bolt/sofa_requests.h"
#include "doors/bolt/unanswered_pushes.h"
#include "doors/bolt/view_encodings.h"
#include "env/net.h"
#include "msg/client_port.h"
#include "roles/session/client_face.h"
#include "wire/bolt/frame_conversation.h"

namespace muster::doors {

struct BoltDoorOptions {
    sofa::RequestLimits request_limits;
    // Told to clients with each push; they do not act on it.
    std::int32_t push_timeout_ms = 2000;
    std::size_t view_encodings_bytes_max = std::size_t{8} << 20U;
};

// Requests that were refused without asking the session.
enum class BoltBadRequest : std::uint8_t {
    unknown_class,    // answered with status 2
    bad_content,      // no readable Hessian value, or over its limits: status 0x12
    bad_name,         // empty or malformed dataId, group, tenant or registId: success = false
    bad_event_type,   // neither REGISTER nor UNREGISTER: success = false
    unknown_push_id,  // an answer to no push; ignored
};
inline constexpr std::size_t kBoltBadRequests = 5;

[[nodiscard]] std::string_view to_string(BoltBadRequest bad);

// The conversation with unmodified SOFARegistry clients in Java.
//
//   PublisherRegister, SubscriberRegister,      on_client_message    session
//   ConfiguratorRegister, SyncConfigRequest  ->                   ->
//   RegisterResponse, SyncConfigResponse     <-  reply            <-
//   ReceivedData, ReceivedConfigData         <-  push, push_config
//   Result                                   ->  PushAck          ->
//
// A request is answered when the session replies; the reply's RequestId carries all that is needed
// to frame the answer, so nothing is kept for open requests. Of each list the newest push is
// remembered until the client answers it; a push that is never answered is the session's to time
// out. Java clients take a list for the whole truth, so no incomplete view is shown to them.
//
// Owned by the process; outlives the BoltPort. Loop thread only. Bounds: one unanswered push for
// each list a connection is subscribed to; the session bounds those.
class BoltDoor final : public bolt::FrameConversation, public msg::ClientPort {
public:
    BoltDoor(BoltDoorOptions options, session::ClientFace& session, Log log);

    [[nodiscard]] std::uint64_t bad_requests(BoltBadRequest bad) const {
        return bad_requests_[static_cast<std::size_t>(bad)].value();
    }
    void write_metrics(MetricsWriter& writer) const;

    // ---- bolt::FrameConversation
    void on_open(env::ConnId conn, const env::SocketAddress& peer, bolt::FramePort& port) override;
    void on_frame(env::ConnId conn, const bolt::Frame& frame) override;
    void on_drained(env::ConnId conn) override;
    void on_closed(env::ConnId conn) override;

    // ---- msg::ClientPort
    void reply(env::ConnId conn, const msg::RequestReply& reply) override;
    void push(const msg::PushOrder& order) override;
    void push_config(env::ConnId conn, const msg::ConfigPush& push) override;
    // No effect: Java clients learn of servers over HTTP.
    void hint(env::ConnId conn, const msg::ServerHint& hint) override;
    [[nodiscard]] bool shows_incomplete() const override {
        return false;
    }
    [[nodiscard]] bool takes_deltas() const override {
        return false;
    }
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    void stop_reading(env::ConnId conn) override;
    void go_on_reading(env::ConnId conn) override;
    void close(env::ConnId conn, const Error& why) override;

private:
    enum class Kind : std::uint8_t { publisher, subscriber, watcher };

    struct Client {
        bolt::FramePort* port = nullptr;
        std::string address;
        std::optional<bolt::FrameHead> dialect;  // of the first frame: pushes are framed like it
        std::uint32_t last_push_id = 0;
        UnansweredPushes unanswered;
    };

    static std::string_view name_of(Kind kind);
    static msg::RequestId pack(const bolt::FrameHead& head, Kind kind);
    static bolt::FrameHead unpack(msg::RequestId request, Kind& kind);

    void on_request(env::ConnId conn, Client& client, const bolt::Frame& frame);
    void on_register(env::ConnId conn, Client& client, const bolt::Frame& frame, Kind kind);
    void on_sync_config(env::ConnId conn, Client& client, const bolt::Frame& frame);
    void on_push_answer(env::ConnId conn, Client& client, const bolt::Frame& frame);
    [[nodiscard]] bool delivered(const bolt::Frame& frame);

    void refuse(env::ConnId conn, Client& client, const bolt::FrameHead& head, BoltBadRequest bad,
                bolt::Status status, std::string_view why);
    void refuse_register(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                         BoltBadRequest bad, std::string_view why);
    void answer(env::ConnId conn, Client& client, const bolt::FrameHead& request,
                std::string_view class_name, std::string_view content);
    [[nodiscard]] bolt::FrameHead push_head(Client& client);
    void push_to(const msg::PushTarget& target, Client& client, const msg::PushOrder& order,
                 const EncodedView& encoded);
    void count(BoltBadRequest bad) {
        bad_requests_[static_cast<std::size_t>(bad)].add();
    }

    BoltDoorOptions options_;
    session::ClientFace& session_;
    Log log_;
    std::unordered_map<env::ConnId, Client> clients_;
    ViewEncodings encodings_;

    std::array<Counter, 3> requests_;  // by Kind
    Counter sync_configs_;
    Counter pushes_;
    Counter config_pushes_;
    Counter push_answers_ok_;
    Counter push_answers_failed_;
    std::array<Counter, kBoltBadRequests> bad_requests_;
};

}  // namespace muster::doors
