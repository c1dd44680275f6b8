#include "wire/http1/message.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

namespace muster::http1 {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    const auto start = static_cast<std::ptrdiff_t>(out.size());
    out.append(value);
    std::replace_if(
        out.begin() + start, out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    out.append("\r\n");
}

void append_head(std::string& out, const Response& response, WallTime date) {
    const auto reason = boost::beast::http::obsolete_reason(
        boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                   std::string_view(reason.data(), reason.size()));
    append_header(out, "Date", http_date(date));
    if (!response.content_type.empty()) {
        append_header(out, "Content-Type", response.content_type);
    }
    for (const Header& header : response.headers) {
        append_header(out, header.name, header.value);
    }
}

bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
    for (const Header& candidate : headers) {
        if (boost::beast::iequals(candidate.name, {name.data(), name.size()})) {
            return candidate.value;
        }
    }
    return std::nullopt;
}

std::string write_response(const Response& response, const Framing& framing) {
    std::string out;
    out.reserve(response.body.size() + 256);
    append_head(out, response, framing.date);
    if (may_have_body(response.status)) {
        append_header(out, "Content-Length", std::to_string(response.body.size()));
    }
    append_header(out, "Connection", framing.keep_alive ? "keep-alive" : "close");
    out.append("\r\n");
    if (!framing.head_only && may_have_body(response.status)) {
        out.append(response.body);
    }
    return out;
}

std::string write_stream_head(const Response& response, WallTime date) {
    std::string out;
    append_head(out, response, date);
    append_header(out, "Connection", "close");
    out.append("\r\n");
    return out;
}

std::string_view continue_response() {
    return "HTTP/1.1 100 Continue\r\n\r\n";
}

std::string http_date(WallTime time) {
    using std::chrono::floor;
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_time<std::chrono::milliseconds> moment{
        std::chrono::milliseconds(time.unix_ms)};
    const auto day = floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{floor<std::chrono::seconds>(moment) - day};
    const std::chrono::weekday weekday{day};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday.c_encoding()],
                       static_cast<unsigned>(date.day()),
                       kMonths[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

}  // namespace muster::http1
