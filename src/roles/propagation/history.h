#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "model/history.h"
#include "roles/propagation/session_round.h"

namespace muster::propagation {

struct HistoryQuestion {
    ServicePtr service;
    std::string address;        // "ip:port"; empty: all instances
    Duration since{};           // not longer ago than this; zero: all that is kept
    Duration until{};           // longer ago than this; zero: up to now
    std::uint32_t limit = 100;  // records of the report
};

// What became of a service's instances.
struct HistoryReport {
    struct Line {
        NodeId node;  // that noted it
        HistoryRecord record;
    };
    struct Node {
        NodeId node;
        std::int64_t reaches_ms = 0;  // all it keeps since then was looked at; zero: it keeps none
        std::string refused;          // why it told nothing; empty: it did
    };
    struct Loss {
        NodeId node;
        HistoryLoss loss;
    };
    ServicePtr service;
    std::vector<Line> lines;  // the newest first
    bool more = false;        // there are older ones than these
    std::vector<Node> nodes;  // data servers that answered, by name
    std::vector<Loss> lost;   // what they could not keep, the newest first
    std::vector<NodeId> silent;
};

// Asks all data servers what they noted of a service while they led its slot, and puts their
// answers together.
//
//   asking --all answered, or patience over--> done
//
// The owner passes answers to take() and calls on_timer() when due(). Loop thread only. Bounds: one
// answer of each data server, HistoryRequest::kLimitMax records in it.
class History {
public:
    // Data servers may have much to read.
    static constexpr AskingOptions kAsking{.patience = std::chrono::seconds(5),
                                           .ask_again = std::chrono::seconds(2)};

    History(const Asker& asker, const AskingEnv& env, HistoryQuestion question,
            AskingOptions options = kAsking);

    void begin();
    void take(const msg::RoleAddress& from, const msg::HistoryReply& reply);
    void on_timer();

    [[nodiscard]] bool done() const {
        return over_;
    }
    // When on_timer() is to be called. Requires: not done.
    [[nodiscard]] MonoTime due() const;
    // Requires: done.
    [[nodiscard]] HistoryReport report() const;

private:
    void ask();

    Asker asker_;
    AskingEnv env_;
    AskingOptions options_;
    HistoryQuestion question_;
    std::int64_t since_ms_ = 0;
    std::int64_t until_ms_ = 0;
    MonoTime began_;
    MonoTime asked_at_;
    std::set<NodeId> awaited_;
    std::map<NodeId, msg::HistoryReply> answers_;
    bool over_ = false;
};

}  // namespace muster::propagation
