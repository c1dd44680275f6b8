#include <utility>

#include "base/check.h"
#include "raft/raft_core.h"

// How a node goes on whose files went bad while it runs. It lost nothing: its state and all entries
// that a restart would need are in memory. But its acknowledgements and its vote rest on what is
// durable, so it is in doubt, as a node is that finds the damage at start, until a snapshot of its
// own state and the entries after it stand in new files; a leader's supply would be the same bytes.
// A crash before that leaves the doubt, which then ends as any other.
namespace muster::raft {

void RaftCore::on_damage() {
    if (role_ != Role::follower) {
        step_down(hard_.term, NodeId());
    }
    distrust_disk();
    if (hard_.term == Term()) {
        return;  // it promised nothing yet
    }
    mending_ = mending_ || !hard_.doubt;
    hard_.doubt = true;
    ++hard_.life;
    doubt_until_.reset();
    mend_until_.reset();
    write_hard();
}

// Nothing counts as durable, done or on its way.
void RaftCore::distrust_disk() {
    durable_ = LogIndex();
    for (Pending& pending : pending_) {
        pending.last = LogIndex();
    }
}

void RaftCore::write_anew(SnapshotImage image, std::string file) {
    CHECK(image.index <= applied_ && image.index >= snapshot_.index);
    distrust_disk();
    pending_.push_back({.number = ++last_write_, .last = image.index, .snapshot = image});
    handed_ = image.index;
    effects_.writes.push_back({.number = last_write_,
                               .hard = std::nullopt,
                               .entries = {},
                               .snapshot = std::move(image),
                               .voids_log = true,
                               .anew = true,
                               .snapshot_file = std::move(file)});
    write_entries();
    if (mending_) {
        mend_until_ = log_.last();
    }
}

}  // namespace muster::raft
