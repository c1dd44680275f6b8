#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/cluster.h"
#include "roles/meta/command_codec.h"

namespace muster::meta {

// What placement looks at.
struct SlotsView {
    const SlotTable& table;  // may have no slots yet
    std::uint16_t slot_count = 0;
    std::vector<NodeId> live;  // data nodes heard from; sorted
    // Data nodes of which it is not known yet whether they live: they keep what they have and get
    // nothing more. Sorted.
    std::vector<NodeId> unheard;
};

struct SlotsOptions {
    std::size_t moves_max = kSlotsMax;  // slots taken from a living leader by one plan
};

// Who should lead which slot, as the fewest changes: slots without a leader, or whose leader is
// dead, go to the live nodes with the fewest; then slots move from the live node with most to the
// one with fewest until they differ by at most one. Nothing when there is no live node, or nothing
// to do. Pure; the same view gives the same plan.
[[nodiscard]] std::vector<AssignSlots::Assignment> plan_slots(const SlotsView& view,
                                                              const SlotsOptions& options);

}  // namespace muster::meta
