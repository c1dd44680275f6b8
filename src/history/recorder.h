#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/history.h"
#include "model/publication.h"

namespace muster::history {

// One record as it is handed over: what it refers to is the caller's.
struct Note {
    WallTime at;
    SlotId slot;
    HistoryRecord::What what = HistoryRecord::What::registered;
    HistoryRecord::Why why = HistoryRecord::Why::said;
    RemovalCause cause = RemovalCause::left;
    const Publication& publication;  // as it is since, or was
    std::string_view by;
    Version version;
    std::string_view asked_by = {};
};

struct Query {
    std::string service;  // its path()
    std::string address;  // "ip:port"; empty: all instances
    std::int64_t since_ms = 0;
    std::int64_t until_ms = 0;  // zero: up to now
    std::uint32_t limit = 100;
};

struct Answer {
    std::vector<HistoryRecord> records;  // the newest first
    bool more = false;                   // there are older ones than these
    std::int64_t reaches_ms = 0;         // all that is kept since then was looked at; zero: nothing
    std::vector<HistoryLoss> lost;       // since then, the newest first
};

// Where the data role notes what becomes of publications, and what is asked about that. Runtime: a
// ring of files, written and read by a thread of its own (runtime/history). Loop thread only.
class Recorder {
public:
    virtual ~Recorder() = default;

    // Costs a copy of the texts. What there is no room for is counted and told as lost.
    virtual void note(const Note& note) = 0;

    // `answer` is called once, never from within, and not at all when this ends before. Errors:
    // busy (enough are asked already).
    virtual void find(Query query, std::function<void(Result<Answer>)> answer) = 0;
};

}  // namespace muster::history
