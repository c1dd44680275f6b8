#include <utility>

#include "raft/raft_node.h"

namespace muster::raft {

// Says it once when the node's word begins to count, or no longer does.
void RaftNode::say_standing() {
    const Standing now = core_->standing();
    const Standing before = std::exchange(standing_, now);
    if (now == before) {
        return;
    }
    if (now == Standing::blank) {
        env_.log.info("raft.folder.empty",
                      {{"folder", options_.folder}, {"others", core_->unheard().size()}});
    } else if (now == Standing::doubtful) {
        env_.log.warning("raft.doubt.begins",
                         {{"term", core_->term().raw()},
                          {"why", begin_anew_                 ? "a file went bad"
                                  : before == Standing::blank ? "the folder was lost"
                                                              : "a part of the log was lost"}});
    } else if (before == Standing::blank) {
        env_.log.info("raft.group.begins", {{"term", core_->term().raw()}});
    } else {
        env_.log.info("raft.doubt.ends", {{"term", core_->term().raw()}});
    }
}

}  // namespace muster::raft
