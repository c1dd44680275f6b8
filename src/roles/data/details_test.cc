// What a session owns in one slot, told in parts.
#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");

class Details : public ::testing::Test {
protected:
    Details() {
        world.assign({"d1"});
        world.pass(1s);
        world.lose = [this](const auto&, const auto&, const msg::ClusterMessage& message) {
            const auto* detail = std::get_if<msg::SlotDetail>(&message);
            if (detail == nullptr) {
                return false;
            }
            largest = std::max(largest, detail->publications.size());
            if (++parts == lost_part) {
                lost = *detail;
                return true;
            }
            return false;
        };
    }
    // The session has so many that the leader does not know of.
    void publish_unheard(std::size_t count) {
        world.cut("s1", "d1");
        for (std::size_t i = 0; i < count; ++i) {
            s1.publish(id(i), kOrders);
        }
        world.heal();
    }
    static std::string id(std::size_t number) {
        return "p" + std::to_string(1'000'000 + number);
    }

    World world{{"d1"}};
    TestSession& s1 = world.session("s1");
    std::size_t parts = 0;
    std::size_t lost_part = 0;
    msg::SlotDetail lost;
    std::size_t largest = 0;
};

TEST_F(Details, OfAHundredThousandComeInPartsAndAreAllTaken) {
    publish_unheard(100'000);
    world.pass(2s);
    EXPECT_EQ(world.copy("d1").publications, 100'000U);
    EXPECT_TRUE(world.copy("d1").settled);
    EXPECT_EQ(parts, 50U);
    EXPECT_LE(largest, s1.part_max);
    world.pass(5s);
    EXPECT_EQ(parts, 50U) << "nothing differs any more";
}

TEST_F(Details, GoOnAtThePartThatWasLost) {
    s1.part_max = 3;
    lost_part = 4;
    publish_unheard(20);
    world.pass(500ms);
    EXPECT_EQ(world.copy("d1").publications, 9U);
    world.pass(2s);
    EXPECT_EQ(world.copy("d1").publications, 20U);
    EXPECT_EQ(parts, 7U + 1U);
}

TEST_F(Details, SettleASlotWithTheirLastPartOnly) {
    s1.part_max = 3;
    lost_part = 7;
    publish_unheard(20);
    world.assign({"d2"});
    world.assign({"d1"});  // in a new epoch
    world.pass(500ms);
    EXPECT_EQ(world.copy("d1").publications, 18U);
    EXPECT_FALSE(world.copy("d1").settled);
    world.pass(2s);
    EXPECT_EQ(world.copy("d1").publications, 20U);
    EXPECT_TRUE(world.copy("d1").settled);
}

TEST_F(Details, TakeAwayWhatTheyDoNotName) {
    s1.part_max = 3;
    for (std::size_t i = 0; i < 20; ++i) {
        s1.publish(id(i), kOrders);
    }
    ASSERT_EQ(world.copy("d1").publications, 20U);
    world.cut("s1", "d1");
    for (const std::size_t gone : {0, 1, 2, 5, 6, 11, 18, 19}) {
        s1.withdraw(id(gone));
    }
    world.heal();
    world.pass(2s);
    EXPECT_EQ(world.copy("d1").publications, 12U);
    EXPECT_EQ(parts, 4U);
    for (std::size_t i = 0; i < 20; ++i) {
        s1.publish(id(i), kOrders);
    }
    EXPECT_EQ(world.copy("d1").publications, 20U);
}

TEST_F(Details, BeginAnewWhenTheirSessionWasAway) {
    s1.part_max = 3;
    lost_part = 4;
    publish_unheard(20);
    world.pass(500ms);
    world.link("d1", "s1", msg::LinkEvent::silent);
    parts = 100;
    world.pass(2s);
    EXPECT_EQ(world.copy("d1").publications, 20U);
    EXPECT_EQ(parts, 107U) << "what was compared before it was away may be another's by now";
}

TEST_F(Details, OfBeforeAPauseAreNoBeginningOfThoseAfterIt) {
    s1.part_max = 3;
    lost_part = 1;
    publish_unheard(20);
    world.pass(250ms);
    ASSERT_EQ(parts, 1U);
    world.stopped = {"d1"};
    world.pass(5s, {"s1"});
    world.stopped = {};
    world.pass(50ms, {"s1"});  // all is asked for again
    lost_part = 3;
    world.send({s1.node, Role::session}, {NodeId("d1"), Role::data}, lost);
    world.run();
    world.pass(3s);
    EXPECT_EQ(world.copy("d1").publications, 20U);
    EXPECT_TRUE(world.copy("d1").settled);
    EXPECT_EQ(parts, 3U + 7U) << "the late one, one that was lost, and all";
}

}  // namespace
}  // namespace muster::data
