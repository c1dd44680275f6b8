#include <algorithm>
#include <utility>

#include "base/check.h"
#include "raft/membership.h"
#include "raft/raft_node.h"

namespace muster::raft {

void RaftNode::try_snapshot(const SnapshotImage& offer) {
    std::string_view state = *offer.payload;
    auto membership = take_membership(state);
    Result<void> restored =
        membership ? machine_->restore(state) : std::unexpected(membership.error());
    if (!restored) {
        env_.log.error("raft.snapshot.refused", {{"why", to_string(restored.error())}});
        core_->refuse_snapshot();
        return;
    }
    env_.log.info("raft.snapshot.installed", {{"index", offer.index.raw()}});
    snapshot_bytes_ = offer.payload->size();
    bytes_since_snapshot_ = 0;
    records_since_snapshot_ = 0;
    builder_.reset();  // newer than what it is about
    core_->accept_snapshot(std::move(*membership));
}

void RaftNode::maybe_take_snapshot() {
    // A large state is not written again for a small change.
    const std::uint64_t enough = std::max(options_.snapshot_after_bytes, snapshot_bytes_);
    const bool due = bytes_since_snapshot_ >= enough ||
                     records_since_snapshot_ >= options_.snapshot_after_records ||
                     (store_.segments() > options_.segments_max && records_since_snapshot_ > 0);
    if (builder_ || snapshot_pending_) {
        return;
    }
    const bool wished = records_since_snapshot_ > 0 && store_.take_compaction_wish();
    if (!due && !wished && !begin_anew_) {
        return;
    }
    const LogIndex index = core_->applied();
    const std::optional<Term> term = core_->log().term_at(index);
    CHECK(term.has_value());
    builder_.emplace(index, *term, core_->log().membership_at(index), machine_->view());
    bytes_since_snapshot_ = 0;
    records_since_snapshot_ = 0;
    env_.timers.arm(kPart, Duration::zero());
}

void RaftNode::build_snapshot() {
    if (!builder_) {
        return;
    }
    if (!builder_->advance(options_.snapshot_part_bytes)) {
        env_.timers.arm(kPart, Duration::zero());
        return;
    }
    SnapshotBuilder::Built built = builder_->take();
    builder_.reset();
    snapshot_bytes_ = built.image.payload->size();
    snapshots_taken_.add();
    snapshot_pending_ = built.image.index;
    if (std::exchange(begin_anew_, false)) {
        core_->write_anew(std::move(built.image), std::move(built.file));
    } else {
        core_->take_snapshot(std::move(built.image), std::move(built.file));
    }
}

}  // namespace muster::raft
