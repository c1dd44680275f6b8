#include "apps/muster/server/operator_desk.h"

#include "apps/muster/server/desk_test_env.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;
using msg::OperatorRequest;

class OperatorDeskTest : public DeskTest {
protected:
    OperatorDeskTest() {
        timers.attach(desk);
    }
    void answer(std::uint64_t request, Incarnation life = kLife) {
        desk.take({.incarnation = life,
                   .request = request,
                   .result = {},
                   .report = std::make_shared<const msg::ClusterReport>(
                       msg::ClusterReport{.leader = NodeId("m2"), .term = 3})});
    }
    // The numbers under which the metas were asked, in order.
    [[nodiscard]] std::vector<std::uint64_t> asked() const {
        std::vector<std::uint64_t> numbers;
        for (const auto& [to, request] : outbox.of<OperatorRequest>()) {
            numbers.push_back(request.request);
        }
        return numbers;
    }

    env::ManualTimers others{clock};
    LastKnown known;
    BrakeDesk brakes{
        kLife, {}, {}, {.clock = clock, .timers = others, .outbox = outbox, .members = [] {
                            return std::vector<Member>{};
                        }}};
    VerifyDesk verifications{{NodeId("s1"), Role::session},
                             kLife,
                             {.clock = clock, .timers = others, .outbox = outbox, .known = [] {
                                  return verify::Known{};
                              }}};
    PropagationDesk propagations{
        {NodeId("s1"), Role::session},
        kLife,
        {.timers = others, .asking = {.clock = clock, .outbox = outbox, .known = [] {
                                          return propagation::Known{};
                                      }}}};
    HistoryDesk histories{
        {NodeId("s1"), Role::session},
        kLife,
        {.timers = others, .asking = {.clock = clock, .outbox = outbox, .known = [] {
                                          return propagation::Known{};
                                      }}}};
    OperatorDesk desk{NodeId("s1"),
                      kLife,
                      {NodeId("m1"), NodeId("m2")},
                      {.clock = clock,
                       .timers = timers,
                       .outbox = outbox,
                       .brakes = brakes,
                       .verifications = verifications,
                       .propagations = propagations,
                       .histories = histories,
                       .last_known = [this] { return known; }}};
};

TEST_F(OperatorDeskTest, AsksEveryMetaAndPassesTheFirstAnswerOnOnce) {
    desk.ask_cluster(11, OperatorRequest::ReportCluster{}, answers);
    const auto sent = outbox.of<OperatorRequest>();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].first, (msg::RoleAddress{NodeId("m1"), Role::meta}));
    EXPECT_EQ(sent[1].first, (msg::RoleAddress{NodeId("m2"), Role::meta}));
    answer(sent[0].second.request);
    answer(sent[0].second.request);
    ASSERT_EQ(answers.cluster.size(), 1U);
    EXPECT_EQ(answers.cluster[0].first, 11U);
    EXPECT_EQ(answers.cluster[0].second.report->leader, NodeId("m2"));
    EXPECT_FALSE(answers.cluster[0].second.stale);
    pass(30s);
    EXPECT_EQ(outbox.sent.size(), 2U) << "what is answered is not asked again";
}

TEST_F(OperatorDeskTest, AsksAgainUntilItIsAnsweredUnderOneNumber) {
    desk.ask_cluster(11, OperatorRequest::StopPlacement{}, answers);
    pass(200ms);
    EXPECT_EQ(asked(), (std::vector<std::uint64_t>{1, 1, 1, 1, 1, 1}));
    answer(1);
    EXPECT_EQ(answers.cluster.size(), 1U);
}

TEST_F(OperatorDeskTest, IgnoresAnswersToAnEarlierLife) {
    desk.ask_cluster(11, OperatorRequest::ReportCluster{}, answers);
    answer(1, Incarnation(6));
    EXPECT_TRUE(answers.cluster.empty());
}

TEST_F(OperatorDeskTest, TellsWhatIsKnownHereWhenNoMetaAnswers) {
    known.report.table = {.epoch = Epoch(5), .slots = {{.leader = NodeId("d1")}}};
    known.age = 12s;
    desk.ask_cluster(11, OperatorRequest::ReportCluster{}, answers);
    pass(1900ms);
    EXPECT_TRUE(answers.cluster.empty()) << "they may answer yet";
    pass(700ms);
    ASSERT_EQ(answers.cluster.size(), 1U);
    const http::ClusterAnswer& last = answers.cluster[0].second;
    EXPECT_EQ(last.report->table.epoch, Epoch(5));
    ASSERT_TRUE(last.stale);
    EXPECT_EQ(last.stale->told_by, NodeId("s1"));
    EXPECT_EQ(last.stale->age, 12s);
    answer(1);
    EXPECT_EQ(answers.cluster.size(), 1U) << "a late answer is not told as well";
}

TEST_F(OperatorDeskTest, IsNotPutOffByOthersWhoKeepAsking) {
    known.report.table = {.epoch = Epoch(5), .slots = {{.leader = NodeId("d1")}}};
    for (std::uint64_t token = 1; token <= 30; ++token) {
        desk.ask_cluster(token, OperatorRequest::ReportCluster{}, answers);
        pass(100ms);
    }
    ASSERT_FALSE(answers.cluster.empty());
    EXPECT_EQ(answers.cluster[0].first, 1U);
}

TEST_F(OperatorDeskTest, ClaimsNothingWhereNothingIsKnown) {
    desk.ask_cluster(11, OperatorRequest::ReportCluster{}, answers);
    pass(20s);
    EXPECT_TRUE(answers.cluster.empty());
}

TEST_F(OperatorDeskTest, WhatIsWantedIsNotAnsweredFromMemory) {
    known.report.table = {.epoch = Epoch(5), .slots = {{.leader = NodeId("d1")}}};
    desk.ask_cluster(11, OperatorRequest::StopPlacement{}, answers);
    pass(20s);
    EXPECT_TRUE(answers.cluster.empty());
    const std::size_t sent = outbox.sent.size();
    pass(5s);
    EXPECT_EQ(outbox.sent.size(), sent) << "it is given up";
}

TEST_F(OperatorDeskTest, RefusesMoreThanItsBound) {
    for (std::uint64_t token = 1; token <= 70; ++token) {
        desk.ask_cluster(token, OperatorRequest::StopPlacement{}, answers);
    }
    EXPECT_TRUE(answers.cluster.empty()) << "never from within";
    pass(100ms);
    ASSERT_EQ(answers.cluster.size(), 6U);
    EXPECT_EQ(answers.cluster[0].first, 65U);
    EXPECT_EQ(answers.cluster[0].second.result.error().code, Errc::busy);
    EXPECT_EQ(outbox.sent.size(), 2U * 64U * 2U) << "each was asked again by now";
}

}  // namespace
}  // namespace muster::cli
