#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "msg/brake.h"
#include "msg/node_meta.h"

namespace muster::http {

// What an operator wants of the brake.
struct BrakeWish {
    msg::BrakeRequest::Action action = msg::BrakeRequest::Action::report;
    msg::BrakeScope scope = msg::BrakeScope::session;  // of confirm and release, as is the name
    std::string name;
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
    virtual void on_cluster(std::uint64_t token, const msg::OperatorReply& reply) = 0;
    virtual void on_brake(std::uint64_t token, const BrakeOutcome& outcome) = 0;
};

// What operators' requests ask of the cluster: implemented by the process, faked in tests. Loop
// thread only.
class ClusterFace {
public:
    virtual ~ClusterFace() = default;

    // Puts `what` to the metas. Answered at most once through `port`, never from within: with what
    // the leading meta says, or not at all when none does, so the caller keeps a deadline. `port`
    // must live as long as this. The same asked again has the same effect.
    virtual void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what,
                             ClusterPort& port) = 0;

    // Puts `wish` to whoever may hold something. Answered once through `port`, never from within,
    // when all have answered or had time to. The same asked again has the same effect.
    virtual void ask_brake(std::uint64_t token, BrakeWish wish, ClusterPort& port) = 0;
};

}  // namespace muster::http
