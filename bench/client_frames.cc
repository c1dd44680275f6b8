#include "client_frames.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sockets.h"

namespace muster::bench {

msg::Push native_push(const bolt::Frame& push) {
    auto told = load::native_push(push);
    if (!told) {
        die(to_string(told.error()));
    }
    return std::move(*told);
}

std::string native_ack(const bolt::Frame& push) {
    return native_ack(native_push(push));
}

std::string native_ack(const msg::Push& told) {
    return load::native_ack(told);
}

std::string java_publish(const Service& service, const std::string& id, std::int64_t version,
                         const std::string& box, std::int32_t request) {
    return load::java_publisher({.service = service,
                                 .id = id,
                                 .order = {.version = version, .timestamp_ms = load::wall_ms()},
                                 .request = request},
                                {box});
}

std::string java_subscribe(const Service& service, const std::string& id, std::int32_t request) {
    return load::java_subscriber({.service = service,
                                  .id = id,
                                  .order = {.version = 1, .timestamp_ms = load::wall_ms()},
                                  .request = request},
                                 Scope::data_center);
}

std::size_t taken_of(const bolt::Frame& response) {
    const auto read = load::native_reply(response);
    CHECK(read.has_value());
    CHECK(std::ranges::all_of(read->outcomes,
                              [](const auto& one) { return one.result.has_value(); }));
    return read->outcomes.size();
}

bool is_push(const bolt::Frame& frame) {
    return load::is_native_push(frame) || load::is_java_push(frame);
}

}  // namespace muster::bench
