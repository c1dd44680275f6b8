// Instances that operators drain and restore, and the copies that remember it.
#include <limits>

#include "roles/data/owners.h"
#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");
constexpr const char* kAddress = "10.0.0.1:80";
using Ids = std::set<std::string>;

class MarkTest : public ::testing::Test {
protected:
    MarkTest() {
        world.assign({"d1", "d2", "d3"});
        world.pass(1s);
        for (TestSession* session : {&s1, &s2}) {
            session->boxes["a"] = std::string(kAddress) + "?weight=7";
        }
        s1.publish("a", kOrders);
        s1.publish("b", kOrders);
        s2.want(kOrders);
        world.pass(500ms);
        EXPECT_EQ(seen(), (Ids{"a", "b"}));
    }
    static msg::MarkRequest drain(LogPosition since = {}) {
        return {.incarnation = {},
                .request = 1,
                .service = kOrders,
                .address = kAddress,
                .since = since};
    }
    static msg::MarkRequest restore(std::int64_t ramp_ms = 0) {
        msg::MarkRequest request = drain();
        request.kind = Mark::Kind::restored;
        request.ramp_ms = ramp_ms;
        return request;
    }
    const Ids& seen() {
        return s2.copies["orders"].ids;
    }
    // d2 leads with the copy it has, and s2 asks it.
    void promote() {
        world.kill("d1");
        world.assign({"d2", "d3"});
        s2.want(kOrders);
        world.pass(2s);
    }

