#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/subscription.h"
#include "msg/client.h"

// The native protocol's messages (api/proto/muster/v1/client.proto, docs/protocol/native.md) as
// bytes and back, for both ends: the door and the client's link. Pure functions; any thread.
namespace muster::native {

// What a decoder refuses. Memory made of a message is at most about 16 times its bytes or, when
// that is less, 400 bytes per item and 100 per element; of a packed one, of what is in it, which is
// no longer than a message may be.
struct CodecLimits {
    std::size_t message_bytes_max = std::size_t{16} << 20U;
    std::size_t items_max = 20'000;      // publications, subscriptions, references, outcomes
    std::size_t elements_max = 200'000;  // boxes and attributes of one message, all items together
    std::size_t id_bytes_max = 512;
    std::size_t name_bytes_max = 2048;  // zone, app, address, key of an attribute
    Duration lease_max = std::chrono::hours(24 * 7);
};

// For a client, which is shown longer lists than it may register.
[[nodiscard]] CodecLimits client_codec_limits();

// ---- client -> session

// "muster.v1.RegisterRequest" and so on.
[[nodiscard]] std::string_view class_name(const msg::ClientMessage& message);

// True: sent as a bolt request and answered by a Reply; false: sent as a oneway.
[[nodiscard]] bool expects_reply(const msg::ClientMessage& message);

// The id to be sent as that of the bolt frame; zero for messages that expect no reply.
[[nodiscard]] msg::RequestId request_id(const msg::ClientMessage& message);

struct RequestOptions {
    bool takes_packed = true;  // what a SubscribeRequest says of its connection
};
[[nodiscard]] std::string encode(const msg::ClientMessage& message,
                                 const RequestOptions& options = {});

// Whether this is a SubscribeRequest whose sender takes kPackedPushClass on its connection, as
// encode() makes them unless told otherwise.
[[nodiscard]] bool says_takes_packed(std::string_view class_name, std::string_view bytes);

// What a door knows of a request besides its content.
struct RequestContext {
    msg::RequestId request;           // id of the bolt frame
    std::string_view client_address;  // "ip:port", put into publications
};

// Errors: unknown_type, bad_content (malformed), too_large (over a limit), invalid_argument (a
// service or an id that cannot be).
[[nodiscard]] Result<msg::ClientMessage> decode_request(std::string_view class_name,
                                                        std::string_view bytes,
                                                        const RequestContext& context,
                                                        const CodecLimits& limits);

// ---- session -> client

inline constexpr std::string_view kReplyClass = "muster.v1.Reply";
inline constexpr std::string_view kPushClass = "muster.v1.Push";
inline constexpr std::string_view kPackedPushClass = "muster.v1.PackedPush";
inline constexpr std::string_view kConfigPushClass = "muster.v1.ConfigPush";
inline constexpr std::string_view kServerHintClass = "muster.v1.ServerHint";

// A request that failed as a whole.
struct RequestFailure {
    msg::RequestId request;
    Error error;
};

[[nodiscard]] std::string encode(const msg::RequestReply& reply);
[[nodiscard]] std::string encode(const msg::ConfigPush& push);
[[nodiscard]] std::string encode(const msg::ServerHint& hint);
[[nodiscard]] std::string encode(const msg::Push& push);
// Content of the Reply to a request that failed as a whole, beside the bolt status of the error.
[[nodiscard]] std::string encode_failure(const Error& error);

// The part of a Push that is the same for all connections, and what follows it for one. A delta
// that is no shorter than the list is encoded as the list.
[[nodiscard]] std::string encode_push_body(const ServiceView& view, const ViewDelta* delta,
                                           Scope scope, std::string_view zone);
[[nodiscard]] std::string encode_push_tail(std::span<const std::string_view> subscribers);
// That part packed, as it stands in a PackedPush; the same tail follows it.
[[nodiscard]] std::string pack_push_body(std::string_view body);

using ServerMessage = std::variant<msg::Push, msg::ConfigPush, msg::ServerHint>;

// What came as a bolt oneway or request. In the `view` of a delta only service, version,
// completeness and digest are set. Errors: as decode_request().
[[nodiscard]] Result<ServerMessage> decode_server_message(std::string_view class_name,
                                                          std::string_view bytes,
                                                          const CodecLimits& limits);

using Response = std::variant<msg::RequestReply, RequestFailure>;

// What came as a bolt response. A status other than 0 is a RequestFailure, whatever its content.
// Errors: as decode_request().
struct ResponseHead {
    msg::RequestId request;
    std::uint16_t bolt_status = 0;
    std::string_view class_name;
};
[[nodiscard]] Result<Response> decode_response(const ResponseHead& head, std::string_view bytes,
                                               const CodecLimits& limits);

}  // namespace muster::native
