#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "doors/http/call.h"
#include "doors/http/http_options.h"
#include "doors/http/router.h"
#include "doors/http/session_queue.h"
#include "env/timers.h"

namespace muster::http {

// Why a client was sent away.
enum class Refusal : std::uint8_t {
    connections,  // too many at once
    pipelining,   // too many requests ahead of their answers
    streams,      // too many watches at once
    malformed,
    too_large,
    slow_request,  // did not send it in time
    slow_reader,   // did not read in time
    unknown_route,
    method,
};
inline constexpr std::array<std::string_view, 9> kRefusalNames{
    "connections",  "pipelining",  "streams",       "malformed", "too_large",
    "slow_request", "slow_reader", "unknown_route", "method"};

struct HttpCounters {
    Counter accepted;
    Counter idle_closed;
    std::array<Counter, kRefusalNames.size()> refusals;
    // By route, then by the first digit of the status (1 to 5).
    std::vector<std::array<Counter, 5>> answers;
    LatencyHistogram latency;  // of requests that are no streams

    void refuse(Refusal why) {
        refusals[static_cast<std::size_t>(why)].add();
    }
};

// What all connections of one door share. Owned by the door.
struct DoorState {
    const HttpDoorOptions& options;
    session::QueryFace& queries;
    env::Net& net;
    const env::Clock& clock;
    env::Timers& timers;
    Router router;
    Site site;

    SessionQueue to_session;
    std::deque<env::ConnId> runnable;  // may begin with their next request
    std::vector<env::ConnId> gone;     // to be forgotten at the end of the turn
    std::unordered_map<std::uint64_t, env::ConnId> tokens;  // open queries, by token
    std::uint64_t last_number = 0;
    std::size_t streams = 0;
    HttpCounters counters;
};

}  // namespace muster::http
