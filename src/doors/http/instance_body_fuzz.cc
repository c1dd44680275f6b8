// What is accepted as an instance is within its bounds, and its box says what the body said.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "doors/http/json_body.h"
#include "doors/http/json_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto body = muster::http::read_instance_body(text);
    if (body) {
        CHECK(!body->boxes.empty() && body->boxes.size() <= 64);
        CHECK(body->ttl >= std::chrono::seconds(1) && body->ttl <= std::chrono::hours(1));
        // Any string can be written and read again, and comes back when it was UTF-8.
        muster::http::JsonWriter json;
        json.begin_object().key("boxes").begin_array();
        for (const auto& box : body->boxes) {
            json.value(box);
        }
        json.end_array().end_object();
        const auto again = muster::http::read_instance_body(std::move(json).take());
        CHECK(again.has_value());
        CHECK(again->boxes == body->boxes);
    }
    return 0;
}
