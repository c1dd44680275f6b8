#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/metrics.h"
#include "model/datum.h"
#include "model/subscription.h"

namespace muster::doors {

// The part of a push that all connections share, and its CRC, so that each connection's CRC costs
// no second pass over it.
struct EncodedView {
    SharedBytes body;
    std::uint32_t crc = 0;
};

// The newest encodings: a fan-out whose connections are ready one after the other still encodes
// its view once. Bounds: entries and bytes; the oldest goes first, and the newest is always kept.
// Entries hold their view, so its address names it. Loop thread only.
class ViewEncodings {
public:
    explicit ViewEncodings(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // `center` must be the same in all calls.
    [[nodiscard]] EncodedView encode(const ServiceViewPtr& view, Scope scope, std::string_view zone,
                                     std::string_view center);

    [[nodiscard]] std::uint64_t made() const {
        return made_.value();
    }
    [[nodiscard]] std::uint64_t reused() const {
        return reused_.value();
    }

private:
    struct Entry {
        ServiceViewPtr view;
        Scope scope;
        std::string zone;
        EncodedView encoded;
    };

    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::deque<Entry> entries_;  // newest first
    Counter made_;
    Counter reused_;
};

}  // namespace muster::doors
