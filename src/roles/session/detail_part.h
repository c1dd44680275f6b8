#pragma once

#include <cstddef>
#include <utility>

#include "msg/session_data.h"

namespace muster::session {

// One part of the answer to a SlotDetailRequest: of what is offered, in the order of ids, the
// registrations that follow the one the leader has come to, as many as a message shall hold.
//
//   DetailPart part(after);  part.offer(op) for each, until it is full();  part.fill(detail);
//
// Pure. Bounds: kOpsMax operations, kBytesMax of content and one publication.
class DetailPart {
public:
    static constexpr std::size_t kOpsMax = 2000;
    static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

    // `after`: empty: from the beginning.
    explicit DetailPart(RegistId after) : after_(std::move(after)) {}

    // Requires: op.id is above all that were offered.
    void offer(const msg::PublishBatch::Op& op);

    // There is more than it holds: nothing else is taken.
    [[nodiscard]] bool full() const {
        return more_;
    }

    // Sets `after`, `publications` and `more`; done with it.
    void fill(msg::SlotDetail& detail);

private:
    RegistId after_;
    std::vector<msg::PublishBatch::Op> ops_;
    std::size_t bytes_ = 0;
    bool more_ = false;
};

}  // namespace muster::session
