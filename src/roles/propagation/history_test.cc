#include "roles/propagation/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/manual_time.h"

namespace muster::propagation {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Incarnation kLife(7);
constexpr std::int64_t kNow = 1'700'000'000'000;

class KeptOutbox final : public msg::Outbox {
public:
    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        asked.emplace_back(to.node.raw(), std::get<msg::HistoryRequest>(message));
    }
    std::vector<std::pair<std::string, msg::HistoryRequest>> asked;
};

// Two data servers that live and one that is dead.
class HistoryOp : public testing::Test {
protected:
    HistoryOp() {
        known.members = {{.node = NodeId("d1"), .role = Role::data},
                         {.node = NodeId("d2"), .role = Role::data},
                         {.node = NodeId("d3"), .role = Role::data, .phase = MemberPhase::dead},
                         {.node = NodeId("s1"), .role = Role::session}};
    }
    History make(HistoryQuestion question = {}) {
        question.service = service;
        return {{.self = {NodeId("s1"), Role::session}, .life = kLife, .number = 3},
                {.clock = clock, .outbox = outbox, .known = [this] { return known; }},
                std::move(question)};
    }
    static msg::HistoryReply reply(std::initializer_list<std::int64_t> times) {
        msg::HistoryReply made{.incarnation = kLife,
                               .request = std::uint64_t{3} << Asker::kTurnBits,
                               .result = {},
                               .records = {},
                               .reaches_ms = kNow - 1000,
                               .lost = {}};
        for (const std::int64_t at : times) {
            made.records.push_back({.at_ms = kNow + at, .slot = {}, .id = {}, .by = {}});
        }
        return made;
    }
    static std::vector<std::string> lines(const HistoryReport& report) {
        std::vector<std::string> all;
        for (const auto& line : report.lines) {
            all.push_back(line.node.raw() + " " + std::to_string(line.record.at_ms - kNow));
        }
        return all;
    }

    const ServicePtr service = std::make_shared<const Service>(Service{.data_id = "orders"});
    env::ManualClock clock;
    KeptOutbox outbox;
    Known known;
};

TEST_F(HistoryOp, PutsTheAnswersOfAllTogether) {
    History op = make({.address = "10.0.0.1:80", .since = 1h, .limit = 4});
    op.begin();
    ASSERT_EQ(outbox.asked.size(), 2U);
    EXPECT_EQ(outbox.asked[0].second.address, "10.0.0.1:80");
    EXPECT_EQ(outbox.asked[0].second.limit, 4U);
    EXPECT_EQ(outbox.asked[0].second.since_ms,
              std::max<std::int64_t>(clock.wall().unix_ms - 3'600'000, 0));
    op.take({NodeId("d1"), Role::data}, reply({5, 3, 1}));
    EXPECT_FALSE(op.done());
    msg::HistoryReply second = reply({4, 3, 2});
    second.lost = {{.from_ms = 1, .to_ms = 2, .records = 3}};
    op.take({NodeId("d2"), Role::data}, second);
    ASSERT_TRUE(op.done());
    const HistoryReport report = op.report();
    EXPECT_THAT(lines(report), ElementsAre("d1 5", "d2 4", "d1 3", "d2 3"));
    EXPECT_TRUE(report.more);
    ASSERT_EQ(report.lost.size(), 1U);
    EXPECT_EQ(report.lost[0].node, NodeId("d2"));
    EXPECT_EQ(report.nodes.size(), 2U);
    EXPECT_TRUE(report.silent.empty());
}

TEST_F(HistoryOp, AsksAgainAndNamesWhoIsSilentOrKeepsNothing) {
    History op = make();
    op.begin();
    msg::HistoryReply off = reply({});
    off.result = fail(Errc::refused, "d1 keeps no history");
    op.take({NodeId("d1"), Role::data}, off);
    op.take({NodeId("d1"), Role::data}, reply({9}));
    op.take({NodeId("d3"), Role::data}, reply({9}));
    clock.advance(2s);
    op.on_timer();
    EXPECT_EQ(outbox.asked.size(), 3U);
    EXPECT_EQ(outbox.asked.back().first, "d2");
    clock.advance(3s);
    op.on_timer();
    ASSERT_TRUE(op.done());
    const HistoryReport report = op.report();
    EXPECT_THAT(report.silent, ElementsAre(NodeId("d2")));
    EXPECT_TRUE(report.lines.empty());
    ASSERT_EQ(report.nodes.size(), 1U);
    EXPECT_THAT(report.nodes[0].refused, testing::HasSubstr("d1 keeps no history"));
}

TEST_F(HistoryOp, IsDoneAtOnceWhenThereIsNobodyToAsk) {
    known.members.clear();
    History op = make();
    op.begin();
    EXPECT_TRUE(op.done());
}

TEST_F(HistoryOp, TakesNoAnswerToAnotherQuestion) {
    History op = make();
    op.begin();
    msg::HistoryReply other = reply({1});
    other.request += std::uint64_t{1} << Asker::kTurnBits;
    op.take({NodeId("d1"), Role::data}, other);
    other = reply({1});
    other.incarnation = Incarnation(6);
    op.take({NodeId("d1"), Role::data}, other);
    op.take({NodeId("d2"), Role::data}, reply({2}));
    EXPECT_FALSE(op.done());
}

}  // namespace
}  // namespace muster::propagation
