#include "apps/muster/server/history_desk.h"

#include "apps/muster/server/desk_test_env.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;

// A cluster of one data server, asked at a session.
class HistoryDeskTest : public DeskTest {
protected:
    HistoryDeskTest() {
        timers.attach(desk);
        known.members = {{.node = NodeId("d1"), .role = Role::data}};
    }
    void ask(std::uint64_t token) {
        desk.ask(token, {.service = service, .address = {}}, answers);
    }
    void answer(std::uint64_t number) {
        desk.take({NodeId("d1"), Role::data},
                  msg::HistoryReply{.incarnation = kLife,
                                    .request = number << propagation::Asker::kTurnBits,
                                    .result = {},
                                    .records = {},
                                    .reaches_ms = static_cast<std::int64_t>(number),
                                    .lost = {}});
    }

    const ServicePtr service = std::make_shared<const Service>(Service{.data_id = "orders"});
    propagation::Known known;
    HistoryDesk desk{
        {NodeId("s1"), Role::session},
        kLife,
        {.timers = timers,
         .asking = {.clock = clock, .outbox = outbox, .known = [this] { return known; }}}};
};

TEST_F(HistoryDeskTest, KeepsSeveralApart) {
    ask(11);
    ask(12);
    answer(2);
    ASSERT_EQ(answers.histories.size(), 1U);
    EXPECT_EQ(answers.histories[0].first, 12U);
    EXPECT_EQ(answers.histories[0].second->nodes.at(0).reaches_ms, 2);
    answer(1);
    ASSERT_EQ(answers.histories.size(), 2U);
    EXPECT_EQ(answers.histories[1].first, 11U);
}

TEST_F(HistoryDeskTest, NamesWhoIsSilentWithinItsBound) {
    ask(11);
    pass(http::ClusterFace::kHistoryMax);
    ASSERT_EQ(answers.histories.size(), 1U);
    EXPECT_EQ(answers.histories[0].second->silent, std::vector{NodeId("d1")});
}

TEST_F(HistoryDeskTest, AnswersWhereNobodyCanBeAsked) {
    known.members.clear();
    ask(11);
    EXPECT_TRUE(answers.histories.empty()) << "never from within";
    pass(100ms);
    ASSERT_EQ(answers.histories.size(), 1U);
}

TEST_F(HistoryDeskTest, AnswersBusyWhenEnoughRun) {
    for (std::uint64_t token = 1; token <= HistoryDesk::kRunningMax + 1; ++token) {
        ask(token);
    }
    EXPECT_TRUE(answers.histories.empty());
    pass(100ms);
    ASSERT_EQ(answers.histories.size(), 1U);
    EXPECT_EQ(answers.histories[0].first, HistoryDesk::kRunningMax + 1);
    EXPECT_EQ(answers.histories[0].second.error().code, Errc::busy);
}

}  // namespace
}  // namespace muster::cli
