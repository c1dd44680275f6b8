#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "model/mark.h"
#include "model/service.h"
#include "model/subscription.h"
#include "model/trace.h"

// What operators ask about who has been told of a service, and say about instances of it
// (roles/propagation). All of it is asked again until it is answered: asking changes nothing, and
// a mark that is there is not set again.
//
//   operator --NewestRequest--> leader of the slot --NewestReply--> operator
//            --MarkRequest----> leader of the slot ----MarkReply--> operator
//            --ReachRequest---> session ----------------ReachReply-> operator
//            --ReachRequest---> data --ReachRequest--> session       when there is no link to it
//                                    <--ReachReply---- session, passed on to the operator
namespace muster::msg {

// operator -> data: how new is the service?
struct NewestRequest {
    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    ServicePtr service;
};

// data -> operator
struct NewestReply {
    Incarnation incarnation;
    std::uint64_t request = 0;
    bool leads = false;  // the sender leads the slot; else the rest says nothing
    bool settled = false;
    Version version;                 // zero: nobody has published it or asked for it lately
    std::uint32_t publications = 0;  // that lists show
    std::uint32_t drained = 0;       // and that they do not
};

// operator -> session: which of its subscribers have the service at `version`, or one without some
// registrations?
// operator -> data: to be passed on to `session`, as with VerifyRequest.
struct ReachRequest {
    static constexpr std::uint32_t kLimitMax = 1000;
    static constexpr std::size_t kWithoutMax = 100;

    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    NodeId asker;               // the role the answer is for
    Role asker_role = Role::session;
    NodeId session;  // empty: the receiver
    ServicePtr service;
    Version version;  // zero: the newest the session has
    // Instead of `version`: who has not acknowledged a list without all of these is behind.
    std::vector<RegistId> without;
    std::uint32_t limit = 100;  // so many lines, at most kLimitMax
    // Above zero: the service is measured for so long from now on, at most kMeasureMsMax.
    std::int64_t measure_ms = 0;

    static constexpr std::int64_t kMeasureMsMax = std::int64_t{3600} * 1000;
};

// How long changes of one service took through one stage, as StageHistogram has it.
struct StageCounts {
    Stage stage = Stage::end_to_end;
    std::vector<std::uint64_t> counts;  // by bucket, the last one above all bounds
    std::uint64_t sum_us = 0;
    std::uint64_t max_us = 0;
    std::uint64_t below_zero = 0;

    [[nodiscard]] bool operator==(const StageCounts&) const = default;
};

// What one connection has of one list.
struct SubscriberLine {
    std::string client_address;
    std::string door;
    std::string app;
    Scope scope = Scope::zone;
    std::string zone;
    std::uint32_t subscriptions = 0;  // of that list
    Version acknowledged;             // zero: nothing yet
    Version in_flight;                // sent and not acknowledged; zero: nothing
    bool behind = false;
    bool congested = false;                // its connection takes nothing now
    std::optional<std::uint32_t> changes;  // the session knows of and it has not acknowledged
    std::int64_t behind_ms = 0;            // since the first of them, or since it subscribed

    [[nodiscard]] bool operator==(const SubscriberLine&) const = default;
};

// session -> operator; session -> data, when that passed the request on; data -> operator
struct ReachReply {
    Incarnation incarnation;
    std::uint64_t request = 0;
    NodeId asker;
    Role asker_role = Role::session;
    NodeId session;
    Version version;  // of the session's own copy; zero: it has none
    bool complete = false;
    std::uint32_t lists = 0;  // connections and lists of the service there
    std::uint32_t behind = 0;
    std::uint32_t congested = 0;
    std::vector<SubscriberLine> lines;     // the furthest behind first
    std::vector<StageCounts> stages = {};  // while the service is measured there, of each stage
    std::int64_t measured_ms = 0;          // for so long by now
};

// operator -> data: the instances of the service at `address` are about to leave, or are back.
struct MarkRequest {
    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    ServicePtr service;
    std::string address;  // "ip:port"
    Mark::Kind kind = Mark::Kind::drained;
    std::int64_t ramp_ms = 0;   // of what is restored
    LogPosition since;          // as in the last answer; zero: there was none
    std::string asked_by = {};  // see model/asked_by.h
};

// data -> operator
struct MarkReply {
    Incarnation incarnation;
    std::uint64_t request = 0;
    // not_leader, not_ready: ask again. not_found: no instance is there, or none is drained.
    Result<void> result;
    std::vector<RegistId> ids;  // the instances there
    std::uint32_t changed = 0;  // of them: by this request
    std::uint32_t others = 0;   // instances that lists still show
    Version version;            // of the service since
    // Where the slot's log had all these marks: as the request says, unless that is no place on it,
    // or marks were set since.
    LogPosition since;
    std::uint32_t copies = 0;     // data servers that have it up to there, the sender is one
    std::vector<NodeId> lacking;  // followers that have not said so
};

}  // namespace muster::msg
