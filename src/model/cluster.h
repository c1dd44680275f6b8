#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "model/service.h"

namespace muster {

enum class Role : std::uint8_t { meta, data, session };

[[nodiscard]] std::string_view to_string(Role role);

// What the metas agreed on about a member's present life. A node says of itself that it lives or
// that it is leaving; only the metas call somebody dead, and take it back when they hear from it.
enum class MemberPhase : std::uint8_t {
    live,
    leaving,  // it stops soon: nothing new is given to it, what it holds moves away
    dead,     // its process ended, or nobody heard from it for a lease
};

[[nodiscard]] std::string_view to_string(MemberPhase phase);

// One role of a process of the cluster as the metas know it.
struct Member {
    NodeId node;
    Role role = Role::session;
    std::string address;  // "ip:port" where its clients reach it
    Incarnation incarnation;
    std::string peer_address = {};  // "ip:port" where other nodes reach it; empty: they cannot
    std::string zone = {};          // placement spreads copies over zones; empty: none given
    std::uint64_t folder = 0;       // names its data folder: two processes may claim one node id
    MemberPhase phase = MemberPhase::live;

    [[nodiscard]] bool operator==(const Member&) const = default;
};

// How far a copy of a slot is: positions count from 1 in each leader epoch; number 0 is where the
// epoch began.
struct LogPosition {
    Epoch epoch;  // of the leader whose log it is; zero: the copy is empty
    std::uint64_t number = 0;

    [[nodiscard]] auto operator<=>(const LogPosition&) const = default;
};

// Versions between these two are not of a slot's log: a leader before may have given some, and its
// last entries were lost with it. Zero `below`: nothing was given since.
struct VersionGap {
    Version above;
    Version below;

    [[nodiscard]] bool operator==(const VersionGap&) const = default;
};

// Who holds one slot. `floor` is above every version any earlier leader of the slot may have given:
// a leader of this epoch starts above it.
struct Slot {
    NodeId leader;  // empty: none yet
    std::vector<NodeId> followers;
    Epoch epoch;
    Version floor;

    [[nodiscard]] bool operator==(const Slot&) const = default;
};

// Slot -> who holds it; agreed by the metas.
struct SlotTable {
    Epoch epoch;  // zero: not known yet
    std::vector<Slot> slots;

    [[nodiscard]] bool operator==(const SlotTable&) const = default;
};

// The slot of a service among `slot_count`: XXH3-64 of its data_info_id, modulo. Part of what all
// nodes must agree on. Requires: slot_count > 0.
[[nodiscard]] SlotId slot_of(const Service& service, std::size_t slot_count);

inline constexpr std::uint16_t kDefaultSlotCount = 256;

}  // namespace muster
