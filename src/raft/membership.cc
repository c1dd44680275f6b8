#include "raft/membership.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace muster::raft {
namespace {

enum class Part : std::uint8_t { none, learner, voter };

Part part_of(const Membership& membership, const NodeId& node) {
    if (is_voter(membership, node)) {
        return Part::voter;
    }
    return is_member(membership, node) ? Part::learner : Part::none;
}

void append_nodes(std::string& out, const std::vector<NodeId>& nodes) {
    CHECK(nodes.size() <= kMembersMax);
    out.push_back(static_cast<char>(nodes.size()));
    for (const NodeId& node : nodes) {
        CHECK(node.raw().size() <= kNodeIdBytesMax);
        out.push_back(static_cast<char>(node.raw().size()));
        out += node.raw();
    }
}

Result<std::vector<NodeId>> take_nodes(std::string_view& bytes) {
    if (bytes.empty()) {
        return fail(Errc::bad_content, "a list of members is cut short");
    }
    const auto count = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (count > kMembersMax) {
        return fail(Errc::bad_content, "too many members");
    }
    std::vector<NodeId> nodes;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t size = bytes.empty() ? 0 : static_cast<std::uint8_t>(bytes.front());
        if (size == 0 || bytes.size() < 1 + size) {
            return fail(Errc::bad_content, "the name of a member is empty or cut short");
        }
        nodes.emplace_back(std::string(bytes.substr(1, size)));
        bytes.remove_prefix(1 + size);
    }
    return nodes;
}

}  // namespace

Membership normalised(Membership membership) {
    for (auto* nodes : {&membership.voters, &membership.learners}) {
        std::sort(nodes->begin(), nodes->end());
        nodes->erase(std::unique(nodes->begin(), nodes->end()), nodes->end());
    }
    std::erase_if(membership.learners,
                  [&](const NodeId& node) { return is_voter(membership, node); });
    return membership;
}

bool is_voter(const Membership& membership, const NodeId& node) {
    return std::binary_search(membership.voters.begin(), membership.voters.end(), node);
}

bool is_member(const Membership& membership, const NodeId& node) {
    return is_voter(membership, node) ||
           std::binary_search(membership.learners.begin(), membership.learners.end(), node);
}

std::size_t majority(std::size_t voters) {
    return voters / 2 + 1;
}

Result<NodeId> single_step(const Membership& from, const Membership& to) {
    if (to.voters.empty()) {
        return fail(Errc::refused, "a group needs a voter");
    }
    if (to.voters.size() + to.learners.size() > kMembersMax) {
        return fail(Errc::refused, "too many members");
    }
    std::set<NodeId> nodes;
    for (const Membership* membership : {&from, &to}) {
        nodes.insert(membership->voters.begin(), membership->voters.end());
        nodes.insert(membership->learners.begin(), membership->learners.end());
    }
    std::vector<NodeId> changed;
    for (const NodeId& node : nodes) {
        if (node.raw().empty() || node.raw().size() > kNodeIdBytesMax) {
            return fail(Errc::refused, "a node id is empty or too long");
        }
        if (part_of(from, node) != part_of(to, node)) {
            changed.push_back(node);
        }
    }
    if (changed.size() != 1) {
        return fail(Errc::refused, changed.empty() ? "the members are these already"
                                                   : "one member at a time can change");
    }
    if (part_of(from, changed.front()) == Part::none &&
        part_of(to, changed.front()) == Part::voter) {
        return fail(Errc::refused, "'" + changed.front().raw() +
                                       "' is not a member: add it as a learner first and promote "
                                       "it when it has caught up");
    }
    return changed.front();
}

std::string encode_membership(const Membership& membership) {
    std::string out;
    append_nodes(out, membership.voters);
    append_nodes(out, membership.learners);
    return out;
}

Result<Membership> take_membership(std::string_view& bytes) {
    Membership membership;
    auto voters = take_nodes(bytes);
    if (!voters) {
        return std::unexpected(std::move(voters).error());
    }
    auto learners = take_nodes(bytes);
    if (!learners) {
        return std::unexpected(std::move(learners).error());
    }
    membership = {.voters = std::move(*voters), .learners = std::move(*learners)};
    if (normalised(membership) != membership) {
        return fail(Errc::bad_content, "members are not in order");
    }
    return membership;
}

}  // namespace muster::raft
