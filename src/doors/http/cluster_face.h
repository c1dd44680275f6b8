#pragma once

#include <cstdint>

#include "msg/node_meta.h"

namespace muster::http {

// Takes the answers of the metas. `token` is the caller's.
class ClusterPort {
public:
    virtual ~ClusterPort() = default;
    virtual void on_cluster(std::uint64_t token, const msg::OperatorReply& reply) = 0;
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
};

}  // namespace muster::http
