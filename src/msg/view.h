#pragma once

#include <cstdint>
#include <vector>

#include "model/cluster.h"
#include "model/ids.h"

// Between data servers and sessions whose metas are silent.
namespace muster::msg {

// Whoever is asked knows a newer table. Answered by ViewReply unless it does not. When lost, the
// next message that shows a newer table makes the sender ask again.
struct ViewRequest {
    Epoch table_epoch;  // what the sender has
};

// What the metas told the sender last; agreed by them, so its epochs say what is newer.
struct ViewReply {
    SlotTable table;
    std::uint64_t members_epoch = 0;
    std::vector<Member> members;
    Version version_ceiling;
};

}  // namespace muster::msg
