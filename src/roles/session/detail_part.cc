#include "roles/session/detail_part.h"

#include <iterator>
#include <utility>

namespace muster::session {

void DetailPart::offer(const msg::PublishBatch::Op& op) {
    if (op.id <= after_) {
        return;
    }
    if (least_.size() == kOpsMax) {
        more_ = true;
        const auto greatest = std::prev(least_.end());
        if (op.id > greatest->first) {
            return;
        }
        least_.erase(greatest);
    }
    least_.emplace(op.id, op);
}

void DetailPart::fill(msg::SlotDetail& detail) {
    detail.after = after_;
    detail.publications.reserve(least_.size());
    std::size_t bytes = 0;
    for (auto& [id, op] : least_) {
        if (bytes >= kBytesMax) {
            more_ = true;
            break;
        }
        bytes += op.publication != nullptr ? content_bytes(*op.publication) : 0;
        detail.publications.push_back(std::move(op));
    }
    detail.more = more_;
}

}  // namespace muster::session
