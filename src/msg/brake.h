#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/ids.h"

// What operators see of the brake (docs/adr/0009) and tell it, wherever it holds something.
namespace muster::msg {

enum class BrakeScope : std::uint8_t {
    session,  // clients of one session
    service,  // publications of one service
    cluster,  // everything
};

// One brake that is on, or still holds what it held back.
struct BrakeLine {
    BrakeScope scope = BrakeScope::session;
    std::string name;          // node id of the session, data_info_id of the service, "cluster"
    NodeId node;               // where it is held
    bool braking = false;      // what goes now is held, too
    std::uint64_t held = 0;    // publications kept though their client is probably gone
    std::string why;           // a sentence without its full stop
    std::int64_t age_ms = 0;   // since it came on, or held the first of them
    std::int64_t left_ms = 0;  // until the last of them goes, if nobody hears of it or says so

    [[nodiscard]] bool operator==(const BrakeLine&) const = default;
};

// operator -> session, data, meta: what is held there, or what is to become of it. Sent to every
// node that may know; those that hold nothing of the kind answer so, metas that do not lead stay
// silent. Asked again until answered: doing it twice changes nothing more.
struct BrakeRequest {
    enum class Action : std::uint8_t {
        report,
        confirm,  // they are gone: what is held goes at once, and the brake counts anew
        release,  // they live: what is held is kept for its patience anew, and the brake counts
                  // anew
    };
    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    Action action = Action::report;
    // Of confirm and release. The scope `cluster` is the metas' brake, and what data nodes held for
    // its sake.
    BrakeScope scope = BrakeScope::session;
    std::string name;
    std::string asked_by = {};  // see model/asked_by.h
    NodeId asked_at = {};       // where; empty: at the node that this came from
};

// session, data, meta -> operator
struct BrakeReply {
    static constexpr std::size_t kLinesMax = 1000;

    Incarnation incarnation;  // of the node that asked
    std::uint64_t request = 0;
    // Of a report: services by name. A meta tells of the sessions, as they said last.
    std::vector<BrakeLine> lines;
    bool more = false;  // there are more than kLinesMax
    // Of confirm and release: brakes of that name that were on or held something.
    std::uint32_t brakes = 0;
    std::uint64_t publications = 0;  // that went, or were given time
};

}  // namespace muster::msg
