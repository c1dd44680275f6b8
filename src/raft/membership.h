#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/consensus.h"

// What the core asks of a Membership. Pure functions. Both lists are kept sorted and disjoint.
namespace muster::raft {

inline constexpr std::size_t kMembersMax = 64;
inline constexpr std::size_t kNodeIdBytesMax = 255;

[[nodiscard]] Membership normalised(Membership membership);

[[nodiscard]] bool is_voter(const Membership& membership, const NodeId& node);
[[nodiscard]] bool is_member(const Membership& membership, const NodeId& node);

// More than half of `voters`.
[[nodiscard]] std::size_t majority(std::size_t voters);

// The node whose part differs between the two, when exactly one does and the step is one that
// keeps majorities overlapping: a learner comes, goes or is promoted, a voter becomes a learner or
// goes. Errors: refused, with what to do instead. Raft thesis 4.1, 4.2.1.
[[nodiscard]] Result<NodeId> single_step(const Membership& from, const Membership& to);

// Bytes of an entry that changes the membership: docs/protocol/raft_messages.md.
[[nodiscard]] std::string encode_membership(const Membership& membership);

// Reads one from the front of `bytes` and moves past it. Errors: bad_content.
[[nodiscard]] Result<Membership> take_membership(std::string_view& bytes);

}  // namespace muster::raft
