#pragma once

#include <cstdint>

#include "cluster.h"

namespace muster::bench {

// What the nodes of a cluster said to each other since their processes began.
struct LinkTraffic {
    double frame_bytes = 0;  // as the links count them
    double frames = 0;
    double wire_bytes = 0;  // with the headers of TCP and IP, and bare acknowledgements
    double segments = 0;

    friend LinkTraffic operator-(const LinkTraffic& later, const LinkTraffic& earlier) {
        return {.frame_bytes = later.frame_bytes - earlier.frame_bytes,
                .frames = later.frames - earlier.frames,
                .wire_bytes = later.wire_bytes - earlier.wire_bytes,
                .segments = later.segments - earlier.segments};
    }
};

// Frames by the nodes' own metrics, the rest by what the kernel knows of the sockets of their peer
// ports (`ss`). Comparable as long as no link is made anew. Needs iproute2.
[[nodiscard]] LinkTraffic link_traffic(Cluster& cluster);

}  // namespace muster::bench
