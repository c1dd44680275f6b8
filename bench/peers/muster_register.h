#pragma once

#include <cstddef>
#include <cstdint>

namespace muster::bench {

struct RegisterOptions {
    std::uint16_t port = 0;
    std::size_t connections = 0;
    std::size_t first = 0;  // their numbers begin here
    std::size_t registrations = 0;
    std::size_t batch = 0;
    std::size_t entry_bytes = 0;
};

// Connects, waits for "go" on standard input, registers in batches, one outstanding on each
// connection, and prints when it began and how long each batch took. Stays until standard input
// ends: what is registered lives with the connections.
void register_all(const RegisterOptions& options);

}  // namespace muster::bench
