#pragma once

#include <memory>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "wire/http1/message.h"

namespace muster::http1 {

// Nothing more can be said before more bytes arrive.
struct NeedMore {};

// A whole request, or need more, or an Error after which the connection is of no use any more
// (bad_frame: not HTTP/1.x or ambiguous; too_large: over a limit).
using ParseStep = std::variant<NeedMore, Request, Error>;

// Reads the requests of one connection: bytes in any portions, requests one by one, over Beast's
// parser. What could be read in two ways by two servers on the path (two lengths, a length and
// chunks, an unknown transfer coding, no Host in HTTP/1.1) is refused: RFC 9112 11.2.
//
// Bounds: Limits; the bytes kept are those of one message and `ahead_bytes_max` after it.
// Not thread-safe.
class RequestParser {
public:
    explicit RequestParser(Limits limits = {});
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    // Takes what arrived. Errors: too_large when more is kept than the limits allow.
    Result<void> append(std::string_view bytes);

    // The next step. After an Error it gives that Error for ever.
    [[nodiscard]] ParseStep next();

    // Part of a message has arrived, but not all of it.
    [[nodiscard]] bool in_message() const;

    // The headers of the message under way are complete: its body is awaited.
    [[nodiscard]] bool in_body() const;

    // The message under way asked to be told "100 Continue" before it sends its body. True until
    // next() gave the request.
    [[nodiscard]] bool awaits_continue() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::http1
