#include "apps/muster/server/meta_part.h"

#include "apps/muster/server/folder_check.h"
#include "apps/muster/server/role_options.h"

namespace muster::cli {

MetaPart::MetaPart(Foundation& base)
    : disk_(*base.loop, base.folder, runtime::FileDiskOptions{}),
      consensus_timers_(*base.loop),
      timers_(*base.loop),
      outbox_(base.bus->outbox({base.identity.node(), Role::meta})) {}

Result<std::unique_ptr<MetaPart>> MetaPart::create(Foundation& base,
                                                   raft::RaftTransport* transport) {
    auto part = std::unique_ptr<MetaPart>(new MetaPart(base));
    part->make_consensus(base, transport);
    raft::Consensus& consensus =
        transport != nullptr ? static_cast<raft::Consensus&>(*part->raft_) : *part->single_;
    part->role_ = std::make_unique<meta::MetaServer>(meta_options(base.config, base.identity),
                                                     meta::MetaEnv{.clock = *base.loop,
                                                                   .timers = part->timers_,
                                                                   .outbox = *part->outbox_,
                                                                   .log = base.log},
                                                     consensus);
    part->timers_.bind(*part->role_);
    auto recovered = part->role_->start();
    if (!recovered && recovered.error().code == Errc::refused) {
        recovered.error().detail += "; nothing in the log was changed. " +
                                    advice_on_other_release(is_clustered(base.config));
    }
    if (!recovered) {
        return wrap("recover what the metas agreed on", std::move(recovered).error());
    }
    if (recovered->truncated) {
        base.log.error("meta.log.damaged", {{"file", recovered->dropped_from},
                                            {"reason", recovered->reason},
                                            {"bytes", recovered->bytes_dropped}});
    }
    return part;
}

void MetaPart::make_consensus(Foundation& base, raft::RaftTransport* transport) {
    if (transport == nullptr) {
        single_ = std::make_unique<raft::SingleNode>(
            raft::SingleNodeOptions{.node = base.identity.node()},
            raft::SingleNodeEnv{.disk = disk_, .timers = consensus_timers_, .log = base.log});
        consensus_timers_.bind(*single_);
        disk_.bind(*single_);
        return;
    }
    raft_ = std::make_unique<raft::RaftNode>(
        raft_options(base.identity),
        raft::RaftNodeEnv{.disk = disk_,
                          .timers = consensus_timers_,
                          .transport = *transport,
                          .prng = Prng(base.identity.owner.folder ^ base.identity.life.now.raw()),
                          .log = base.log});
    consensus_timers_.bind(*raft_);
    disk_.bind(*raft_);
}

std::optional<std::string> MetaPart::not_ready() const {
    const raft::ConsensusStatus status = role_->status().consensus;
    if (!status.unheard.empty()) {
        std::string names;
        for (const NodeId& node : status.unheard) {
            names += (names.empty() ? "" : ", ") + node.raw();
        }
        return "the folder of this meta was empty: it waits for word from " + names +
               ", whether the metas begin or it lost what it held";
    }
    if (status.leader == NodeId{}) {
        return "the metas have no leader: most of them must be there";
    }
    if (status.doubtful) {
        return "this meta lost what it held and has not caught up with the leader yet";
    }
    return std::nullopt;
}

void MetaPart::write_metrics(MetricsWriter& writer) const {
    role_->write_metrics(writer);
    if (single_ != nullptr) {
        single_->write_metrics(writer);
    }
    if (raft_ != nullptr) {
        raft_->write_metrics(writer);
    }
    disk_.write_metrics(writer);
}

}  // namespace muster::cli
