#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/history.h"
#include "model/ids.h"
#include "model/service.h"

// What operators ask about what became of a service's instances (roles/propagation/history.h).
// Asking changes nothing; what was not answered is asked again.
//
//   operator --HistoryRequest--> every data server --HistoryReply--> operator
namespace muster::msg {

// operator -> data: what do you remember of the service?
struct HistoryRequest {
    static constexpr std::uint32_t kLimitMax = 1000;

    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    ServicePtr service;
    std::string address;        // "ip:port"; empty: all instances
    std::int64_t since_ms = 0;  // wall clock; zero: as far back as is kept
    std::int64_t until_ms = 0;  // wall clock; zero: up to now
    std::uint32_t limit = 100;  // so many records, at most kLimitMax
};

// data -> operator
struct HistoryReply {
    Incarnation incarnation;
    std::uint64_t request = 0;
    Result<void> result;  // refused: nothing is noted there. busy: enough are asked already
    std::vector<HistoryRecord> records;  // the newest first
    bool more = false;                   // there are older ones than these
    std::int64_t reaches_ms = 0;         // all it keeps since then was looked at; zero: it has none
    std::vector<HistoryLoss> lost;       // since then, the newest first
};

}  // namespace muster::msg
