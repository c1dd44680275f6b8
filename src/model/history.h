#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "model/publication.h"

namespace muster {

// What became of one registration at one moment, as the leader of its slot noted it.
struct HistoryRecord {
    // Numbers are kept on disk: none is ever used for something else.
    enum class What : std::uint8_t {
        registered,  // it is there
        changed,     // what it publishes is another one
        moved,       // its client speaks to another session, the content is the same
        removed,     // it is gone
        held,        // it would have gone, and is kept for now
        drained,     // an operator took it out of all lists
        restored,    // and back
    };
    // What is behind that, beside `cause`. Numbers as above.
    enum class Why : std::uint8_t {
        said,             // the session named by `by` said so
        unlisted,         // that session does not hold it any more, and never said why
        session_ended,    // that session ended, and the client came to no other in time
        session_silent,   // that session was not heard for too long, nor was the client elsewhere
        session_anew,     // that session started anew, and the client did not come back to it
        elsewhere,        // it left on the other side of a cut, by the word of its client
        brake,            // too many went at once
        brake_over,       // what the brake held was not heard again in time
        brake_confirmed,  // an operator, who asked at `by`, said that it is gone
        brake_released,   // an operator, who asked at `by`, said that it lives
        unclaimed,        // another session may have it by now, and had not said so
        unclaimed_over,   // all sessions have said what they have, and none has it
        heard_again,      // it had been held
        marked,           // an operator, who asked at `by`, said so
    };

    std::int64_t at_ms = 0;  // wall clock of the leader
    SlotId slot;
    What what = What::registered;
    Why why = Why::said;
    RemovalCause cause = RemovalCause::left;  // of what is removed or held
    RegistId id;
    std::string client_address;          // as its session saw it
    std::vector<std::string> addresses;  // of the instance: "ip:port", or how a box begins
    NodeId by;                           // a session, or where an operator asked
    Version version;                     // of the service since; zero: no list has changed
    std::string asked_by = {};           // what that operator says to be called (asked_by.h)

    [[nodiscard]] bool operator==(const HistoryRecord&) const = default;
};

// So many records between two moments that were not kept: too much waited for the disk, or it took
// nothing.
struct HistoryLoss {
    std::int64_t from_ms = 0;
    std::int64_t to_ms = 0;
    std::uint64_t records = 0;

    [[nodiscard]] bool operator==(const HistoryLoss&) const = default;
};

[[nodiscard]] std::string_view to_string(HistoryRecord::What what);
[[nodiscard]] std::string_view to_string(HistoryRecord::Why why);

// One sentence without its subject: "its connection was closed without a word". Where an operator
// told a name, it is in it.
[[nodiscard]] std::string sentence_of(const HistoryRecord& record);

// "ip:port" of a box, or its first bytes when it has none.
[[nodiscard]] std::string_view place_of(std::string_view box);

}  // namespace muster
