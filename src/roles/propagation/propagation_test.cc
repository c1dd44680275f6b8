#include "roles/propagation/propagation.h"

#include <gtest/gtest.h>

#include "env/manual_time.h"

namespace muster::propagation {
namespace {

using std::chrono::milliseconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
constexpr Incarnation kLife(7);
constexpr std::uint64_t kRequest = std::uint64_t{5} << Asker::kTurnBits;  // of number 5

class KeptOutbox final : public msg::Outbox {
public:
    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        sent.emplace_back(to, std::move(message));
    }
    template <typename Message>
    [[nodiscard]] std::vector<std::pair<msg::RoleAddress, Message>> of() const {
        std::vector<std::pair<msg::RoleAddress, Message>> kind;
        for (const auto& [to, message] : sent) {
            if (const auto* found = std::get_if<Message>(&message)) {
                kind.emplace_back(to, *found);
            }
        }
        return kind;
    }
    std::vector<std::pair<msg::RoleAddress, msg::ClusterMessage>> sent;
};

// Two data servers, of which d1 leads the only slot, and two sessions.
class PropagationTest : public ::testing::Test {
protected:
    PropagationTest() {
        known.members = {{.node = NodeId("d1"), .role = Role::data},
                         {.node = NodeId("d2"), .role = Role::data},
                         {.node = NodeId("s1"), .role = Role::session},
                         {.node = NodeId("s2"), .role = Role::session},
                         {.node = NodeId("s3"), .role = Role::session, .phase = MemberPhase::dead}};
        known.table = {.epoch = Epoch(1), .slots = {{.leader = NodeId("d1"), .epoch = Epoch(1)}}};
    }
    Propagation begun(const msg::RoleAddress& self, std::uint32_t limit = 100) {
        Propagation op({.self = self, .life = kLife, .number = 5},
                       {.clock = clock, .outbox = outbox, .known = [this] { return known; }},
                       {.service = kOrders, .limit = limit});
        op.begin();
        return op;
    }
    static void say_newest(Propagation& op, std::uint64_t version, const char* from = "d1") {
        op.take({NodeId(from), Role::data}, {.incarnation = kLife,
                                             .request = kRequest,
                                             .leads = true,
                                             .version = Version(version),
                                             .publications = 3});
    }
    static msg::SubscriberLine line(const std::string& address, bool behind, std::int64_t ms) {
        return {.client_address = address, .behind = behind, .behind_ms = ms};
    }
    static msg::ReachReply reach(const char* session, std::vector<msg::SubscriberLine> lines) {
        msg::ReachReply reply{.incarnation = kLife,
                              .request = kRequest,
                              .session = NodeId(session),
                              .version = Version(9),
                              .lines = std::move(lines)};
        for (const auto& one : reply.lines) {
            ++reply.lists;
            reply.behind += one.behind ? 1 : 0;
        }
        return reply;
    }
    void pass(Propagation& op, Duration time) {
        for (Duration step = milliseconds(50); time > Duration::zero(); time -= step) {
            clock.advance(step);
            if (!op.done()) {
                op.on_timer();
            }
        }
    }

