#include "roles/session/resend_timer.h"

#include <algorithm>

#include "base/check.h"

namespace muster::session {

ResendTimer::ResendTimer(Duration least, Duration most) : least_(least), most_(most) {
    CHECK(least <= most);
}

void ResendTimer::answered(Duration took) {
    if (!measured_) {
        measured_ = {.smoothed = took, .varies = took / 2};
        return;
    }
    const Duration off =
        measured_->smoothed > took ? measured_->smoothed - took : took - measured_->smoothed;
    measured_->varies += (off - measured_->varies) / 4;
    measured_->smoothed += (took - measured_->smoothed) / 8;
}

Duration ResendTimer::wait() const {
    return measured_ ? std::clamp(measured_->smoothed + 4 * measured_->varies, least_, most_)
                     : least_;
}

}  // namespace muster::session
