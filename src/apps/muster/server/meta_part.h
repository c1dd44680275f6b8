#pragma once

#include <memory>

#include "apps/muster/server/foundation.h"
#include "raft/raft_node.h"
#include "raft/single_node.h"
#include "roles/meta/meta.h"
#include "runtime/disk/file_disk.h"

namespace muster::cli {

// The meta role of a process, with its consensus: of one node in a registry of its own, by Raft in
// a cluster.
//
//   folder meta/ - FileDisk - SingleNode | RaftNode - MetaServer - bus
//                                   RaftTransport ---'
//
// Loop thread only.
class MetaPart {
public:
    // Recovers what was agreed. `transport` carries Raft's messages; null: a registry of its own.
    // Both must outlive this. Errors: those of raft::Consensus::start().
    [[nodiscard]] static Result<std::unique_ptr<MetaPart>> create(Foundation& base,
                                                                  raft::RaftTransport* transport);

    [[nodiscard]] meta::MetaServer& role() {
        return *role_;
    }
    // Null in a registry of its own.
    [[nodiscard]] raft::RaftNode* raft() {
        return raft_.get();
    }
    // Why this meta is no help to anybody now; none: it is.
    [[nodiscard]] std::optional<std::string> not_ready() const;

    void write_metrics(MetricsWriter& writer) const;

private:
    explicit MetaPart(Foundation& base);
    void make_consensus(Foundation& base, raft::RaftTransport* transport);

    runtime::FileDisk disk_;
    runtime::LoopTimers consensus_timers_;
    runtime::LoopTimers timers_;
    std::unique_ptr<msg::Outbox> outbox_;
    std::unique_ptr<raft::SingleNode> single_;
    std::unique_ptr<raft::RaftNode> raft_;
    std::unique_ptr<meta::MetaServer> role_;
};

}  // namespace muster::cli
