#include "raft/consensus.h"

namespace muster::raft {

std::string_view to_string(ConsensusRole role) {
    switch (role) {
        case ConsensusRole::stopped: return "stopped";
        case ConsensusRole::recovering: return "recovering";
        case ConsensusRole::follower: return "follower";
        case ConsensusRole::candidate: return "candidate";
        case ConsensusRole::leader: return "leader";
    }
    return "unknown";
}

}  // namespace muster::raft
