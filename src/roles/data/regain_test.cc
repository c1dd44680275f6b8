#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");
using Ids = std::set<std::string>;

// The metas are gone once the slots are assigned: nobody answers heartbeats any more.
class Regain : public ::testing::Test {
protected:
    Regain() {
        world.give_disks();
        for (const char* name : {"d1", "d2", "d3"}) {
            world.start(name);
        }
        world.assign({"d1", "d2", "d3"});
        world.pass(1s);
        s1.publish("a", kOrders);
        s2.publish("gone", kOrders);
        s1.want(kOrders);
        world.pass(3s);
        EXPECT_TRUE(world.copy("d1").settled);
        EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "gone"}));
    }
    void restart(const std::string& name) {
        world.kill(name);
        world.start(name);
    }
    void expect_equal_copies() {
        for (const char* other : {"d2", "d3"}) {
            EXPECT_EQ(world.copy(other).digest, world.copy("d1").digest) << other;
            EXPECT_EQ(world.copy(other).held, world.copy("d1").held) << other;
        }
    }

    World world{{}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
};

TEST_F(Regain, LeadsAgainWithTheCopyOfOthers) {
    const Version before = world["d1"].status().latest_version;
    const auto held = world.copy("d1").held;
    restart("d1");
    world.pass(3s, {"s1", "s2"});
    EXPECT_EQ(world["d1"].status().slots_led, 1U);
    EXPECT_TRUE(world.copy("d1").leads);
    EXPECT_EQ(world.copy("d1").publications, 2U) << "no session has supplied any";
    EXPECT_FALSE(world.copy("d1").settled);
    EXPECT_GT(world.copy("d1").held, held);
    expect_equal_copies();
    s1.want(kOrders);
    s1.publish("b", kOrders);
    world.pass(100ms, {"s1", "s2"});
    EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "b", "gone"}));
    EXPECT_GT(s1.copies["orders"].version, before);
    expect_equal_copies();
}

TEST_F(Regain, IsNotSettledByAKeptMemberListAlone) {
    restart("d1");
    world.pass(3s);
    TestSession& stranger = world.session("s3");  // who came when d1 could not be told
    EXPECT_FALSE(world.copy("d1").settled);
    world.pass(7s, {"s3"});
    EXPECT_FALSE(world.copy("d1").settled) << "others have not had time to show themselves";
    stranger.want(kOrders);  // shows itself, and has not supplied anything
    world.pass(900ms, {"s3"});
    stranger.want(kOrders);
    world.pass(900ms, {"s3"});
    EXPECT_FALSE(world.copy("d1").settled);
    world.pass(3s);
    EXPECT_TRUE(world.copy("d1").settled);
    EXPECT_EQ(world.copy("d1").publications, 2U);
}

TEST_F(Regain, TakesTheCopyOfWhoActsInItsStead) {
    world.kill("d1");
    world.pass(1500ms);
    s1.acting_node = NodeId("d3");
    s1.publish("b", kOrders, true);
    EXPECT_EQ(world.copy("d3").publications, 3U);
    EXPECT_EQ(world.copy("d2").publications, 2U);
    world.start("d1");
    world.pass(3s, {"s1", "s2"});
    EXPECT_EQ(world.copy("d1").publications, 3U);
    EXPECT_FALSE(world.copy("d3").acting);
    expect_equal_copies();
}

TEST_F(Regain, SaysNothingToSessionsBefore) {
    world.kill("d1");
    world.pass(1500ms);
    world.cut("d1", "d2");
    world.cut("d1", "d3");
    world.start("d1");
    world.pass(2s);  // one until what was kept is used, two of patience
    EXPECT_EQ(world["d1"].status().slots_lost, 1U);
    const auto acked = s1.acked;
    s1.publish("b", kOrders);
    EXPECT_EQ(s1.acked, acked);
    EXPECT_TRUE(s1.refused.empty());
    world.pass(1500ms);
    EXPECT_EQ(world["d1"].status().slots_lost, 0U);
    EXPECT_EQ(world.copy("d1").publications, 3U) << "supplied by sessions";
    EXPECT_FALSE(world.copy("d1").settled);
    world.heal();
    world.pass(1s);
    expect_equal_copies();
}

TEST_F(Regain, DoesNotWaitForThoseWhoseProcessEnded) {
    world.kill("d1");
    world.kill("d2");
    world.kill("d3");
    world.start("d1");
    world.pass(1100ms);
    EXPECT_EQ(world["d1"].status().slots_lost, 1U);
    world.link("d1", "d2", msg::LinkEvent::closed);
    world.link("d1", "d3", msg::LinkEvent::closed);
    world.pass(300ms);
    EXPECT_EQ(world["d1"].status().slots_lost, 0U);
    EXPECT_EQ(world["d1"].status().slots_led, 1U);
}

TEST_F(Regain, DoesNotLeadWhatANewerEpochGaveToAnother) {
    world.kill("d1");
    world.assign({"d2", "d3"});
    world.start("d1");
    world.pass(2s);
    EXPECT_EQ(world["d1"].status().slots_led, 0U);
    EXPECT_EQ(world["d1"].status().slots_lost, 0U);
    EXPECT_TRUE(world.copy("d2").leads);
}

TEST_F(Regain, ANewerTableOfTheMetasEndsIt) {
    world.kill("d1");
    world.cut("d1", "d2");
    world.cut("d1", "d3");
    world.start("d1");
    world.pass(1200ms);
    EXPECT_EQ(world["d1"].status().slots_lost, 1U);
    world.heal();
    world.assign({"d2", "d1", "d3"});
    world.pass(2s);
    EXPECT_EQ(world["d1"].status().slots_lost, 0U);
    EXPECT_EQ(world["d1"].status().slots_followed, 1U);
    EXPECT_EQ(world.copy("d1").publications, 2U);
    expect_equal_copies();
}

TEST_F(Regain, AFollowerTakesItsCopyAgain) {
    restart("d3");
    world.pass(3s);
    EXPECT_EQ(world["d3"].status().slots_synced, 1U);
    expect_equal_copies();
}

TEST_F(Regain, WaitsForItsDiskBeforeItGivesVersions) {
    world.start("d4");
    world.assign({"d4", "d1", "d2"});
    const auto acked = s1.acked;
    s1.publish("b", kOrders);  // the mark is not on disk yet
    EXPECT_EQ(s1.acked, acked);
    world.pass(100ms, {"s1", "s2"});
    EXPECT_GT(s1.acked["ok"], 0U);
    EXPECT_EQ(s1.acked.size(), 1U) << "nothing was refused";
}

TEST_F(Regain, ADiskThatFailsDoesNotEndTheService) {
    world.disk("d4").fail_next(1000, Error{Errc::io_error, "broken"});
    world.start("d4");
    world.assign({"d4", "d1", "d2"});
    s1.publish("b", kOrders);
    world.pass(2s);
    EXPECT_EQ(world.copy("d4").publications, 3U);
}

TEST_F(Regain, WhomTheMetasRefuseForLongIsToEnd) {
    DataOptions options;
    options.folder = 7;
    world.start("d4", options);
    const auto refused = [&] { return world["d4"].view().refused(world.now()); };
    world["d4"].on_message({NodeId("m1"), Role::meta},
                           msg::NodeRefused{.incarnation = Incarnation(4),
                                            .folder = 7,
                                            .why = Error{Errc::conflict, "another has that id"}});
    world.pass(9s);
    EXPECT_FALSE(refused());
    world.pass(2s);
    ASSERT_TRUE(refused());
    EXPECT_EQ(refused()->code, Errc::conflict);
}

}  // namespace
}  // namespace muster::data
