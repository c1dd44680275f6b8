#include "store/change_log.h"

#include <algorithm>
#include <utility>

namespace muster::store {

void ChangeLog::append(DatumChange change) {
    auto& newest_of_service = newest_of_[change.service->data_info_id()];
    const std::uint64_t position = first_ + entries_.size();
    entries_.push_back({std::move(change), newest_of_service});
    newest_of_service = position;
    if (entries_.size() > capacity_) {
        const auto oldest = newest_of_.find(entries_.front().change.service->data_info_id());
        if (oldest != newest_of_.end() && oldest->second == first_) {
            newest_of_.erase(oldest);
        }
        entries_.pop_front();
        ++first_;
    }
}

std::vector<DatumChange> ChangeLog::since(const Service& service, Version held) const {
    std::vector<DatumChange> changes;
    const auto newest = newest_of_.find(service.data_info_id());
    std::uint64_t position = newest == newest_of_.end() ? 0 : newest->second;
    while (position >= first_) {
        const Entry& entry = entries_[position - first_];
        changes.push_back(entry.change);
        if (entry.change.from == held) {
            std::ranges::reverse(changes);
            return changes;
        }
        if (entry.change.from < held) {
            break;
        }
        position = entry.previous;
    }
    return {};
}

}  // namespace muster::store
