#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "model/ids.h"
#include "model/service.h"
#include "msg/outbox.h"
#include "roles/propagation/session_round.h"

namespace muster::propagation {

// Who has been told what of a service.
struct Report {
    struct Session {
        NodeId node;
        Version version;  // of its own copy; zero: it has none
        bool complete = false;
        std::uint32_t lists = 0;
        std::uint32_t behind = 0;
        std::uint32_t congested = 0;
    };
    struct Line {
        NodeId session;
        msg::SubscriberLine subscriber;
    };
    // How long changes took through one stage, on all sessions that measure the service.
    struct StageSum {
        Stage stage = Stage::end_to_end;
        StageHistogram::Counts counts{};
        std::uint64_t count = 0;
        std::uint64_t sum_us = 0;
        std::uint64_t max_us = 0;
        std::uint64_t below_zero = 0;

        // So many percent took no longer, as far as buckets tell; microseconds. Zero of none.
        [[nodiscard]] std::uint64_t quantile_us(std::uint64_t percent) const;
    };
    ServicePtr service;
    NodeId leader;    // empty: none that answered
    Version version;  // what is asked about: the leader's newest; zero: not known
    bool settled = false;
    std::uint32_t publications = 0;
    std::uint32_t drained = 0;
    std::vector<Session> sessions;  // that answered, by node
    std::uint64_t lists = 0;        // in full, as are the next two
    std::uint64_t behind = 0;
    std::uint64_t congested = 0;
    std::vector<Line> lines;               // the furthest behind first
    bool more = false;                     // there are more than these
    std::vector<msg::RoleAddress> silent;  // who did not answer
    std::vector<StageSum> stages;          // empty: no session measures it
    std::int64_t measured_ms = 0;          // for so long by now, where it is longest

    // Adds what the sessions of a round said, and keeps `limit` lines. Requires: it is done.
    void add(const SessionRound& round, std::size_t limit);
};

}  // namespace muster::propagation
