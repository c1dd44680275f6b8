#include "roles/data/catch_up.h"

#include <fmt/format.h>

namespace muster::data {
namespace {

constexpr std::size_t kNamed = 3;

std::string names(const std::set<NodeId>& nodes) {
    std::string text;
    std::size_t count = 0;
    for (const NodeId& node : nodes) {
        if (++count > kNamed) {
            return text + fmt::format(" and {} others", nodes.size() - kNamed);
        }
        text += (count == 1 ? "" : ", ") + node.raw();
    }
    return text;
}

std::string say(const CatchUp::Missing& missing) {
    if (missing.table) {
        return "no slot table is known yet: no meta server has answered";
    }
    if (missing.lost > 0) {
        return fmt::format("without metas: {} slots are being fetched from others", missing.lost);
    }
    if (missing.versions) {
        return "no versions may be given yet: the metas or the disk have not answered";
    }
    if (missing.unsynced > 0) {
        return fmt::format("{} of {} slots it follows are not synced yet with {}", missing.unsynced,
                           missing.followed, names(missing.of));
    }
    return {};
}

}  // namespace

void CatchUp::look(const Missing& missing, MonoTime now) {
    if (over_) {
        return;
    }
    waits_for_ = say(missing);
    const bool for_leaders = !missing.table && missing.lost == 0 && !missing.versions;
    const bool nearer =
        !waits_for_leaders_ || missing.unsynced < unsynced_ || missing.parts_loaded > parts_loaded_;
    waits_for_leaders_ = for_leaders;
    if (nearer) {
        nearer_ = now;
        unsynced_ = missing.unsynced;
        parts_loaded_ = missing.parts_loaded;
    }
    over_ = waits_for_.empty() || (for_leaders && now - nearer_ >= patience_);
}

}  // namespace muster::data
