#include "roles/propagation/drain.h"

#include <gtest/gtest.h>

#include "env/manual_time.h"

namespace muster::propagation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
constexpr Incarnation kLife(7);

class LastSent final : public msg::Outbox {
public:
    void send(const msg::RoleAddress& /*to*/, msg::ClusterMessage message) override {
        if (const auto* mark = std::get_if<msg::MarkRequest>(&message)) {
            marks.push_back(*mark);
        } else if (const auto* reach = std::get_if<msg::ReachRequest>(&message)) {
            reaches.push_back(*reach);
        }
    }
    std::vector<msg::MarkRequest> marks;
    std::vector<msg::ReachRequest> reaches;
};

// One data server that leads, and one session.
class DrainTest : public ::testing::Test {
protected:
    DrainTest() {
        known.members = {{.node = NodeId("d1"), .role = Role::data},
                         {.node = NodeId("s1"), .role = Role::session}};
        known.table = {.epoch = Epoch(1), .slots = {{.leader = NodeId("d1"), .epoch = Epoch(1)}}};
    }
    Drain begun(Mark::Kind kind = Mark::Kind::drained) {
        Drain op({.self = {NodeId("m1"), Role::meta}, .life = kLife, .number = 5},
                 {.clock = clock, .outbox = outbox, .known = [this] { return known; }},
                 {.service = kOrders,
                  .address = "10.0.0.1:80",
                  .kind = kind,
                  .ramp = seconds(30),
                  .timeout = seconds(3),
                  .asked_by = "ana@ops1"});
        op.begin();
        return op;
    }
    void say_marked(Drain& op, std::uint32_t changed, Result<void> result = {},
                    std::vector<NodeId> lacking = {}) {
        op.take({NodeId("d1"), Role::data}, {.incarnation = kLife,
                                             .request = outbox.marks.back().request,
                                             .result = std::move(result),
                                             .ids = {RegistId("p")},
                                             .changed = changed,
                                             .others = 2,
                                             .version = Version(9),
                                             .since = {Epoch(1), 5},
                                             .copies = 3,
                                             .lacking = std::move(lacking)});
    }
    void say_reach(Drain& op, std::uint32_t behind) {
        op.take({.incarnation = kLife,
                 .request = outbox.reaches.back().request,
                 .session = NodeId("s1"),
                 .lists = 3,
                 .behind = behind});
    }
    void pass(Drain& op, Duration time) {
        for (Duration step = milliseconds(10); time > Duration::zero(); time -= step) {
            clock.advance(step);
            op.on_timer();
        }
    }

    env::ManualClock clock;
    LastSent outbox;
    Known known;
};

TEST_F(DrainTest, WaitsUntilNobodyIsBehindAndMarksAnewEachTime) {
    Drain op = begun();
    EXPECT_EQ(outbox.marks.back().address, "10.0.0.1:80");
    EXPECT_EQ(outbox.marks.back().asked_by, "ana@ops1");
    say_marked(op, 1);
    ASSERT_EQ(outbox.reaches.size(), 1U);
    EXPECT_EQ(outbox.reaches.back().without, std::vector{RegistId("p")});
    say_reach(op, 1);
    EXPECT_FALSE(op.done());
    pass(op, Drain::kPauseMin);
    EXPECT_EQ(outbox.marks.size(), 2U) << "another one may lead by now";
    say_marked(op, 0);
    say_reach(op, 0);
    ASSERT_TRUE(op.done());
    ASSERT_TRUE(op.outcome());
    EXPECT_TRUE(op.outcome()->confirmed);
    EXPECT_EQ(op.outcome()->changed, 1U);
    EXPECT_EQ(op.outcome()->who.lists, 3U);
}

TEST_F(DrainTest, AsksInPausesThatGrowAndEndsAtItsTime) {
    Drain op = begun();
    for (int i = 0; i < 1000 && !op.done(); ++i) {
        say_marked(op, 0);
        if (!outbox.reaches.empty()) {
            say_reach(op, 2);
        }
        pass(op, milliseconds(10));
    }
    ASSERT_TRUE(op.done());
    EXPECT_FALSE(op.outcome()->confirmed);
    EXPECT_EQ(op.outcome()->who.behind, 2U);
    EXPECT_LT(outbox.reaches.size(), 20U) << "no busy loop";
    EXPECT_GE(op.outcome()->waited, seconds(3));
}

TEST_F(DrainTest, IsNotConfirmedWhileASessionIsSilent) {
    Drain op = begun();
    say_marked(op, 1);
    pass(op, seconds(2));
    say_marked(op, 0);
    pass(op, seconds(3));
    ASSERT_TRUE(op.done());
    EXPECT_FALSE(op.outcome()->confirmed);
    EXPECT_EQ(op.outcome()->who.silent.front().node, NodeId("s1"));
}

