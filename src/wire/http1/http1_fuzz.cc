// The parser gives the same requests whether bytes arrive whole or one by one, keeps to its limits,
// and what it gives can be split and decoded without failing.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "wire/http1/request_parser.h"
#include "wire/http1/target.h"

namespace {

using muster::http1::Limits;
using muster::http1::Request;
using muster::http1::RequestParser;

constexpr Limits kLimits{.request_line_bytes_max = 256,
                         .header_bytes_max = 1024,
                         .body_bytes_max = 2048,
                         .ahead_bytes_max = 1 << 20};

std::vector<Request> parse(std::string_view bytes, std::size_t portion) {
    RequestParser parser(kLimits);
    std::vector<Request> requests;
    for (std::size_t at = 0; at < bytes.size(); at += portion) {
        if (!parser.append(bytes.substr(at, portion))) {
            break;
        }
        for (;;) {
            auto step = parser.next();
            auto* request = std::get_if<Request>(&step);
            if (request == nullptr) {
                break;
            }
            CHECK(request->body.size() <= kLimits.body_bytes_max);
            CHECK(request->target.size() <= kLimits.request_line_bytes_max);
            requests.push_back(std::move(*request));
        }
    }
    return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = parse(bytes, size + 1);
    CHECK(whole == parse(bytes, 1));
    for (const Request& request : whole) {
        const auto target = muster::http1::split_target(request.target);
        if (target) {
            static_cast<void>(muster::http1::split_path(target->path));
            static_cast<void>(muster::http1::Query::parse(target->query));
            static_cast<void>(muster::http1::Query::parse_leniently(target->query));
        }
    }
    const auto encoded = muster::http1::percent_encode(bytes);
    CHECK(muster::http1::percent_decode_leniently(encoded) == bytes);
    return 0;
}
