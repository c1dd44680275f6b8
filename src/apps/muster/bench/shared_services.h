#pragma once

#include <algorithm>
#include <cstdint>

#include "apps/muster/bench/registrants.h"
#include "apps/muster/bench/run.h"
#include "base/result.h"

namespace muster::cli::bench {

// Numbered instances, dealt out to numbered services in turn, and how they are named in a run.
struct SharedServices {
    static constexpr std::uint32_t kServicesToASubscribed = 10;

    std::uint64_t services = 1;
    std::uint64_t instances = 0;

    [[nodiscard]] std::uint32_t entries_of(std::uint32_t service) const {
        return static_cast<std::uint32_t>((instances - service + services - 1) / services);
    }
    [[nodiscard]] EntryName name_of(std::uint64_t instance) const {
        return {.service = static_cast<std::uint32_t>(instance % services),
                .entry = static_cast<std::uint32_t>(instance / services)};
    }
    [[nodiscard]] std::uint64_t number_of(std::uint32_t service, std::uint32_t entry) const {
        return std::uint64_t{entry} * services + service;
    }
    // Whether subscribe_to_every_tenth() has somebody subscribe to it.
    [[nodiscard]] bool is_watched(std::uint64_t instance) const {
        return instance % services % kServicesToASubscribed == 0;
    }
};

// Connections from `first` on share every tenth service, so that each has one subscriber; waits
// until all were shown a list. Returns of how many instances they will be told; `subscribers` may
// be none. Errors: those of Run::await().
[[nodiscard]] Result<std::uint64_t> subscribe_to_every_tenth(Run& run, const SharedServices& shared,
                                                             std::size_t first,
                                                             std::uint64_t subscribers);

}  // namespace muster::cli::bench
