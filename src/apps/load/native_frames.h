#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "msg/client.h"
#include "wire/bolt/frame.h"

namespace muster::load {

// The frames of native clients, made ahead or read, so that what is timed is the server.

// One state of a registration, with the wall clock as its timestamp.
[[nodiscard]] PublicationPtr publication(const Service& service, const std::string& id,
                                         std::int64_t version, const std::string& box);

[[nodiscard]] std::string native_frame(const msg::ClientMessage& message);

// The same of a client that takes no packed pushes.
[[nodiscard]] std::string native_frame_unpacked(const msg::ClientMessage& message);

// A subscription of all zones with request id 1.
[[nodiscard]] std::string native_subscribe(const Service& service, const std::string& id);

[[nodiscard]] std::string native_heartbeat();

// The acknowledgement of a push; not `ok`: it was not usable, the whole list is wanted.
[[nodiscard]] std::string native_ack(const msg::Push& told, bool ok = true);

[[nodiscard]] bool is_native_push(const bolt::Frame& frame);

// What a push frame says. Errors: as native::decode_server_message(); bad_content when it is
// another message.
[[nodiscard]] Result<msg::Push> native_push(const bolt::Frame& push);

// The outcomes of a response. Errors: that of a request that failed as a whole; bad_content.
[[nodiscard]] Result<msg::RequestReply> native_reply(const bolt::Frame& response);

// Wall clock, in milliseconds since 1970: what clients order their states by.
[[nodiscard]] std::int64_t wall_ms();

}  // namespace muster::load
