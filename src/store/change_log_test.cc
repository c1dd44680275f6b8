#include "store/change_log.h"

#include <gtest/gtest.h>

namespace muster::store {
namespace {

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
const ServicePtr kStock = std::make_shared<const Service>(Service{.data_id = "stock"});

DatumChange step(const ServicePtr& service, std::uint64_t from, std::uint64_t to) {
    return {.service = service, .from = Version(from), .to = Version(to)};
}

TEST(ChangeLog, GivesTheChangesOfOneServiceSinceAVersionOldestFirst) {
    ChangeLog log(10);
    log.append(step(kOrders, 0, 5));
    log.append(step(kStock, 0, 6));
    log.append(step(kOrders, 5, 7));
    log.append(step(kOrders, 7, 9));
    const auto changes = log.since(*kOrders, Version(5));
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes.front().to, Version(7));
    EXPECT_EQ(changes.back().to, Version(9));
    EXPECT_EQ(log.since(*kStock, Version(0)).size(), 1U);
}

TEST(ChangeLog, GivesNothingForAVersionItNeverSaw) {
    ChangeLog log(10);
    log.append(step(kOrders, 2, 5));
    EXPECT_TRUE(log.since(*kOrders, Version(1)).empty());
    EXPECT_TRUE(log.since(*kOrders, Version(3)).empty());
    EXPECT_TRUE(log.since(*kOrders, Version(5)).empty());
    EXPECT_TRUE(log.since(*kStock, Version(2)).empty());
}

TEST(ChangeLog, KeepsTheNewestUpToItsCapacity) {
    ChangeLog log(3);
    for (std::uint64_t i = 0; i < 5; ++i) {
        log.append(step(kOrders, i, i + 1));
    }
    EXPECT_EQ(log.oldest(), 3U);
    EXPECT_EQ(log.newest(), 5U);
    EXPECT_EQ(log.since(*kOrders, Version(2)).size(), 3U);
    EXPECT_TRUE(log.since(*kOrders, Version(1)).empty());
}

TEST(ChangeLog, ForgetsAServiceWhoseLastChangeFellOut) {
    ChangeLog log(2);
    log.append(step(kStock, 0, 1));
    log.append(step(kOrders, 0, 2));
    log.append(step(kOrders, 2, 3));
    EXPECT_TRUE(log.since(*kStock, Version(0)).empty());
    log.append(step(kStock, 1, 4));
    EXPECT_EQ(log.since(*kStock, Version(1)).size(), 1U);
    EXPECT_TRUE(log.since(*kStock, Version(0)).empty());
}

}  // namespace
}  // namespace muster::store
