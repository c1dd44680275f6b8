#pragma once

#include <string>

#include "env/net.h"

namespace muster::env {

// What a Net may offer to who says many small things at once. Loop thread only.
class GatheredSends {
public:
    virtual ~GatheredSends() = default;

    // As Net::send(), but the bytes may wait until the handlers of this turn are done, and go out
    // together with what else is sent by then. Order and bounds are those of send().
    virtual void send_gathered(ConnId conn, std::string bytes) = 0;
};

}  // namespace muster::env
