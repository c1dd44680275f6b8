#pragma once

#include <cstdint>
#include <string_view>

#include "wire/native/fields.h"

// The field numbers of api/proto/muster/v1/client.proto; tests hold them against protoc's.
namespace muster::native {

namespace service_field {
inline constexpr std::uint32_t kTenant = 1;
inline constexpr std::uint32_t kGroup = 2;
inline constexpr std::uint32_t kDataId = 3;
}  // namespace service_field

namespace digest_field {
inline constexpr std::uint32_t kLow = 1;
inline constexpr std::uint32_t kHigh = 2;
}  // namespace digest_field

namespace map_field {
inline constexpr std::uint32_t kKey = 1;
inline constexpr std::uint32_t kValue = 2;
}  // namespace map_field

namespace publication_field {
inline constexpr std::uint32_t kId = 1;
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kTimestampMs = 3;
inline constexpr std::uint32_t kBoxes = 4;
inline constexpr std::uint32_t kZone = 5;
inline constexpr std::uint32_t kApp = 6;
inline constexpr std::uint32_t kClientAddress = 7;
inline constexpr std::uint32_t kAttributes = 8;
inline constexpr std::uint32_t kService = 9;
}  // namespace publication_field

// RegistrationRef, and the first fields of Subscription.
namespace ref_field {
inline constexpr std::uint32_t kId = 1;
inline constexpr std::uint32_t kService = 2;
inline constexpr std::uint32_t kVersion = 3;
inline constexpr std::uint32_t kTimestampMs = 4;
}  // namespace ref_field

namespace subscription_field {
inline constexpr std::uint32_t kScope = 5;
inline constexpr std::uint32_t kZone = 6;
inline constexpr std::uint32_t kApp = 7;
inline constexpr std::uint32_t kHeldVersion = 8;
inline constexpr std::uint32_t kHeldDigest = 9;
}  // namespace subscription_field

// The items of every request, the lease of a RegisterRequest, and what a SubscribeRequest says of
// the connection.
namespace request_field {
inline constexpr std::uint32_t kItems = 1;
inline constexpr std::uint32_t kLeaseMs = 2;
inline constexpr std::uint32_t kTakesPacked = 2;
}  // namespace request_field

namespace reply_field {
inline constexpr std::uint32_t kOutcomes = 1;
inline constexpr std::uint32_t kCode = 2;
inline constexpr std::uint32_t kDetail = 3;
}  // namespace reply_field

namespace outcome_field {
inline constexpr std::uint32_t kId = 1;
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kCode = 3;
inline constexpr std::uint32_t kDetail = 4;
}  // namespace outcome_field

// Push, and the first fields of PushAck.
namespace push_field {
inline constexpr std::uint32_t kService = 1;
inline constexpr std::uint32_t kScope = 2;
inline constexpr std::uint32_t kZone = 3;
inline constexpr std::uint32_t kVersion = 4;
inline constexpr std::uint32_t kComplete = 5;
inline constexpr std::uint32_t kDigest = 6;
inline constexpr std::uint32_t kPublications = 7;
inline constexpr std::uint32_t kFromVersion = 8;
inline constexpr std::uint32_t kRemovedIds = 9;
inline constexpr std::uint32_t kSubscriptionIds = 15;
}  // namespace push_field

// PackedPush; its last field is as in Push.
namespace packed_push_field {
inline constexpr std::uint32_t kZstd = 1;
}  // namespace packed_push_field

namespace ack_field {
inline constexpr std::uint32_t kResendFull = 5;
}  // namespace ack_field

namespace config_push_field {
inline constexpr std::uint32_t kKey = 1;
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kValue = 3;
inline constexpr std::uint32_t kWatchIds = 15;
}  // namespace config_push_field

namespace hint_field {
inline constexpr std::uint32_t kServers = 1;
inline constexpr std::uint32_t kMoveTo = 2;
}  // namespace hint_field

// MarkRequest.
namespace mark_field {
inline constexpr std::uint32_t kService = 1;
inline constexpr std::uint32_t kAddress = 2;
inline constexpr std::uint32_t kRestore = 3;
inline constexpr std::uint32_t kTimeoutMs = 4;
inline constexpr std::uint32_t kRampMs = 5;
inline constexpr std::uint32_t kAskedBy = 6;
}  // namespace mark_field

namespace mark_reply_field {
inline constexpr std::uint32_t kIds = 1;
inline constexpr std::uint32_t kChanged = 2;
inline constexpr std::uint32_t kOthers = 3;
inline constexpr std::uint32_t kConfirmed = 4;
inline constexpr std::uint32_t kGone = 5;
inline constexpr std::uint32_t kSubscribers = 6;
inline constexpr std::uint32_t kBehind = 7;
inline constexpr std::uint32_t kLines = 8;
inline constexpr std::uint32_t kSilent = 9;
inline constexpr std::uint32_t kLacking = 10;
inline constexpr std::uint32_t kWaitedMs = 11;
}  // namespace mark_reply_field

namespace mark_line_field {
inline constexpr std::uint32_t kClientAddress = 1;
inline constexpr std::uint32_t kApp = 2;
inline constexpr std::uint32_t kSession = 3;
}  // namespace mark_line_field

inline constexpr std::string_view kRegisterClass = "muster.v1.RegisterRequest";
inline constexpr std::string_view kUnregisterClass = "muster.v1.UnregisterRequest";
inline constexpr std::string_view kSubscribeClass = "muster.v1.SubscribeRequest";
inline constexpr std::string_view kUnsubscribeClass = "muster.v1.UnsubscribeRequest";
inline constexpr std::string_view kWatchClass = "muster.v1.WatchRequest";
inline constexpr std::string_view kUnwatchClass = "muster.v1.UnwatchRequest";
inline constexpr std::string_view kPushAckClass = "muster.v1.PushAck";

// Field number and wire type in one, to switch over: a field of another type than ours is unknown.
[[nodiscard]] constexpr std::uint64_t key(std::uint32_t number, WireType type) {
    return std::uint64_t{number} << 3U | static_cast<std::uint64_t>(type);
}
[[nodiscard]] constexpr std::uint64_t key(const Field& field) {
    return key(field.number, field.type);
}

}  // namespace muster::native
