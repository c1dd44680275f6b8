#pragma once

#include <optional>

#include "base/time.h"

namespace muster::session {

// How long to wait for the answer of one data server before it is asked again: as long as its
// answers take, and four times how much that varies (RFC 6298, sections 2.2 to 2.4), within bounds.
// Other than there, an answer that came after the second asking counts as one to the first: links
// lose nothing while they are up, so it was slow, and a server that is busy must not be given the
// same work twice. Loop thread only.
class ResendTimer {
public:
    // Requires: least <= most. `least` is waited until something was answered.
    ResendTimer(Duration least, Duration most);

    // One answer, so long after it was first asked for.
    void answered(Duration took);

    // At least `least`, at most `most`.
    [[nodiscard]] Duration wait() const;

private:
    struct Measured {
        Duration smoothed;
        Duration varies;
    };

    Duration least_;
    Duration most_;
    std::optional<Measured> measured_;
};

}  // namespace muster::session
