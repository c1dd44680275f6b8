#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/muster/server/foundation.h"
#include "raft/raft_node.h"
#include "runtime/links/cluster_bus.h"
#include "runtime/links/cluster_links.h"

namespace muster::cli {

// The links of a process to the other nodes of its cluster: what its roles send to others leaves by
// them, what comes in goes to the bus or, for Raft, to the consensus.
//
//   LocalBus -- ClusterBus -- ClusterLinks -- other nodes
//   RaftNode ------'
//
// Who is dialled: the metas always; data servers by nodes with the data or the session role. Loop
// thread only.
class LinksPart final : public raft::RaftTransport {
public:
    // Listens for other nodes, and dials the metas. Requires: a cluster. Errors: bad_config, those
    // of env::Net::listen with the key to change.
    [[nodiscard]] static Result<std::unique_ptr<LinksPart>> create(Foundation& base);

    // What other metas say to Raft goes there. `raft` must live as long as the loop runs.
    void serve(raft::RaftNode& raft);

    // Dials those data servers, and forgets others.
    void follow(const std::vector<Member>& members);

    // Where other nodes reach this one.
    [[nodiscard]] const std::string& peer_address() const {
        return peer_address_;
    }
    // With which metas besides this node it is linked, and what to do about the others: for people.
    [[nodiscard]] std::string say_linked() const;
    void write_metrics(MetricsWriter& writer) const;

    // raft::RaftTransport
    void send(const NodeId& to, std::string bytes) override;

private:
    LinksPart(Foundation& base, std::string secret);
    [[nodiscard]] Result<void> listen(const env::SocketAddress& wanted);

    Foundation& base_;
    runtime::LoopTimers timers_;
    runtime::ClusterBus bus_;
    runtime::ClusterLinks links_;
    std::string peer_address_;
    std::map<NodeId, std::string> followed_;  // data servers, where they were
};

}  // namespace muster::cli
