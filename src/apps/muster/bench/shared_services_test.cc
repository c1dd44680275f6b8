#include "apps/muster/bench/shared_services.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

TEST(SharedServices, AreDealtOutInTurn) {
    const SharedServices shared{.services = 25, .instances = 205};
    EXPECT_EQ(shared.entries_of(4), 9U);
    EXPECT_EQ(shared.entries_of(5), 8U);
    std::uint64_t sum = 0;
    for (std::uint32_t service = 0; service < shared.services; ++service) {
        sum += shared.entries_of(service);
    }
    EXPECT_EQ(sum, shared.instances);
    EXPECT_EQ(shared.name_of(31).service, 6U);
    EXPECT_EQ(shared.name_of(31).entry, 1U);
    EXPECT_EQ(shared.number_of(6, 1), 31U);
}

TEST(SharedServices, EveryTenthIsWatched) {
    const SharedServices shared{.services = 25, .instances = 205};
    std::uint64_t watched = 0;
    for (std::uint64_t instance = 0; instance < shared.instances; ++instance) {
        watched += shared.is_watched(instance) ? 1 : 0;
    }
    EXPECT_EQ(watched, 25U) << "services 0, 10 and 20: 9, 8 and 8 instances";
}

}  // namespace
}  // namespace muster::cli::bench
