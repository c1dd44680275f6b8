#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/metrics.h"
#include "runtime/links/frame.h"
#include "runtime/links/hello.h"

namespace muster::runtime {

// What the links of one process did.
struct LinkStats {
    static constexpr std::size_t kKinds = static_cast<std::size_t>(FrameKind::raw) + 1;

    struct Traffic {
        Counter frames;
        Counter bytes;  // of whole frames
    };

    std::array<Traffic, kKinds> sent;
    std::array<Traffic, kKinds> received;
    std::array<Counter, kRefusalReasons> refused;  // by us
    std::array<Counter, kRefusalReasons> refused_by_peer;
    Counter dropped_no_link;
    Counter dropped_queue_full;
    Counter dropped_too_large;
    Counter unknown_messages;  // of a newer release
    Counter unreadable_messages;
    Counter garbled;           // connections closed for it
    Counter over_pending_max;  // unproved connections closed for newer ones
    Counter handshake_timeouts;
    Counter dials;
    Counter dial_failures;
    Counter links_made;
    Counter links_lost;
    std::array<Counter, 3> events;  // by msg::LinkEvent

    void write_metrics(MetricsWriter& writer) const;
};

}  // namespace muster::runtime
