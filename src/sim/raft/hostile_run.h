#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace muster::raft::swarm {

struct HostileRun {
    std::uint64_t seed = 1;
    Duration hostile_time = std::chrono::minutes(1);
    Duration healing_time = std::chrono::seconds(30);  // until all must be well again
};

struct Outcome {
    std::optional<std::string> violation;  // what must not be; or that the group is stuck
    std::uint64_t trace_hash = 0;
    std::size_t agreed = 0;
    std::size_t acknowledged = 0;
    std::size_t reads = 0;
    std::size_t reigns = 0;
    std::size_t crashes = 0;
    std::size_t changes = 0;
    std::size_t losses = 0;  // starts of a node that does not know all it held
    std::size_t wipes = 0;   // of whole folders
    std::size_t rots = 0;    // bits of files that changed by themselves
};

// One run of 3 to 6 nodes, 3 to 5 of them voters at first, under crashes of any subset, one- and
// two-way partitions, loss, duplication, reordering, pauses, leaps of clocks, slow, full and torn
// disks, files damaged between lives and while their node runs, lost folders, membership changes
// and transfers; then everything is mended and the group must converge and take a command. Which of
// these, and when, is drawn from the seed.
[[nodiscard]] Outcome run_hostile(const HostileRun& run);

}  // namespace muster::raft::swarm
