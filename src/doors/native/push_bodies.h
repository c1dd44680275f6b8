#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/metrics.h"
#include "model/datum.h"
#include "msg/client_port.h"

namespace muster::doors {

// The part of a push that all connections share, and its CRC, so that a connection's CRC costs no
// second pass over it.
struct PushBody {
    SharedBytes bytes;
    std::uint32_t crc = 0;
    bool packed = false;  // of a PackedPush
};

// The newest encoded push bodies: connections whose acknowledgements come one after the other are
// still served by one encoding of (view, start of the delta, scope, zone). Bounds: 32 entries and
// their bytes; the oldest goes first, the newest is always kept. Entries hold their view, so its
// address names it. Loop thread only.
class PushBodies {
public:
    // `packed_above`: longer ones are packed for who takes that; zero: never.
    PushBodies(std::size_t bytes_max, std::size_t packed_above)
        : bytes_max_(bytes_max), packed_above_(packed_above) {}

    // Packed only where that is shorter. Packed once, whoever asks.
    [[nodiscard]] PushBody encode(const msg::PushOrder& order, bool takes_packed);

    [[nodiscard]] std::uint64_t made() const {
        return made_.value();
    }
    [[nodiscard]] std::uint64_t reused() const {
        return reused_.value();
    }
    [[nodiscard]] std::uint64_t packed() const {
        return packed_.value();
    }

private:
    struct Entry {
        ServiceViewPtr view;
        Version from;  // zero: the whole list
        Scope scope = Scope::zone;
        std::string zone;
        PushBody body;
        std::optional<PushBody> packed;
    };

    Entry& find_or_encode(const msg::PushOrder& order);
    void keep_bound();

    std::size_t bytes_max_;
    std::size_t packed_above_;
    std::size_t bytes_ = 0;
    std::deque<Entry> entries_;  // newest first
    Counter made_;
    Counter reused_;
    Counter packed_;
};

}  // namespace muster::doors