TEST_F(DrainTest, SaysWhyItIsRefusedAndAsksWhoDoesNotLeadYetAgain) {
    Drain refused = begun();
    say_marked(refused, 0, fail(Errc::not_found, "nobody publishes it"));
    ASSERT_TRUE(refused.done());
    EXPECT_EQ(refused.outcome().error().code, Errc::not_found);
    Drain op = begun();
    say_marked(op, 0, fail(Errc::not_leader, "d1"));
    EXPECT_FALSE(op.done());
    const std::size_t asked = outbox.marks.size();
    pass(op, milliseconds(300));
    EXPECT_EQ(outbox.marks.size(), asked + 1);
    say_marked(op, 1);
    say_reach(op, 0);
    EXPECT_TRUE(op.outcome()->confirmed);
    Drain nobody = begun();
    pass(nobody, seconds(4));
    ASSERT_TRUE(nobody.done());
    EXPECT_EQ(nobody.outcome().error().code, Errc::timeout);
}

TEST_F(DrainTest, WaitsOnForSubscribersWhenTheInstanceLeavesMeanwhile) {
    Drain op = begun();
    say_marked(op, 1);
    say_reach(op, 1);
    pass(op, milliseconds(10));
    say_marked(op, 0, fail(Errc::not_found, "no instance is there"));
    say_reach(op, 0);
    ASSERT_TRUE(op.done());
    EXPECT_TRUE(op.outcome()->confirmed);
    EXPECT_TRUE(op.outcome()->gone);
}

TEST_F(DrainTest, WaitsForTheCopiesWithoutAskingSessionsAgain) {
    Drain op = begun();
    EXPECT_EQ(outbox.marks.back().since, LogPosition{});
    say_marked(op, 1, {}, {NodeId("d2")});
    say_reach(op, 0);
    EXPECT_FALSE(op.done()) << "the mark ends with its leader yet";
    pass(op, Drain::kPauseMin);
    EXPECT_EQ(outbox.marks.size(), 2U);
    EXPECT_EQ(outbox.marks.back().since, (LogPosition{Epoch(1), 5}));
    say_marked(op, 0);
    ASSERT_TRUE(op.done());
    EXPECT_TRUE(op.outcome()->confirmed);
    EXPECT_EQ(op.outcome()->copies, 3U);
    EXPECT_EQ(outbox.reaches.size(), 1U);
}

TEST_F(DrainTest, NamesTheCopiesThatLackTheMarkInTime) {
    for (const auto kind : {Mark::Kind::drained, Mark::Kind::restored}) {
        Drain op = begun(kind);
        const MonoTime began = clock.mono();
        for (int i = 0; i < 1000 && !op.done(); ++i) {
            say_marked(op, i == 0 ? 1 : 0, {}, {NodeId("d2")});
            if (kind == Mark::Kind::drained) {
                say_reach(op, 0);
            }
            pass(op, milliseconds(10));
        }
        ASSERT_TRUE(op.done());
        ASSERT_TRUE(op.outcome());
        EXPECT_EQ(op.outcome()->confirmed, kind == Mark::Kind::drained);
        EXPECT_EQ(op.outcome()->lacking, std::vector{NodeId("d2")});
        EXPECT_LE(clock.mono() - began, AskingOptions{}.patience + milliseconds(20));
    }
}

TEST_F(DrainTest, AsksSessionsAgainWhenTheMarkWasLostWithItsLeader) {
    Drain op = begun();
    say_marked(op, 1, {}, {NodeId("d2")});
    say_reach(op, 0);
    pass(op, milliseconds(300));
    say_marked(op, 1);
    ASSERT_EQ(outbox.reaches.size(), 2U) << "it may have been shown meanwhile";
    say_reach(op, 1);
    EXPECT_FALSE(op.done());
    pass(op, milliseconds(100));
    say_marked(op, 0);
    say_reach(op, 0);
    ASSERT_TRUE(op.done());
    EXPECT_TRUE(op.outcome()->confirmed);
    EXPECT_EQ(op.outcome()->changed, 1U);
}

TEST_F(DrainTest, ConfirmsNothingWhenTheLeaderEndsBeforeItsCopiesHaveTheMark) {
    Drain op = begun();
    say_marked(op, 1, {}, {NodeId("d2")});
    say_reach(op, 0);
    pass(op, seconds(4));
    ASSERT_TRUE(op.done());
    EXPECT_FALSE(op.outcome()->confirmed);
    EXPECT_EQ(op.outcome()->who.silent, std::vector{(msg::RoleAddress{NodeId("d1"), Role::data})});
}

TEST_F(DrainTest, RestoresAtOnceAndOnlyWhatIsDrained) {
    Drain op = begun(Mark::Kind::restored);
    EXPECT_EQ(outbox.marks.back().ramp_ms, 30'000);
    say_marked(op, 1);
    ASSERT_TRUE(op.done());
    EXPECT_TRUE(op.outcome());
    Drain again = begun(Mark::Kind::restored);
    say_marked(again, 0);
    EXPECT_EQ(again.outcome().error().code, Errc::not_found);
    Drain lost = begun(Mark::Kind::restored);
    pass(lost, milliseconds(300));
    say_marked(lost, 0);
    EXPECT_TRUE(lost.outcome()) << "the first answer was lost";
}

}  // namespace
}  // namespace muster::propagation