    env::ManualClock clock;
    KeptOutbox outbox;
    Known known;
};

TEST_F(PropagationTest, AsksTheLeaderAndThenAllSessionsForItsVersion) {
    Propagation op = begun({NodeId("m1"), Role::meta});
    ASSERT_EQ(outbox.of<msg::NewestRequest>().size(), 1U);
    EXPECT_TRUE(outbox.of<msg::ReachRequest>().empty());
    say_newest(op, 9);
    const auto asked = outbox.of<msg::ReachRequest>();
    ASSERT_EQ(asked.size(), 2U) << "not who is dead";
    EXPECT_EQ(asked[0].first, (msg::RoleAddress{NodeId("s1"), Role::session}));
    EXPECT_EQ(asked[0].second.version, Version(9));
    op.take(reach("s1", {line("a", false, 0), line("b", true, 40)}));
    EXPECT_FALSE(op.done());
    op.take(reach("s2", {line("c", true, 900)}));
    ASSERT_TRUE(op.done());
    const Report report = op.report();
    EXPECT_EQ(report.leader, NodeId("d1"));
    EXPECT_EQ(report.version, Version(9));
    EXPECT_EQ(report.publications, 3U);
    EXPECT_EQ(report.lists, 3U);
    EXPECT_EQ(report.behind, 2U);
    EXPECT_TRUE(report.silent.empty());
    ASSERT_EQ(report.lines.size(), 3U);
    EXPECT_EQ(report.lines[0].subscriber.client_address, "c") << "the furthest behind first";
    EXPECT_EQ(report.lines[0].session, NodeId("s2"));
    EXPECT_EQ(report.lines[2].subscriber.client_address, "a");
}

TEST_F(PropagationTest, ASessionHasOthersAskedThroughDataServersInTurn) {
    Propagation op = begun({NodeId("s1"), Role::session});
    say_newest(op, 9);
    pass(op, milliseconds(250));
    std::set<NodeId> ways;
    for (const auto& [to, request] : outbox.of<msg::ReachRequest>()) {
        if (to.role == Role::session) {
            EXPECT_EQ(to.node, NodeId("s1"));
            EXPECT_EQ(request.session, NodeId());
        } else {
            EXPECT_EQ(request.session, NodeId("s2"));
            ways.insert(to.node);
        }
    }
    EXPECT_EQ(ways.size(), 2U);
}

// `counts` in the buckets up to 1 ms, up to 2 ms and above 10 s.
msg::StageCounts counted(std::uint64_t to_1ms, std::uint64_t to_2ms, std::uint64_t above) {
    msg::StageCounts told{.stage = Stage::end_to_end};
    told.counts.resize(StageHistogram::Counts{}.size());
    told.counts.at(1) = to_1ms;
    told.counts.at(2) = to_2ms;
    told.counts.back() = above;
    told.max_us = above > 0 ? 12'000'000 : 1900;
    told.below_zero = 1;
    return told;
}

TEST_F(PropagationTest, HasAServiceMeasuredAndTakesItTogether) {
    Propagation op({.self = {NodeId("m1"), Role::meta}, .life = kLife, .number = 5},
                   {.clock = clock, .outbox = outbox, .known = [this] { return known; }},
                   {.service = kOrders, .measure = std::chrono::minutes(2)});
    op.begin();
    say_newest(op, 9);
    EXPECT_EQ(outbox.of<msg::ReachRequest>().front().second.measure_ms, 120'000);
    auto one = reach("s1", {});
    one.stages = {counted(50, 40, 0)};
    one.measured_ms = 5;
    auto two = reach("s2", {});
    two.stages = {counted(0, 9, 1)};
    two.stages.push_back({.stage = Stage::push_to_ack, .counts = {1, 2}});  // buckets of its own
    two.measured_ms = 7;
    op.take(one);
    op.take(two);
    const Report report = op.report();
    EXPECT_EQ(report.measured_ms, 7);
    ASSERT_EQ(report.stages.size(), 1U) << "what cannot be read is left out";
    const auto& sum = report.stages.front();
    EXPECT_EQ(sum.count, 100U);
    EXPECT_EQ(sum.below_zero, 2U);
    EXPECT_EQ(sum.quantile_us(50), 1000U) << "the last of those up to 1 ms";
    EXPECT_EQ(sum.quantile_us(99), 2000U);
    EXPECT_EQ(sum.quantile_us(100), 12'000'000U) << "above all bounds the longest is known";
    EXPECT_EQ(Report::StageSum{}.quantile_us(99), 0U);
}

TEST_F(PropagationTest, CountsInFullAndShowsTheFirst) {
    Propagation op = begun({NodeId("m1"), Role::meta}, 1);
    say_newest(op, 9);
    op.take(reach("s1", {line("a", true, 10)}));
    op.take(reach("s2", {line("b", true, 20)}));
    const Report report = op.report();
    EXPECT_EQ(report.behind, 2U);
    ASSERT_EQ(report.lines.size(), 1U);
    EXPECT_EQ(report.lines[0].subscriber.client_address, "b");
    EXPECT_TRUE(report.more);
}

TEST_F(PropagationTest, NamesWhoDoesNotAnswer) {
    Propagation op = begun({NodeId("m1"), Role::meta});
    pass(op, milliseconds(1500));
    EXPECT_FALSE(op.done());
    EXPECT_GT(outbox.of<msg::NewestRequest>().size(), 2U) << "asked again";
    op.take(reach("s1", {line("a", false, 0)}));
    pass(op, milliseconds(1500));
    ASSERT_TRUE(op.done());
    const Report report = op.report();
    EXPECT_EQ(report.version, Version());
    EXPECT_EQ(report.silent, (std::vector{msg::RoleAddress{NodeId("d1"), Role::data},
                                          msg::RoleAddress{NodeId("s2"), Role::session}}));
}

TEST_F(PropagationTest, AsksWhoLeadsByNow) {
    Propagation op = begun({NodeId("m1"), Role::meta});
    known.table.slots[0].leader = NodeId("d2");
    pass(op, milliseconds(250));
    say_newest(op, 8, "d1");
    EXPECT_TRUE(outbox.of<msg::ReachRequest>().empty()) << "its word is old";
    say_newest(op, 9, "d2");
    EXPECT_EQ(outbox.of<msg::ReachRequest>().front().second.version, Version(9));
}

TEST_F(PropagationTest, CountsASecondAnswerOnceAndNoneToAnother) {
    Propagation op = begun({NodeId("m1"), Role::meta});
    say_newest(op, 9);
    msg::ReachReply other = reach("s2", {line("c", true, 1)});
    other.request = kRequest - 1;
    op.take(other);
    op.take(reach("s1", {line("a", true, 1)}));
    op.take(reach("s1", {line("a", true, 1)}));
    EXPECT_FALSE(op.done());
    op.take(reach("s2", {}));
    EXPECT_EQ(op.report().lists, 1U);
}

}  // namespace
}  // namespace muster::propagation
