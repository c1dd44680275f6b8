#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "raft/raft_core.h"

namespace muster::raft {

// Makes a snapshot of a view of the machine, a part at a time: the payload that followers are sent
// and the file that is written, with their checksum, so that no step goes over all of it. One per
// snapshot, part of a RaftNode; loop thread only.
class SnapshotBuilder {
public:
    SnapshotBuilder(LogIndex index, Term term, const Membership& members,
                    std::unique_ptr<StateView> view);

    // Takes about `bytes_max` more. True: that was all.
    [[nodiscard]] bool advance(std::size_t bytes_max);

    struct Built {
        SnapshotImage image;
        std::string file;
    };
    // Requires: advance() gave true; called once.
    [[nodiscard]] Built take();

private:
    void add(std::size_t from);

    LogIndex index_;
    Term term_;
    std::unique_ptr<StateView> view_;
    std::string payload_;
    std::string file_;
    std::uint32_t crc_ = 0;
};

}  // namespace muster::raft
