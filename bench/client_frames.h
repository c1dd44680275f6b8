#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "apps/load/java_frames.h"
#include "apps/load/native_frames.h"
#include "msg/client.h"
#include "wire/bolt/frame.h"

namespace muster::bench {

// The frames of both kinds of clients, made ahead or read, so that what is timed is the server.

// ---- native

using load::native_frame;
using load::native_subscribe;
using load::publication;
// What a push frame says. Ends the program when it cannot be read.
[[nodiscard]] msg::Push native_push(const bolt::Frame& push);
// The acknowledgement of a push.
[[nodiscard]] std::string native_ack(const bolt::Frame& push);
[[nodiscard]] std::string native_ack(const msg::Push& told);
// How many items of a request were taken. Ends the program when one was not.
[[nodiscard]] std::size_t taken_of(const bolt::Frame& response);

// ---- Java

[[nodiscard]] std::string java_publish(const Service& service, const std::string& id,
                                       std::int64_t version, const std::string& box,
                                       std::int32_t request);
[[nodiscard]] std::string java_subscribe(const Service& service, const std::string& id,
                                         std::int32_t request);
using load::java_ack;

[[nodiscard]] bool is_push(const bolt::Frame& frame);

}  // namespace muster::bench
