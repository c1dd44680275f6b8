#pragma once

#include <cstddef>
#include <cstdint>

namespace muster::bench {

struct TellOptions {
    std::uint16_t port = 0;
    std::size_t entries = 0;      // of the list when nobody has joined
    std::size_t entry_bytes = 0;  // about, of each
};

// Does what standard input says (see bench/peers/README.md) until it ends: a service whose list
// changes, and connections that are told.
void tell(const TellOptions& options);

}  // namespace muster::bench
