#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/raft_core.h"

// The bytes of the two files that hold a node's term and vote: docs/protocol/raft_messages.md.
namespace muster::raft {

struct VoteFile {
    std::uint64_t written = 0;  // grows with every write: the larger of two files counts
    std::uint64_t cluster = 0;
    NodeId node;
    HardState hard;

    [[nodiscard]] bool operator==(const VoteFile&) const = default;
};

inline constexpr std::string_view kVoteFiles[] = {"vote-a.mvote", "vote-b.mvote"};

// Requires: names of at most 255 bytes.
[[nodiscard]] std::string encode_vote_file(const VoteFile& file);

// Errors: corrupt, refused (format of a newer release).
[[nodiscard]] Result<VoteFile> decode_vote_file(std::string_view bytes);

}  // namespace muster::raft
