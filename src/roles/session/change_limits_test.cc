#include "roles/session/change_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = ChangeLimits::Kind;

class ChangeLimitsTest : public ::testing::Test {
protected:
    // How many of `count` changes are taken now.
    int changed(ChangeLimits& limits, int count, const std::string& client = "c",
                const std::string& tenant = "t") {
        int taken = 0;
        for (int i = 0; i < count; ++i) {
            taken += limits.admit(Kind::change, client, tenant, now).has_value() ? 1 : 0;
        }
        return taken;
    }

    MonoTime now{seconds(1)};
    ChangeLimits by_client{{.per_second = 100, .burst = 10}, {}};
    ChangeLimits by_tenant{{}, {.per_second = 100, .burst = 10}};
    ChangeLimits none{{}, {}};
};

TEST_F(ChangeLimitsTest, TakesABurstAndThenARate) {
    EXPECT_EQ(changed(by_client, 50), 10);
    now += milliseconds(10);
    EXPECT_EQ(changed(by_client, 50), 1);
    now += milliseconds(50);
    EXPECT_EQ(changed(by_client, 50), 5);
    now += seconds(100);
    EXPECT_EQ(changed(by_client, 50), 10) << "no more than the burst is saved up";
}

TEST_F(ChangeLimitsTest, SaysWhoAndWhenToTryAgain) {
    EXPECT_EQ(changed(by_client, 10), 10);
    const auto refused = by_client.admit(Kind::change, "c", "t", now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::over_limit);
    EXPECT_THAT(refused.error().detail, testing::HasSubstr("this client"));
    EXPECT_THAT(refused.error().detail, testing::HasSubstr("in 11 ms"));
    EXPECT_EQ(by_client.refused_of_clients().value(), 1U);
    EXPECT_EQ(by_client.refused_of_tenants().value(), 0U);
}

TEST_F(ChangeLimitsTest, RefusesNobodyWithoutALimit) {
    EXPECT_EQ(changed(none, 100'000), 100'000);
}

TEST_F(ChangeLimitsTest, HasABucketForEach) {
    EXPECT_EQ(changed(by_client, 50, "a"), 10);
    EXPECT_EQ(changed(by_client, 50, "b"), 10);
    EXPECT_EQ(changed(by_tenant, 50, "a", "x"), 10);
    EXPECT_EQ(changed(by_tenant, 50, "b", "x"), 0);
    EXPECT_EQ(changed(by_tenant, 50, "b", "y"), 10);
    EXPECT_EQ(by_tenant.refused_of_tenants().value(), 40U + 50U + 40U);
}

TEST_F(ChangeLimitsTest, WhatTheTenantRefusesCostsTheClientNothing) {
    ChangeLimits both{{.per_second = 1, .burst = 11}, {.per_second = 100, .burst = 10}};
    EXPECT_EQ(changed(both, 50), 10);
    now += milliseconds(10);
    EXPECT_EQ(changed(both, 50), 1);
}

TEST_F(ChangeLimitsTest, TakesFirstRegistrationsOfABusyTenant) {
    EXPECT_EQ(changed(by_tenant, 10), 10);
    EXPECT_TRUE(by_tenant.admit(Kind::first, "c", "t", now));
}

TEST_F(ChangeLimitsTest, TakesAnyNumberOfFirstRegistrations) {
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(by_client.admit(Kind::first, "c", "t", now));
    }
    EXPECT_EQ(changed(by_client, 50), 10);
}

TEST_F(ChangeLimitsTest, RefusesWhoRegistersAndLeavesAllTheTime) {
    int taken = 0;
    for (int i = 0; i < 50; ++i) {
        if (by_client.admit(Kind::first, "c", "t", now)) {
            ++taken;
            by_client.left("c", "t", now);
        }
    }
    EXPECT_EQ(taken, 10);
}

TEST_F(ChangeLimitsTest, LeavingMoreThanTheBurstIsNoDebt) {
    for (int i = 0; i < 1000; ++i) {
        by_client.left("c", "t", now);
    }
    EXPECT_EQ(changed(by_client, 1), 0);
    now += milliseconds(10);
    EXPECT_EQ(changed(by_client, 50), 1);
}

}  // namespace
}  // namespace muster::session
