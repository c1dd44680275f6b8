#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "roles/meta/fields.h"
#include "roles/placement/placement.h"

// What the metas agree on, one by one, and its bytes in the log (docs/protocol/meta_log.md).
namespace muster::meta {

// Bounds that are part of the format: every node decides by them alike.
inline constexpr std::size_t kNameBytesMax = 255;  // node ids, addresses
inline constexpr std::size_t kMembersMax = 2048;   // (node, role) pairs ever seen
inline constexpr std::size_t kSlotsMax = 16'384;
inline constexpr std::size_t kFollowersMax = 15;
inline constexpr std::size_t kConfigKeyBytesMax = 1024;
inline constexpr std::size_t kConfigValueBytesMax = 1 << 20;
inline constexpr std::size_t kConfigKeysMax = 10'000;  // cleared ones included
inline constexpr std::size_t kConfigBytesMax = 64 << 20;
inline constexpr Version kVersionMax{(std::uint64_t{1} << 63U) - 1};
inline constexpr std::uint64_t kEpochMax = std::uint64_t{1} << 62U;
inline constexpr std::uint64_t kHeadroomMax = std::uint64_t{1} << 60U;

// The physical part of a version; zero for a clock before 1970, at most 2^62.
[[nodiscard]] Version version_at(WallTime wall);

// Versions that one such span of time takes.
[[nodiscard]] std::uint64_t version_span(Duration span);

// What a command that takes slots from an earlier life or leader needs: their floor becomes the
// ceiling, and the ceiling rises to max(itself, physical) + headroom in the same step, so that the
// new life has versions to give.
struct Fence {
    Version physical;
    std::uint64_t headroom = 0;

    [[nodiscard]] bool operator==(const Fence&) const = default;
};

// A new incarnation of a node; nothing when it is not newer than the one known. Of the slots that a
// data node leads, those named in `handed_over` go to that follower, which has a copy, and the node
// follows there; the others go to its new life.
struct MemberJoined {
    struct HandOver {
        SlotId slot;
        NodeId to;

        [[nodiscard]] bool operator==(const HandOver&) const = default;
    };
    Member member;
    std::vector<HandOver> handed_over = {};  // ascending; ignored where `to` does not follow
    Fence fence;

    [[nodiscard]] bool operator==(const MemberJoined&) const = default;
};

// Members are in another phase now; nothing for those that live in another incarnation.
struct SetPhases {
    struct Item {
        NodeId node;
        Role role = Role::session;
        Incarnation incarnation;
        MemberPhase phase = MemberPhase::live;

        [[nodiscard]] bool operator==(const Item&) const = default;
    };
    std::vector<Item> items;

    [[nodiscard]] bool operator==(const SetPhases&) const = default;
};

// Forgets a dead member; it follows no slot any more. Refused: conflict when it is not dead or
// leads a slot, not_found.
struct RemoveMember {
    NodeId node;
    Role role = Role::session;

    [[nodiscard]] bool operator==(const RemoveMember&) const = default;
};

// New holders of some slots. Refused (conflict) unless the table is at `base`. The first one makes
// the table, with `slot_count` slots. All holders are data members and differ, else
// invalid_argument.
struct AssignSlots {
    using Assignment = placement::Assignment;
    Epoch base;
    std::uint16_t slot_count = 0;
    std::vector<Assignment> slots;  // ascending
    Fence fence;

    [[nodiscard]] bool operator==(const AssignSlots&) const = default;
};

// How slots are placed from now on.
struct SetPlacement {
    placement::Mode mode = placement::Mode::automatic;
    bool forget_wishes = false;

    [[nodiscard]] bool operator==(const SetPlacement&) const = default;
};

// `node`, a data member, shall lead the slot.
struct WishLeader {
    SlotId slot;
    NodeId node;

    [[nodiscard]] bool operator==(const WishLeader&) const = default;
};

// The ceiling becomes at least `to`.
struct RaiseCeiling {
    Version to;

    [[nodiscard]] bool operator==(const RaiseCeiling&) const = default;
};

// Sets a value; the same value again changes nothing. The version is max(previous + 1, physical).
struct PutConfig {
    std::string key;
    std::string value;
    Version physical;

    [[nodiscard]] bool operator==(const PutConfig&) const = default;
};

// Clears a value; its version stays, so that a later one is above it.
struct ClearConfig {
    std::string key;
    Version physical;

    [[nodiscard]] bool operator==(const ClearConfig&) const = default;
};

// The epochs become larger than these, which some node has heard of: the metas lost their folder.
struct RaiseEpochs {
    Epoch table;
    std::uint64_t members = 0;

    [[nodiscard]] bool operator==(const RaiseEpochs&) const = default;
};

using Command = std::variant<MemberJoined, AssignSlots, RaiseCeiling, PutConfig, ClearConfig,
                             RaiseEpochs, SetPhases, RemoveMember, SetPlacement, WishLeader>;

[[nodiscard]] std::string encode_command(const Command& command);

// Errors: bad_content (cut, over a bound, trailing bytes), refused (of a newer release).
[[nodiscard]] Result<Command> decode_command(std::string_view bytes);

// What apply() answers: for configuration its version, else the ceiling.
[[nodiscard]] std::string encode_outcome(const Result<Version>& outcome);
[[nodiscard]] Result<Version> decode_outcome(std::string_view bytes);

// Used by the snapshot too.
void append_member(std::string& out, const Member& member);
[[nodiscard]] Member read_member(FieldReader& reader);
[[nodiscard]] Role read_role(FieldReader& reader);
[[nodiscard]] NodeId read_node(FieldReader& reader);  // not empty
[[nodiscard]] placement::Mode read_mode(FieldReader& reader);
void append_nodes(std::string& out, const std::vector<NodeId>& nodes);
[[nodiscard]] std::vector<NodeId> read_nodes(FieldReader& reader);
[[nodiscard]] Version read_version(FieldReader& reader);

}  // namespace muster::meta
