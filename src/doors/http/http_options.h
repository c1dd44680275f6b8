#pragma once

#include <cstddef>
#include <vector>

#include "base/time.h"
#include "doors/http/call.h"
#include "wire/http1/message.h"

namespace muster::http {

struct HttpDoorOptions {
    http1::Limits limits;
    std::size_t connections_max = 4096;
    std::size_t streams_max = 2048;  // long polls and event streams
    std::size_t pipeline_max = 16;   // requests of one connection that wait for their turn
    std::size_t leases_max = 100'000;

    Duration head_wait = std::chrono::seconds(10);   // from the first byte of a request
    Duration body_wait = std::chrono::seconds(30);   // from the end of its head
    Duration idle_wait = std::chrono::seconds(75);   // between requests
    Duration write_wait = std::chrono::seconds(30);  // for a client that does not read its answer
    Duration list_wait = std::chrono::seconds(3);    // for a list that is not known yet

    bool operators_only = false;  // no clients are served: health, metrics and the cluster alone
    std::vector<MetricsSource> metrics;     // told at /metrics, besides those of the door
    std::vector<ReadinessCheck> readiness;  // asked at /health/ready, besides the session
};

}  // namespace muster::http
