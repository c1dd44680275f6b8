#pragma once

#include <cstdint>
#include <string_view>

namespace muster {

// The closed list of what can go wrong in the world, in one table: every door, the CLI and the
// documentation take their numbers from here, so that they cannot drift apart.
//
//   X(name, text, http status, gRPC status, bolt status, retryable, CLI exit status)
//
// bolt statuses: wire/bolt-hessian (0 success, 1 error, 2 server exception, 3 unknown, 4 busy,
// 6 no processor, 7 timeout, 9 codec exception, 0x10 closed, 0x12 deserialisation).
// clang-format off
#define MUSTER_ERRC_LIST(X)                                                              \
    X(invalid_argument,   "invalid argument",              400,  3, 1,    false, 2)     \
    X(bad_frame,          "malformed bytes",               400,  3, 9,    false, 1)     \
    X(bad_content,        "malformed content",             400,  3, 0x12, false, 1)     \
    X(too_large,          "over a size limit",             413,  8, 1,    false, 1)     \
    X(unknown_type,       "unknown message type",          404, 12, 6,    false, 1)     \
    X(unknown_route,      "no such resource",              404,  5, 6,    false, 1)     \
    X(method_not_allowed, "method not allowed",            405, 12, 6,    false, 1)     \
    X(not_found,          "not found",                     404,  5, 1,    false, 1)     \
    X(conflict,           "conflict with what is there",   409, 10, 1,    false, 1)     \
    X(refused,            "refused by policy",             403,  7, 1,    false, 1)     \
    X(unauthenticated,    "not authenticated",             401, 16, 1,    false, 1)     \
    X(over_limit,         "over a limit",                  429,  8, 4,    true,  1)     \
    X(busy,               "too busy",                      503, 14, 4,    true,  1)     \
    X(unavailable,        "not reachable now",             503, 14, 1,    true,  1)     \
    X(not_ready,          "not known yet",                 503, 14, 1,    true,  1)     \
    X(not_leader,         "not the leader",                503,  9, 1,    true,  1)     \
    X(stale_epoch,        "older epoch than the current",  409,  9, 1,    true,  1)     \
    X(timeout,            "took too long",                 504,  4, 7,    true,  1)     \
    X(closed,             "connection closed",             503, 14, 0x10, true,  1)     \
    X(address_in_use,     "address already in use",        500, 13, 1,    false, 1)     \
    X(io_error,           "input/output error",            500, 13, 1,    true,  1)     \
    X(corrupt,            "stored bytes are corrupt",      500, 15, 1,    false, 1)     \
    X(bad_config,         "bad configuration",             500,  3, 1,    false, 2)     \
    X(internal,           "internal error",                500, 13, 2,    false, 1)
// clang-format on

enum class Errc : std::uint8_t {
#define X(name, ...) name,
    MUSTER_ERRC_LIST(X)
#undef X
};

// What every protocol says for one Errc.
struct ErrcInfo {
    std::string_view name;  // stable code, e.g. "not_found"
    std::string_view text;  // a short sentence fragment for people
    std::uint16_t http_status;
    std::uint16_t grpc_status;
    std::uint16_t bolt_status;
    bool retryable;
    int exit_status;
};

[[nodiscard]] const ErrcInfo& info(Errc code);

}  // namespace muster
