#include "roles/session/ask_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class AskLimitsTest : public ::testing::Test {
protected:
    static AskLimits of(const RateLimit& client, const RateLimit& tenant) {
        return {
            {.does = "subscribes", .one = "subscription", .setting = "subscribes"}, client, tenant};
    }
    // How many of `count` are taken now.
    int taken(AskLimits& limits, int count, const std::string& client = "c",
              const std::string& tenant = "t") {
        int taken = 0;
        for (int i = 0; i < count; ++i) {
            taken += limits.admit(client, tenant, now).has_value() ? 1 : 0;
        }
        return taken;
    }

    MonoTime now{seconds(1)};
};

TEST_F(AskLimitsTest, TakesABurstAndThenARateOfEachClient) {
    AskLimits limits = of({.per_second = 100, .burst = 10}, {});
    EXPECT_EQ(taken(limits, 50, "a"), 10);
    EXPECT_EQ(taken(limits, 50, "b"), 10);
    now += milliseconds(30);
    EXPECT_EQ(taken(limits, 50, "a"), 3);
    EXPECT_EQ(limits.refused_of_clients().value(), 40U + 40U + 47U);
    EXPECT_EQ(limits.refused_of_tenants().value(), 0U);
}

TEST_F(AskLimitsTest, CountsAllClientsOfATenantTogether) {
    AskLimits limits = of({}, {.per_second = 100, .burst = 10});
    EXPECT_EQ(taken(limits, 8, "a"), 8);
    EXPECT_EQ(taken(limits, 8, "b"), 2);
    EXPECT_EQ(taken(limits, 8, "b", "other"), 8);
    EXPECT_EQ(limits.refused_of_tenants().value(), 6U);
}

TEST_F(AskLimitsTest, WhatIsOfNoTenantCostsItsClientOnly) {
    AskLimits limits = of({.per_second = 1, .burst = 20}, {.per_second = 1, .burst = 10});
    EXPECT_EQ(taken(limits, 15, "a", ""), 15);
    EXPECT_EQ(taken(limits, 15, "b"), 10) << "the tenant's are all there";
    EXPECT_EQ(taken(limits, 50, "a", ""), 5);
}

TEST_F(AskLimitsTest, WhatTheTenantRefusesCostsTheClientNothing) {
    AskLimits limits = of({.per_second = 1, .burst = 11}, {.per_second = 100, .burst = 10});
    EXPECT_EQ(taken(limits, 50), 10);
    now += milliseconds(10);
    EXPECT_EQ(taken(limits, 50), 1);
}

TEST_F(AskLimitsTest, SaysWhoWhenAndWhichSetting) {
    AskLimits limits = of({.per_second = 100, .burst = 1}, {.per_second = 50, .burst = 1});
    ASSERT_TRUE(limits.admit("a", "t", now));
    const auto client = limits.admit("a", "t", now);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Errc::over_limit);
    EXPECT_EQ(client.error().detail,
              "this client subscribes more often than it may; the next subscription can be taken "
              "in 11 ms (limit session.client_subscribes)");
    const auto tenant = limits.admit("b", "t", now);
    ASSERT_FALSE(tenant);
    EXPECT_THAT(tenant.error().detail, HasSubstr("tenant 't' subscribes more often"));
    EXPECT_THAT(tenant.error().detail, HasSubstr("in 21 ms (limit session.tenant_subscribes)"));
}

TEST_F(AskLimitsTest, RefusesNobodyWithoutALimit) {
    AskLimits limits = of({}, {});
    EXPECT_EQ(taken(limits, 100'000), 100'000);
}

}  // namespace
}  // namespace muster::session
