#include "model/cluster.h"

#include "base/check.h"
#include "base/hash.h"

namespace muster {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::meta: return "meta";
        case Role::data: return "data";
        case Role::session: return "session";
    }
    return "unknown";
}

std::string_view to_string(MemberPhase phase) {
    switch (phase) {
        case MemberPhase::live: return "live";
        case MemberPhase::leaving: return "leaving";
        case MemberPhase::dead: return "dead";
    }
    return "?";
}

SlotId slot_of(const Service& service, std::size_t slot_count) {
    CHECK(slot_count > 0);
    return SlotId(static_cast<std::uint16_t>(hash64(service.data_info_id()) % slot_count));
}

}  // namespace muster
