#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/subscription.h"
#include "wire/bolt/frame.h"

namespace muster::load {

// The frames of SOFARegistry's Java clients (bolt, codec 1, Hessian): a request names one
// registration, a push the boxes of a whole list.

// One state of a registration; `leaves`: the last one.
struct JavaState {
    const Service& service;
    std::string_view id;
    RegistOrder order;
    std::int32_t request = 0;
    bool leaves = false;
};
[[nodiscard]] std::string java_publisher(const JavaState& state,
                                         const std::vector<std::string>& boxes);
[[nodiscard]] std::string java_subscriber(const JavaState& state, Scope scope);
[[nodiscard]] std::string java_heartbeat();

// That a push was taken.
[[nodiscard]] std::string java_ack(const bolt::Frame& push);

[[nodiscard]] bool is_java_push(const bolt::Frame& frame);

// What the boxes of one push may cost once references to shared ones are followed, with what a
// string takes beside its bytes.
inline constexpr std::size_t kPushBoxesBytesMax = std::size_t{64} << 20U;

struct JavaPush {
    Service service;
    Scope scope = Scope::zone;
    Version version;
    std::vector<std::string> boxes;  // of all zones, in WTF-8
};
// What a push frame says. Errors: bad_content; too_large: the content, or its boxes, are over the
// limit.
[[nodiscard]] Result<JavaPush> java_push(const bolt::Frame& push);

// Whether a registration was taken. Errors: refused, with what the server says; bad_content;
// too_large.
[[nodiscard]] Result<void> java_answer(const bolt::Frame& response);

}  // namespace muster::load