    World world{{"d1", "d2", "d3"}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
};

TEST_F(MarkTest, TakesAnInstanceOutOfTheListsThroughItsStatesAndBack) {
    const auto drained = world.ask_mark("d1", drain());
    ASSERT_TRUE(drained.result);
    EXPECT_EQ(drained.ids, std::vector{RegistId("a")});
    EXPECT_EQ(drained.changed, 1U);
    EXPECT_EQ(drained.others, 1U);
    EXPECT_EQ(seen(), Ids{"b"});
    EXPECT_EQ(drained.version, s2.copies["orders"].version);
    const std::size_t told = s2.changes;
    s1.publish("a", kOrders);
    EXPECT_EQ(s2.changes, told) << "nobody sees a new state of it";
    EXPECT_EQ(world.ask_mark("d1", drain()).changed, 0U);
    EXPECT_EQ(world.ask_mark("d1", restore(1000)).changed, 1U);
    EXPECT_EQ(seen(), (Ids{"a", "b"}));
    EXPECT_EQ(world.ask_mark("d1", restore()).changed, 0U);
}

// Each change names the digest of the list it leads to, which sessions compare with theirs.
TEST_F(MarkTest, IsPartOfWhatSessionsCompare) {
    const std::size_t compared = s2.compared;
    world.ask_mark("d1", drain());
    s1.publish("b", kOrders);
    world.ask_mark("d1", restore(1000));
    promote();
    s1.boxes["a"] += "&zone=b";
    s1.publish("a", kOrders);
    s1.boxes["b"] = "10.0.0.2:80";
    s1.publish("b", kOrders);
    world.pass(1s);
    EXPECT_GE(s2.compared, compared + 4);
}

TEST_F(MarkTest, NamesFollowersUntilTheyHaveIt) {
    world.cut("d1", "d3");
    const auto first = world.ask_mark("d1", drain());
    EXPECT_EQ(first.copies, 1U);
    EXPECT_EQ(first.lacking, (std::vector{NodeId("d2"), NodeId("d3")}));
    world.pass(200ms);
    const auto then = world.ask_mark("d1", drain(first.since));
    EXPECT_EQ(then.since, first.since);
    EXPECT_EQ(then.copies, 2U);
    EXPECT_EQ(then.lacking, std::vector{NodeId("d3")});
    world.heal();
    world.pass(2s);
    world.lose = [](const auto&, const auto&, const auto& message) {
        return std::holds_alternative<msg::SlotEntries>(message);
    };
    s1.publish("c", kOrders);
    EXPECT_EQ(world.ask_mark("d1", drain(first.since)).copies, 3U)
        << "what was written since is not waited for";
    EXPECT_EQ(world.ask_mark("d1", restore()).copies, 1U) << "but another mark is";
}

TEST_F(MarkTest, OutlivesItsLeader) {
    world.ask_mark("d1", drain());
    promote();
    EXPECT_EQ(seen(), Ids{"b"});
    s1.publish("a", kOrders);
    EXPECT_EQ(seen(), Ids{"b"});
    EXPECT_EQ(world.ask_mark("d2", drain()).changed, 0U);
    EXPECT_EQ(world.ask_mark("d2", restore()).changed, 1U);
    EXPECT_EQ(seen(), (Ids{"a", "b"}));
}

TEST_F(MarkTest, IsSetAnewWhereItWasLostWithItsLeader) {
    world.lose = [](const auto&, const auto&, const auto& message) {
        return std::holds_alternative<msg::SlotEntries>(message);
    };
    const auto first = world.ask_mark("d1", drain());
    world.pass(200ms);
    EXPECT_EQ(world.ask_mark("d1", drain(first.since)).lacking.size(), 2U);
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    promote();
    EXPECT_EQ(seen(), (Ids{"a", "b"}));
    const auto again = world.ask_mark("d2", drain(first.since));
    EXPECT_EQ(again.changed, 1U);
    EXPECT_NE(again.since, first.since);
    EXPECT_EQ(seen(), Ids{"b"});
}

TEST_F(MarkTest, IsPartOfAnImage) {
    world.ask_mark("d1", drain());
    world.start("d4");
    world.assign({"d1", "d4"});
    world.pass(2s);
    world.kill("d1");
    world.assign({"d4"});
    s2.want(kOrders);
    world.pass(2s);
    EXPECT_EQ(seen(), Ids{"b"});
    EXPECT_EQ(world.ask_mark("d4", drain()).changed, 0U);
}

TEST_F(MarkTest, StaysWithWhatClosedAndComesBack) {
    world.ask_mark("d1", drain());
    s1.close("a");
    EXPECT_EQ(world.ask_mark("d1", drain()).result.error().code, Errc::not_found);
    s2.publish("a", kOrders);
    EXPECT_EQ(seen(), Ids{"b"});
    promote();
    EXPECT_EQ(world.ask_mark("d2", drain()).changed, 0U);
    EXPECT_EQ(seen(), Ids{"b"});
}

TEST_F(MarkTest, StaysWithWhatClosedBeforeItsLeaderEndedAndComesBackAfter) {
    world.ask_mark("d1", drain());
    s1.close("a");
    world.start("d4");
    world.assign({"d1", "d2", "d4"});
    world.pass(2s);
    world.kill("d1");
    world.assign({"d4", "d2"});
    s2.want(kOrders);
    world.pass(2s);
    s2.publish("a", kOrders);
    EXPECT_EQ(world.ask_mark("d4", drain()).changed, 0U) << "the image told its tombstone";
    EXPECT_EQ(seen(), Ids{"b"});
}

TEST_F(MarkTest, EndsWithTheRegistration) {
    world.ask_mark("d1", drain());
    s1.withdraw("a");
    s1.publish("a", kOrders);
    EXPECT_EQ(seen(), (Ids{"a", "b"}));
    promote();
    EXPECT_EQ(seen(), (Ids{"a", "b"}));
}

TEST_F(MarkTest, IsKnownToWhoActsInTheLeadersStead) {
    world.ask_mark("d1", drain());
    world.pass(200ms);
    for (const char* one : {"d2", "s2"}) {
        for (const char* other : {"d1", "d3", "s1"}) {
            world.cut(one, other);
        }
    }
    world.pass(1500ms);
    s2.acting_node = NodeId("d2");
    s2.want(kOrders, true);
    s2.publish("c", kOrders, true);
    EXPECT_EQ(seen(), (Ids{"b", "c"}));
    EXPECT_EQ(world.ask_mark("d2", restore()).result.error().code, Errc::not_leader);
    EXPECT_EQ(seen(), (Ids{"b", "c"}));
    world.heal();
    world.pass(500ms);
    s2.acting_node = {};
    s2.want(kOrders);
    world.pass(2s);
    EXPECT_EQ(seen(), (Ids{"b", "c"}));
}

TEST_F(MarkTest, RefusesWhatItCannotDo) {
    EXPECT_EQ(world.ask_mark("d2", drain()).result.error().code, Errc::not_leader);
    msg::MarkRequest request = drain();
    request.address = "10.0.0.1:81";
    EXPECT_EQ(world.ask_mark("d1", request).result.error().code, Errc::not_found);
    request.address = "nowhere";
    EXPECT_EQ(world.ask_mark("d1", request).result.error().code, Errc::invalid_argument);
    request.service = service("unknown");
    request.address = kAddress;
    EXPECT_EQ(world.ask_mark("d1", request).result.error().detail,
              "nobody publishes " + request.service->path());
    for (const std::int64_t ramp_ms : {std::int64_t{-1}, Mark::kRampMsMax + 1}) {
        EXPECT_EQ(world.ask_mark("d1", restore(ramp_ms)).result.error().code,
                  Errc::invalid_argument);
    }
    for (std::size_t i = 0; i < msg::ReachRequest::kWithoutMax; ++i) {
        const std::string id = "n" + std::to_string(i);
        s1.boxes[id] = kAddress;
        s1.publish(id, kOrders);
    }
    const auto many = world.ask_mark("d1", drain());
    EXPECT_EQ(many.result.error().code, Errc::over_limit);
    EXPECT_TRUE(seen().contains("a")) << "none of them is marked";
}

TEST(OwnersTest, BringTheMarkOfAWriteWithinItsBounds) {
    const auto ramp_of = [](std::int64_t ramp_ms) {
        msg::OwnedWrite write{.id = RegistId("a"), .owner = NodeId("s1")};
        write.mark = Mark{.kind = Mark::Kind::restored, .since_ms = 1, .ramp_ms = ramp_ms};
        return Owners::mark_of(write)->ramp_ms;
    };
    EXPECT_EQ(ramp_of(1000), 1000);
    EXPECT_EQ(ramp_of(std::numeric_limits<std::int64_t>::max()), Mark::kRampMsMax);
    EXPECT_EQ(ramp_of(-1), 0);
}

}  // namespace
}  // namespace muster::data
