#pragma once

#include <functional>

#include "base/result.h"
#include "roles/propagation/drain.h"

namespace muster::doors {

// Where drains that clients ask for go: implemented by the process, faked in tests. Loop thread
// only.
class MarkFace {
public:
    using Answer = std::function<void(const Result<propagation::DrainReport>&)>;

    virtual ~MarkFace() = default;
    // Answered once, never from within, within some seconds beyond the wish's timeout; the same
    // asked again waits on. Errors: those of propagation::Drain, not_ready (no slot table is known
    // here), busy (enough of them run).
    virtual void ask_mark(propagation::DrainWish wish, Answer answer) = 0;
};

}  // namespace muster::doors
