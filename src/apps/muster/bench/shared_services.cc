#include "apps/muster/bench/shared_services.h"

#include <vector>

namespace muster::cli::bench {

Result<std::uint64_t> subscribe_to_every_tenth(Run& run, const SharedServices& shared,
                                               std::size_t first, std::uint64_t subscribers) {
    std::vector<std::vector<Run::Wish>> wishes(subscribers);
    std::uint64_t subscriptions = 0;
    std::uint64_t watched = 0;
    for (std::uint32_t service = 0; subscribers > 0 && service < shared.services;
         service += SharedServices::kServicesToASubscribed) {
        const std::uint32_t entries = shared.entries_of(service);
        wishes[subscriptions++ % subscribers].push_back({.service = service, .entries = entries});
        watched += entries;
    }
    std::uint64_t lists = 0;
    run.on_list([&lists](std::size_t, std::uint32_t, Duration) { ++lists; });
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        run.subscribe(first + i, wishes[i]);
    }
    const auto shown = run.await({.what = "subscribing",
                                  .so_far = [&] { return std::min(lists, subscriptions); },
                                  .total = subscriptions});
    run.on_list({});
    if (!shown) {
        return std::unexpected(shown.error());
    }
    return watched;
}

}  // namespace muster::cli::bench
