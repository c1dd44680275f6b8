#include "wire/http1/request_parser.h"

#include <optional>
#include <string>
#include <utility>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace muster::http1 {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using BeastParser = http::request_parser<http::string_body>;
using BeastRequest = http::request<http::string_body>;

constexpr unsigned kHttp10 = 10;
constexpr unsigned kHttp11 = 11;
constexpr std::size_t kLastChunkBytes = 5;

std::string to_std(beast::string_view text) {
    return {text.data(), text.size()};
}

Error to_error(const beast::error_code& ec, const Limits& limits) {
    if (ec == http::error::header_limit) {
        return {Errc::too_large, "the request head is longer than " +
                                     std::to_string(limits.header_bytes_max) + " bytes"};
    }
    if (ec == http::error::body_limit) {
        return {Errc::too_large, "the request body is longer than " +
                                     std::to_string(limits.body_bytes_max) + " bytes"};
    }
    return {Errc::bad_frame, "not an HTTP/1.1 request: " + ec.message()};
}

// What Beast lets pass although two servers may read it differently.
std::optional<Error> find_ambiguity(const BeastRequest& request) {
    if (request.version() != kHttp10 && request.version() != kHttp11) {
        return Error{Errc::bad_frame, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    }
    if (request.version() == kHttp11 && request.count(http::field::host) != 1) {
        return Error{Errc::bad_frame, "an HTTP/1.1 request needs exactly one Host header"};
    }
    const auto codings = request.count(http::field::transfer_encoding);
    const bool chunked_only =
        codings == 1 && beast::iequals(request[http::field::transfer_encoding], "chunked");
    if (codings != 0 && (!chunked_only || request.version() == kHttp10)) {
        return Error{Errc::bad_frame, "the only transfer coding known here is chunked"};
    }
    return std::nullopt;
}

// The head; fields that a chunked body may bring after it (trailers) are not part of it.
Request to_request(const BeastRequest& from) {
    Request request;
    request.method = to_std(from.method_string());
    request.target = to_std(from.target());
    request.keep_alive = from.keep_alive();
    for (const auto& field : from) {
        request.headers.push_back({to_std(field.name_string()), to_std(field.value())});
    }
    return request;
}

}  // namespace

class RequestParser::Impl {
public:
    explicit Impl(Limits limits) : limits_(limits) {}

    Result<void> append(std::string_view bytes) {
        if (failed_) {
            return std::unexpected(*failed_);
        }
        if (bytes_.size() - at_ + bytes.size() > kept_max()) {
            failed_ = Error{Errc::too_large, "too many bytes were sent ahead of their answers"};
            return std::unexpected(*failed_);
        }
        bytes_.erase(0, at_);
        at_ = 0;
        if (bytes_.empty() && bytes_.capacity() > limits_.ahead_bytes_max) {
            bytes_.shrink_to_fit();  // one large body does not fatten the connection for ever
        }
        bytes_.append(bytes);
        return {};
    }

    ParseStep next() {
        if (!failed_ && !parser_) {
            skip_empty_lines();
        }
        while (!failed_ && at_ < bytes_.size()) {
            if (!parser_) {
                begin_message();
            }
            if (!check_request_line()) {
                break;
            }
            if (awaits_chunk_end() || !parse_some()) {
                return NeedMore{};
            }
            if (!failed_ && parser_->is_done()) {
                request_.body = std::move(parser_->get().body());
                parser_.reset();
                return std::move(request_);
            }
        }
        if (failed_) {
            return *failed_;
        }
        return NeedMore{};
    }

    [[nodiscard]] bool in_message() const {
        return parser_.has_value();
    }
    [[nodiscard]] bool in_body() const {
        return parser_ && parser_->is_header_done();
    }
    [[nodiscard]] bool awaits_continue() const {
        return in_body() && parser_->get().version() == kHttp11 &&
               beast::iequals(parser_->get()[http::field::expect], "100-continue");
    }

private:
    [[nodiscard]] std::size_t kept_max() const {
        return limits_.header_bytes_max + limits_.body_bytes_max + limits_.ahead_bytes_max;
    }

    // RFC 9112 2.2: empty lines before a request are passed over.
    void skip_empty_lines() {
        while (at_ < bytes_.size() && (bytes_[at_] == '\r' || bytes_[at_] == '\n')) {
            ++at_;
        }
    }

    void begin_message() {
        parser_.emplace();
        parser_->eager(false);  // first the head alone
        parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
        parser_->body_limit(limits_.body_bytes_max);
        line_checked_ = false;
        head_checked_ = false;
    }

    // False: the request line is not complete, or too long.
    bool check_request_line() {
        if (line_checked_) {
            return true;
        }
        const auto end = bytes_.find('\n', at_);
        const auto size = (end == std::string::npos ? bytes_.size() : end) - at_;
        if (size > limits_.request_line_bytes_max) {
            failed_ = Error{Errc::too_large, "the request line is longer than " +
                                                 std::to_string(limits_.request_line_bytes_max) +
                                                 " bytes"};
            return false;
        }
        line_checked_ = end != std::string::npos;
        return line_checked_;
    }

    // Beast asserts that it is never shown a last chunk ("0 CRLF CRLF") without its end twice. A
    // chunked body ends with at least that many bytes, so waiting for them delays nothing.
    [[nodiscard]] bool awaits_chunk_end() const {
        return head_checked_ && parser_->chunked() && bytes_.size() - at_ < kLastChunkBytes;
    }

    // One step of Beast's parser. False: it needs more bytes.
    bool parse_some() {
        beast::error_code ec;
        const auto used =
            parser_->put(boost::asio::const_buffer(bytes_.data() + at_, bytes_.size() - at_), ec);
        at_ += used;
        if (parser_->is_header_done() && !head_checked_) {
            head_checked_ = true;
            failed_ = find_ambiguity(parser_->get());
            request_ = to_request(parser_->get());
            parser_->eager(true);
        }
        if (failed_) {
            return true;
        }
        if (ec == http::error::need_more) {
            return false;
        }
        if (ec) {
            failed_ = to_error(ec, limits_);
        }
        return true;
    }

    Limits limits_;
    std::string bytes_;
    std::size_t at_ = 0;  // bytes_ before it are parsed
    std::optional<BeastParser> parser_;
    Request request_;  // the head of what parser_ reads, once it is complete
    bool line_checked_ = false;
    bool head_checked_ = false;
    std::optional<Error> failed_;
};

RequestParser::RequestParser(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

Result<void> RequestParser::append(std::string_view bytes) {
    return impl_->append(bytes);
}
ParseStep RequestParser::next() {
    return impl_->next();
}
bool RequestParser::in_message() const {
    return impl_->in_message();
}
bool RequestParser::in_body() const {
    return impl_->in_body();
}
bool RequestParser::awaits_continue() const {
    return impl_->awaits_continue();
}

}  // namespace muster::http1
