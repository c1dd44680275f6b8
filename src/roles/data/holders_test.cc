#include "roles/data/test_world.h"
#include "store/tombstones.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

using Ids = std::set<std::string>;

const ServicePtr kOrders = service("orders");

// A client that moved, or that speaks to any session, is held by several.
class Holders : public ::testing::Test {
protected:
    Holders() {
        world.assign({"d1", "d2"});
        world.pass(1s);
        s3.want(kOrders);
        s1.publish("a", kOrders);
        s2.publish("a", kOrders);
    }
    // With no copy of its own.
    void lead_by_one_who_hears_only_the_others(const std::string& cut_off) {
        world.start("d3");
        world.cut(cut_off, "d3");
        world.kill("d1");
        world.assign({"d3"});
        s3.want(kOrders);
        world.pass(3s);
    }

    World world{{"d1", "d2"}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
    TestSession& s3 = world.session("s3");
};

TEST_F(Holders, AgreeWithTheLeaderWithoutTakingFromEachOther) {
    world.pass(3s);
    EXPECT_EQ(s1.details + s2.details, 0U);
    EXPECT_EQ(world.copy("d1").publications, 1U);
    EXPECT_EQ(world.copy("d2").digest, world.copy("d1").digest);
}

TEST_F(Holders, KeepItUntilTheLastOfThemLetsGo) {
    s2.close("a");
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    EXPECT_EQ(world.copy("d2").digest, world.copy("d1").digest);
    s1.close("a");
    EXPECT_EQ(s3.copies["orders"].ids, Ids{});
}

TEST_F(Holders, AreLearntByANewLeader) {
    world.kill("d1");
    world.assign({"d2"});
    s3.want(kOrders);
    world.pass(3s);
    s2.close("a");
    s1.close("a");
    EXPECT_EQ(s3.copies["orders"].ids, Ids{});
}

TEST_F(Holders, MayBeBehindACutWhenAnotherLetsGoAfterwards) {
    lead_by_one_who_hears_only_the_others("s2");
    s1.fall_silent("a");
    world.pass(3s);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"}) << "s2 has not said what it owns";
    world.heal();
    world.pass(60s);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    EXPECT_TRUE(world.copy("d3").settled);
}

TEST_F(Holders, AreWaitedForWhenTheyHaveLetGoAsWell) {
    lead_by_one_who_hears_only_the_others("s2");
    s1.fall_silent("a");
    s2.fall_silent("a");
    world.pass(3s);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    EXPECT_EQ(world["d3"].status().unclaimed, 1U);
    world.heal();
    world.pass(1s);
    EXPECT_EQ(world["d3"].status().unclaimed, 0U);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{}) << "all have said what they own";
    EXPECT_EQ(world.copy("d3").publications, 0U);
}

TEST_F(Holders, AreNotWaitedForWhenASocketClosed) {
    lead_by_one_who_hears_only_the_others("s2");
    s1.close("a");
    EXPECT_EQ(s3.copies["orders"].ids, Ids{});
}

// The session of a newer state is cut off from a leader that never had it; the one of the older
// state was told to let go of it.
TEST_F(Holders, OfANewerStateMayBeBehindACut) {
    s1.publish("b", kOrders);
    world.pass(1s);
    world.lose = [](const auto&, const auto&, const auto& message) {
        return std::holds_alternative<msg::SlotEntries>(message);
    };
    s2.publish("c", kOrders);
    s2.publish("b", kOrders);
    world.pass(3s);
    ASSERT_EQ(world.count<msg::Superseded>(), 1U) << "to s1";
    world.cut("s2", "d2");
    world.kill("d1");
    world.assign({"d2"});
    s3.want(kOrders);
    world.pass(3s);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "b", "c"}));
    world.heal();
    world.pass(60s);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "b", "c"}));
    EXPECT_TRUE(world.copy("d2").settled);
}

// Who came back elsewhere is not on the way any more from the session that ended.
TEST_F(Holders, ThatEndedAreForgottenWhenTheirClientLeavesWhereItCameNext) {
    s1.publish("b", kOrders);
    const auto say = [&](TestSession& session, RegistOrder order, bool there, std::uint64_t seq) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("b");
        publication->service = kOrders;
        publication->order = order;
        publication->boxes = {"b"};
        world.send({session.node, Role::session}, {NodeId("d1"), Role::data},
                   msg::PublishBatch{.session = Incarnation(1),
                                     .slot = SlotId(0),
                                     .slot_epoch = world.table.slots[0].epoch,
                                     .batch = 100 + seq,
                                     .ops = {{.id = publication->id,
                                              .service = kOrders,
                                              .publication = there ? publication : nullptr,
                                              .order = order,
                                              .cause = RemovalCause::closed,
                                              .owner_seq = 100 + seq}}});
        world.run();
    };
    say(s2, {2, 5}, true, 1);  // the same version, later
    say(s3, {2, 5}, true, 1);
    ASSERT_EQ(s3.copies["orders"].ids, (Ids{"a", "b"}));
    world.link("d1", "s1", msg::LinkEvent::closed);
    say(s3, {2, 5}, false, 2);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "b"})) << "s2 holds the same";
    say(s2, {2, 5}, false, 2);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
}

TEST_F(Holders, AreToldWhatLeftElsewhere) {
    s2.withdraw("a");
    EXPECT_EQ(s3.copies["orders"].ids, Ids{});
    world.pass(3s);
    EXPECT_EQ(world.count<msg::Superseded>(), 1U);
    EXPECT_EQ(world["d1"].status().publications, 0U);
    world.pass(store::Tombstones::kAge + 10s);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{}) << "s1 has let go of it";
}

}  // namespace
}  // namespace muster::data
