#pragma once

#include <cstddef>
#include <map>

#include "msg/session_data.h"

namespace muster::session {

// One part of the answer to a SlotDetailRequest: of what is offered, the registrations that follow
// the one the leader has come to, as many as a message shall hold, in the order of their ids.
//
//   DetailPart part(after);  part.offer(op) for each there is;  part.fill(detail);
//
// Pure. Bounds: kOpsMax operations, kBytesMax of content and one publication.
class DetailPart {
public:
    static constexpr std::size_t kOpsMax = 2000;
    static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

    // `after`: empty: from the beginning.
    explicit DetailPart(RegistId after) : after_(std::move(after)) {}

    void offer(const msg::PublishBatch::Op& op);

    // Sets `after`, `publications` and `more`.
    void fill(msg::SlotDetail& detail);

private:
    RegistId after_;
    std::map<RegistId, msg::PublishBatch::Op> least_;
    bool more_ = false;
};

}  // namespace muster::session
