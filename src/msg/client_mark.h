#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/mark.h"
#include "model/service.h"
#include "msg/client.h"

namespace muster::msg {

// What a client asks of the process that serves it, which puts it to the cluster: takes the
// instances of a service at an address out of all lists, or shows them again. Answered by a
// MarkOutcome or an error. Idempotent: the same asked again waits on.
struct MarkWish {
    RequestId request;
    ServicePtr service;
    std::string address;  // "ip:port"
    Mark::Kind kind = Mark::Kind::drained;
    Duration timeout{};         // of a drain: answered then, a little later at most
    Duration ramp{};            // of what is shown again: until it has its whole weight
    std::string asked_by = {};  // for the history, see model/asked_by.h
};

struct MarkOutcome {
    // One subscriber that has not acknowledged a list without them.
    struct Behind {
        std::string client_address;
        std::string app;
        std::string session;

        [[nodiscard]] bool operator==(const Behind&) const = default;
    };
    RequestId request;
    std::vector<RegistId> ids;         // the instances at the address
    std::uint32_t changed = 0;         // of them: by this request
    std::uint32_t others = 0;          // instances that lists still show
    bool confirmed = false;            // of a drain: everybody has acknowledged a list without them
    bool gone = false;                 // they went meanwhile
    std::uint32_t lists = 0;           // that were asked for
    std::uint32_t behind = 0;          // of them: not acknowledged
    std::vector<Behind> lines;         // some of these
    std::vector<std::string> silent;   // nodes that did not answer
    std::vector<std::string> lacking;  // data servers that have not said that they have the mark
    Duration waited{};
};

}  // namespace muster::msg
