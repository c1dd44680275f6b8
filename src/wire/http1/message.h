#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace muster::http1 {

struct Header {
    std::string name;
    std::string value;

    [[nodiscard]] bool operator==(const Header&) const = default;
};

// How much of a request is read before it is refused.
struct Limits {
    std::size_t request_line_bytes_max = 8 * 1024;
    std::size_t header_bytes_max = 16 * 1024;  // request line and all headers
    std::size_t body_bytes_max = 1024 * 1024;
    // Bytes received ahead of the message being parsed (pipelining).
    std::size_t ahead_bytes_max = 64 * 1024;
};

// One whole request, RFC 9112.
struct Request {
    std::string method;  // "GET"; case matters
    std::string target;  // as sent: "/a%20b?c=d"
    std::vector<Header> headers;
    std::string body;  // chunks already joined
    bool keep_alive = true;

    // The value of the first header of that name, in any case of letters.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;

    [[nodiscard]] bool operator==(const Request&) const = default;
};

// One answer. Content-Length, Connection and Date are added when it is written.
struct Response {
    int status = 200;
    std::string content_type;
    std::string body;
    std::vector<Header> headers;
};

// What depends on the request and the hour, not on the answer.
struct Framing {
    bool keep_alive = true;
    bool head_only = false;  // answer to HEAD: the length of the body, not the body
    WallTime date;
};

// The bytes of a whole answer. Control characters in header values become spaces, so that no value
// can begin another header.
[[nodiscard]] std::string write_response(const Response& response, const Framing& framing);

// The head of an answer whose body ends with the connection (a stream of events).
[[nodiscard]] std::string write_stream_head(const Response& response, WallTime date);

// "HTTP/1.1 100 Continue", RFC 9110 10.1.1.
[[nodiscard]] std::string_view continue_response();

// "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 5.6.7.
[[nodiscard]] std::string http_date(WallTime time);

}  // namespace muster::http1
