#include "roles/session/detail_part.h"

namespace muster::session {

void DetailPart::offer(const msg::PublishBatch::Op& op) {
    if (more_ || op.id <= after_) {
        return;
    }
    if (ops_.size() == kOpsMax || bytes_ >= kBytesMax) {
        more_ = true;
        return;
    }
    bytes_ += op.publication != nullptr ? content_bytes(*op.publication) : 0;
    ops_.push_back(op);
}

void DetailPart::fill(msg::SlotDetail& detail) {
    detail.after = std::move(after_);
    detail.publications = std::move(ops_);
    detail.more = more_;
}

}  // namespace muster::session
