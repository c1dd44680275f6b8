#include "apps/muster/server/verify_desk.h"

#include "apps/muster/server/desk_test_env.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;

// A cluster of one data server with one slot, asked at a meta.
class VerifyDeskTest : public DeskTest {
protected:
    VerifyDeskTest() {
        timers.attach(desk);
        known.members = {{.node = NodeId("d1"), .role = Role::data}};
        known.table = {.epoch = Epoch(1), .slots = {{.leader = NodeId("d1"), .epoch = Epoch(1)}}};
    }
    void answer(const msg::VerifyRequest& request) {
        desk.take({NodeId("d1"), Role::data}, {.incarnation = request.incarnation,
                                               .request = request.request,
                                               .copies = {{.slot = SlotId(0),
                                                           .slot_epoch = Epoch(1),
                                                           .held = {Epoch(1), 1},
                                                           .leads = true,
                                                           .whole = true,
                                                           .owners = {}}},
                                               .detail = {}});
    }

    verify::Known known;
    VerifyDesk desk{
        {NodeId("m1"), Role::meta},
        kLife,
        {.clock = clock, .timers = timers, .outbox = outbox, .known = [this] { return known; }}};
};

TEST_F(VerifyDeskTest, AnswersWhenAllHaveAnswered) {
    desk.ask(11, answers);
    answer(outbox.of<msg::VerifyRequest>().at(0).second);
    ASSERT_EQ(answers.verify.size(), 1U);
    EXPECT_EQ(answers.verify[0].first, 11U);
    EXPECT_EQ(answers.verify[0].second->verdict(), verify::Report::Verdict::equal);
    pass(30s);
    EXPECT_EQ(answers.verify.size(), 1U);
    EXPECT_EQ(outbox.sent.size(), 1U);
}

TEST_F(VerifyDeskTest, AsksAgainAndNamesWhoIsSilent) {
    desk.ask(11, answers);
    pass(10s);
    EXPECT_GT(outbox.sent.size(), 2U);
    ASSERT_EQ(answers.verify.size(), 1U);
    EXPECT_EQ(answers.verify[0].second->silent,
              std::vector{(msg::RoleAddress{NodeId("d1"), Role::data})});
}

TEST_F(VerifyDeskTest, KeepsSeveralApart) {
    desk.ask(11, answers);
    desk.ask(12, answers);
    answer(outbox.of<msg::VerifyRequest>().at(1).second);
    ASSERT_EQ(answers.verify.size(), 1U);
    EXPECT_EQ(answers.verify[0].first, 12U);
}

TEST_F(VerifyDeskTest, RefusesMoreThanItsBoundAndTakesOthersLater) {
    for (std::uint64_t token = 1; token <= VerifyDesk::kRunningMax + 1; ++token) {
        desk.ask(token, answers);
    }
    EXPECT_TRUE(answers.verify.empty()) << "never from within";
    pass(100ms);
    ASSERT_EQ(answers.verify.size(), 1U);
    EXPECT_EQ(answers.verify[0].first, VerifyDesk::kRunningMax + 1);
    EXPECT_EQ(answers.verify[0].second.error().code, Errc::busy);
    EXPECT_EQ(outbox.sent.size(), VerifyDesk::kRunningMax);
    answer(outbox.of<msg::VerifyRequest>().at(0).second);
    desk.ask(99, answers);
    answer(outbox.of<msg::VerifyRequest>().back().second);
    EXPECT_EQ(answers.verify.back().first, 99U);
    EXPECT_TRUE(answers.verify.back().second);
}

TEST_F(VerifyDeskTest, RefusesWhereNoTableIsKnown) {
    known = {};
    desk.ask(11, answers);
    pass(100ms);
    ASSERT_EQ(answers.verify.size(), 1U);
    EXPECT_EQ(answers.verify[0].second.error().code, Errc::not_ready);
}

}  // namespace
}  // namespace muster::cli
