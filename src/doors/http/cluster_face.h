#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "msg/brake.h"
#include "msg/node_meta.h"
#include "roles/propagation/drain.h"
#include "roles/propagation/history.h"
#include "roles/propagation/propagation.h"
#include "roles/verify/report.h"

namespace muster::http {

// What an OperatorRequest came to.
struct ClusterAnswer {
    // Whose word it is when no meta that leads answered: what this node was told last.
    struct Stale {
        NodeId told_by;
        std::optional<Duration> age;  // none: from an earlier life of the node
    };
    Result<void> result;
    std::shared_ptr<const msg::ClusterReport> report;  // of ReportCluster, else null
    std::optional<Stale> stale;
};

// What an operator wants of the brake.
struct BrakeWish {
    msg::BrakeRequest::Action action = msg::BrakeRequest::Action::report;
    msg::BrakeScope scope = msg::BrakeScope::session;  // of confirm and release, as is the name
    std::string name;
    std::string asked_by = {};  // see model/asked_by.h
};

// What all who may know answered to a BrakeWish.
struct BrakeOutcome {
    std::vector<msg::BrakeLine> lines;  // of a report: by (scope, name, node)
    bool more = false;
    std::vector<std::string> silent;  // who did not answer: node ids, "metas"
    std::uint64_t brakes = 0;         // of a decision: brakes of that name
    std::uint64_t publications = 0;   // and publications it was about
};

// Takes the answers. `token` is the caller's.
class ClusterPort {
public:
    virtual ~ClusterPort() = default;
    virtual void on_cluster(std::uint64_t token, const ClusterAnswer& answer) = 0;
    virtual void on_brake(std::uint64_t token, const BrakeOutcome& outcome) = 0;
    virtual void on_verify(std::uint64_t token, const Result<verify::Report>& report) = 0;
    virtual void on_propagation(std::uint64_t token, const Result<propagation::Report>& report) = 0;
    virtual void on_marked(std::uint64_t token, const Result<propagation::DrainReport>& report) = 0;
    virtual void on_history(std::uint64_t token,
                            const Result<propagation::HistoryReport>& report) = 0;
};

// What operators' requests ask of the cluster: implemented by the process, faked in tests. Loop
// thread only.
class ClusterFace {
public:
    virtual ~ClusterFace() = default;

    // Puts `what` to the metas. Answered at most once through `port`, never from within: with what
    // the leading meta says. When none does, a report is answered with what is known here, marked
    // as stale; anything else not at all, so the caller keeps a deadline. `port` must live as long
    // as this. The same asked again has the same effect.
    virtual void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what,
                             ClusterPort& port) = 0;

    // Puts `wish` to whoever may hold something. Answered once through `port`, never from within,
    // when all have answered or had time to. The same asked again has the same effect.
    virtual void ask_brake(std::uint64_t token, BrakeWish wish, ClusterPort& port) = 0;

    // Compares what all hold. Answered once through `port`, never from within, within kVerifyMax.
    // Errors: not_ready (no slot table is known here), busy (enough of them run).
    virtual void ask_verify(std::uint64_t token, ClusterPort& port) = 0;

    static constexpr Duration kVerifyMax = std::chrono::seconds(10);

    // Asks who has been told what of a service. Answered as ask_verify(), within kPropagationMax.
    virtual void ask_propagation(std::uint64_t token, propagation::Question wish,
                                 ClusterPort& port) = 0;

    static constexpr Duration kPropagationMax = std::chrono::seconds(5);

    // Drains or restores instances. Answered as ask_verify(), within kPropagationMax beyond its
    // timeout; the same asked again waits on.
    virtual void ask_mark(std::uint64_t token, propagation::DrainWish wish, ClusterPort& port) = 0;

    // Asks what became of a service's instances. Answered as ask_verify(), within kHistoryMax.
    // Errors: busy.
    virtual void ask_history(std::uint64_t token, propagation::HistoryQuestion question,
                             ClusterPort& port) = 0;

    static constexpr Duration kHistoryMax = std::chrono::seconds(6);
};

}  // namespace muster::http
