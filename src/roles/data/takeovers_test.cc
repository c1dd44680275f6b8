#include "roles/data/test_world.h"

namespace muster::data::test {
namespace {

const auto kOrders = service("orders");

class Takeovers : public testing::Test {
protected:
    Takeovers() {
        world.assign({"d1"});
        world.pass(1s);
    }
    World world{{"d1"}};
    TestSession& one = world.session("s1");
    TestSession& two = world.session("s2");
};

TEST_F(Takeovers, WhoLostAPublicationToAnotherSessionIsToldAtOnce) {
    one.publish("p", kOrders);
    two.publish("other", kOrders);
    EXPECT_TRUE(one.taken_over.empty());
    two.publish("p", kOrders);  // the second order of this session: a newer one
    ASSERT_EQ(one.taken_over.size(), 1U);
    EXPECT_EQ(one.taken_over[0].id, RegistId("p"));
    EXPECT_EQ(one.taken_over[0].order.version, 2);
    EXPECT_TRUE(two.taken_over.empty());
}

TEST_F(Takeovers, NothingIsSaidOfChangesByTheSameSession) {
    one.publish("p", kOrders);
    one.publish("p", kOrders);
    one.withdraw("p");
    two.publish("p", kOrders);
    EXPECT_TRUE(one.taken_over.empty());
    EXPECT_TRUE(two.taken_over.empty());
}

TEST_F(Takeovers, AnOlderStateTakesNothingOver) {
    two.publish("other", kOrders);
    two.publish("p", kOrders);
    one.publish("p", kOrders);  // its first order
    EXPECT_TRUE(two.taken_over.empty());
    EXPECT_TRUE(one.taken_over.empty());
}

TEST_F(Takeovers, AnEarlierLifeIsNotTold) {
    one.publish("p", kOrders);
    TestSession& again = world.session("s1", 2);
    again.want(kOrders);  // it is heard
    two.publish("other", kOrders);
    two.publish("p", kOrders);
    EXPECT_TRUE(again.taken_over.empty());
}

}  // namespace
}  // namespace muster::data::test
