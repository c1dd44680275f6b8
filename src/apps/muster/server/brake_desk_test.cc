#include "apps/muster/server/brake_desk.h"

#include "apps/muster/server/desk_test_env.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;

// A cluster of one data server, asked at a session.
class BrakeDeskTest : public DeskTest {
protected:
    BrakeDeskTest() {
        timers.attach(desk);
    }
    void answer(const msg::RoleAddress& from, std::uint64_t request,
                std::vector<msg::BrakeLine> lines = {}) {
        desk.take(from, {.incarnation = kLife, .request = request, .lines = std::move(lines)});
    }

    const msg::RoleAddress d1{NodeId("d1"), Role::data};
    const msg::RoleAddress s1{NodeId("s1"), Role::session};
    const msg::RoleAddress m1{NodeId("m1"), Role::meta};
    BrakeDesk desk{kLife,
                   {NodeId("m1"), NodeId("m2")},
                   NodeId("s1"),
                   {.clock = clock, .timers = timers, .outbox = outbox, .members = [] {
                        return std::vector<Member>{
                            {.node = NodeId("d1"), .role = Role::data},
                            {.node = NodeId("d2"), .role = Role::data, .phase = MemberPhase::dead}};
                    }}};
};

TEST_F(BrakeDeskTest, AnswersWhenAllThatLiveHaveAnswered) {
    desk.ask(11, {}, answers);
    EXPECT_EQ(outbox.sent.size(), 4U) << "d1, s1 and two metas";
    answer(d1, 1, {{.scope = msg::BrakeScope::service, .name = "x", .node = NodeId("d1")}});
    answer(d1, 1, {{.scope = msg::BrakeScope::service, .name = "y", .node = NodeId("d1")}});
    answer(s1, 1);
    EXPECT_TRUE(answers.brake.empty());
    answer(m1, 1);
    ASSERT_EQ(answers.brake.size(), 1U);
    EXPECT_EQ(answers.brake[0].second.lines.size(), 1U) << "a second answer is not taken";
    EXPECT_TRUE(answers.brake[0].second.silent.empty());
}

TEST_F(BrakeDeskTest, PassesOnWhoAsks) {
    desk.ask(11, {.action = msg::BrakeRequest::Action::confirm, .asked_by = "ana@ops1"}, answers);
    const auto asked = outbox.of<msg::BrakeRequest>();
    ASSERT_EQ(asked.size(), 4U);
    EXPECT_EQ(asked.back().second.asked_by, "ana@ops1");
}

TEST_F(BrakeDeskTest, NamesWhoIsSilent) {
    desk.ask(11, {}, answers);
    answer(s1, 1);
    pass(2s);
    ASSERT_EQ(answers.brake.size(), 1U);
    EXPECT_EQ(answers.brake[0].second.silent, (std::vector<std::string>{"d1", "metas"}));
}

TEST_F(BrakeDeskTest, IsNotPutOffByOthersWhoKeepAsking) {
    for (std::uint64_t token = 1; token <= 30; ++token) {
        desk.ask(token, {}, answers);
        pass(100ms);
    }
    ASSERT_FALSE(answers.brake.empty());
    EXPECT_EQ(answers.brake[0].first, 1U);
}

}  // namespace
}  // namespace muster::cli
