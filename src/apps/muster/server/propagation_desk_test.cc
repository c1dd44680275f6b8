#include "apps/muster/server/propagation_desk.h"

#include "apps/muster/server/desk_test_env.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;

// A cluster of one data server with one slot and one session, asked at a meta.
class PropagationDeskTest : public DeskTest {
protected:
    PropagationDeskTest() {
        timers.attach(desk);
        known.members = {{.node = NodeId("d1"), .role = Role::data},
                         {.node = NodeId("s1"), .role = Role::session}};
        known.table = {.epoch = Epoch(1), .slots = {{.leader = NodeId("d1"), .epoch = Epoch(1)}}};
    }
    void ask(std::uint64_t token) {
        desk.ask(token, propagation::Question{.service = service, .limit = 100}, answers);
    }
    void answer_newest(std::uint64_t request) {
        desk.take({NodeId("d1"), Role::data},
                  msg::NewestReply{.incarnation = kLife,
                                   .request = request << propagation::Asker::kTurnBits,
                                   .leads = true,
                                   .version = Version(9)});
    }
    void answer_reach(std::uint64_t request) {
        desk.take(msg::ReachReply{.incarnation = kLife,
                                  .request = request << propagation::Asker::kTurnBits,
                                  .session = NodeId("s1"),
                                  .lists = 4});
    }

    const ServicePtr service = std::make_shared<const Service>(Service{.data_id = "orders"});
    propagation::Known known;
    PropagationDesk desk{
        {NodeId("m1"), Role::meta},
        kLife,
        {.timers = timers,
         .asking = {.clock = clock, .outbox = outbox, .known = [this] { return known; }}}};
};

TEST_F(PropagationDeskTest, AnswersWhenAllHaveAnswered) {
    ask(11);
    answer_newest(1);
    answer_reach(1);
    ASSERT_EQ(answers.propagation.size(), 1U);
    EXPECT_EQ(answers.propagation[0].first, 11U);
    EXPECT_EQ(answers.propagation[0].second->lists, 4U);
    pass(30s);
    EXPECT_EQ(answers.propagation.size(), 1U);
    EXPECT_EQ(outbox.sent.size(), 2U);
}

TEST_F(PropagationDeskTest, KeepsSeveralApart) {
    ask(11);
    ask(12);
    answer_newest(2);
    answer_reach(2);
    ASSERT_EQ(answers.propagation.size(), 1U);
    EXPECT_EQ(answers.propagation[0].first, 12U);
}

TEST_F(PropagationDeskTest, NamesWhoIsSilentWithinItsBound) {
    ask(11);
    pass(http::ClusterFace::kPropagationMax);
    ASSERT_EQ(answers.propagation.size(), 1U);
    EXPECT_EQ(answers.propagation[0].second->silent.size(), 2U);
}

TEST_F(PropagationDeskTest, AnswersFromATurnOfItsOwnWhenThereIsNoSession) {
    known.members.pop_back();
    ask(11);
    answer_newest(1);
    EXPECT_EQ(answers.propagation.size(), 1U);
}

TEST_F(PropagationDeskTest, RefusesMoreThanItsBoundAndWhereNoTableIsKnown) {
    for (std::uint64_t token = 1; token <= PropagationDesk::kRunningMax + 1; ++token) {
        ask(token);
    }
    EXPECT_TRUE(answers.propagation.empty()) << "never from within";
    pass(100ms);
    ASSERT_EQ(answers.propagation.size(), 1U);
    EXPECT_EQ(answers.propagation[0].second.error().code, Errc::busy);
    pass(10s);
    known = {};
    ask(99);
    pass(100ms);
    EXPECT_EQ(answers.propagation.back().second.error().code, Errc::not_ready);
}

TEST_F(PropagationDeskTest, DrainsBesideQuestionsAndAnswersEachItsOwn) {
    desk.ask(21, propagation::DrainWish{.service = service, .address = "10.0.0.1:80"}, answers);
    ask(11);
    const auto marks = outbox.of<msg::MarkRequest>();
    ASSERT_EQ(marks.size(), 1U);
    desk.take({NodeId("d1"), Role::data}, msg::MarkReply{.incarnation = kLife,
                                                         .request = marks[0].second.request,
                                                         .result = {},
                                                         .ids = {RegistId("p")},
                                                         .changed = 1});
    const auto asked = outbox.of<msg::ReachRequest>();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].second.without, std::vector{RegistId("p")});
    desk.take(msg::ReachReply{.incarnation = kLife,
                              .request = asked[0].second.request,
                              .session = NodeId("s1"),
                              .lists = 2});
    ASSERT_EQ(answers.marked.size(), 1U);
    EXPECT_EQ(answers.marked[0].first, 21U);
    EXPECT_TRUE(answers.marked[0].second->confirmed);
    EXPECT_TRUE(answers.propagation.empty());
    answer_newest(2);
    answer_reach(2);
    EXPECT_EQ(answers.propagation.size(), 1U);
}

TEST_F(PropagationDeskTest, RefusesMoreDrainsThanItsBound) {
    for (std::uint64_t token = 1; token <= PropagationDesk::kDrainsMax + 1; ++token) {
        desk.ask(token, propagation::DrainWish{.service = service, .address = "10.0.0.1:80"},
                 answers);
    }
    pass(100ms);
    ASSERT_EQ(answers.marked.size(), 1U);
    EXPECT_EQ(answers.marked[0].second.error().code, Errc::busy);
}

TEST_F(PropagationDeskTest, ClientsLeaveDrainsToOperators) {
    const propagation::DrainWish wish{.service = service, .address = "10.0.0.1:80"};
    std::vector<Result<propagation::DrainReport>> told;
    const auto tell = [&](const auto& report) { told.push_back(report); };
    for (std::size_t i = 0; i <= PropagationDesk::kDrainsOfClientsMax; ++i) {
        desk.ask_mark(wish, tell);
    }
    pass(100ms);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].error().code, Errc::busy);
    desk.ask(21, wish, answers);
    pass(100ms);
    EXPECT_TRUE(answers.marked.empty()) << "it runs";
    pass(60s);
    EXPECT_EQ(told.size(), PropagationDesk::kDrainsOfClientsMax + 1) << "each ends by itself";
    desk.ask_mark(wish, tell);
    pass(100ms);
    EXPECT_EQ(told.size(), PropagationDesk::kDrainsOfClientsMax + 1) << "there is room again";
}

}  // namespace
}  // namespace muster::cli
