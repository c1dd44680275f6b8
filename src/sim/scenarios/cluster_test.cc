#include <algorithm>

#include <gtest/gtest.h>

#include "sim/scenarios/churn.h"
#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

constexpr RegistryOptions kWhole{
    .metas = 3, .data = 4, .sessions = 3, .slots = 16, .copies = 3, .zones = 2};

// A whole cluster with a dozen clients of every kind that never rest.
class Cluster : public ::testing::Test {
protected:
    Cluster() {
        for (int i = 0; i < 12; ++i) {
            SimClient& client = story.client(i % 4 == 3   ? ClientKind::lease
                                             : i % 2 == 0 ? ClientKind::java
                                                          : ClientKind::native,
                                             i % 3 == 0 ? "zone-a" : "zone-b");
            client.publish(churn.some_service());
            client.publish(kOrders);
            client.subscribe(kOrders, Scope::data_center);
            client.subscribe(churn.some_service(), Scope::global);
        }
        story.wait(seconds(5));
        churn.begin(story.world.scheduler, milliseconds(100));
    }

    [[nodiscard]] Node* leading_meta() {
        for (Node* node : story.world.registry.nodes(Role::meta)) {
            if (node->meta() != nullptr && node->meta()->ready()) {
                return node;
            }
        }
        return nullptr;
    }
    // Nothing was falsely gone, and all is as it should be soon after.
    void expect_whole(Duration within = seconds(5)) {
        churn.stop();
        story.wait_until_equal(within);
        EXPECT_EQ(story.differs(), "");
        EXPECT_EQ(story.broken(), "");
        EXPECT_EQ(story.broken_at_rest(), "");
    }

    Story story{kWhole};
    Churn churn{story.world.clients(), 5, Prng(7)};
};

TEST_F(Cluster, LosesNothingWhenADataServerIsKilled) {
    story.node("data-1").kill(Death::killed);
    story.wait(seconds(20));
    expect_whole();
}

TEST_F(Cluster, LosesNothingWhenTheMachineOfADataServerIsLost) {
    story.node("data-2").kill(Death::power_off);
    story.wait(seconds(20));
    expect_whole();
}

TEST_F(Cluster, MovesTheClientsOfAKilledSession) {
    ASSERT_FALSE(story.clients_of("session-2").empty());
    story.node("session-2").kill(Death::killed);
    story.wait(seconds(12));
    EXPECT_TRUE(story.clients_of("session-2").empty());
    story.wait(seconds(20));
    EXPECT_EQ(story.broken(), "");
    churn.stop();
    story.wait_until_equal(seconds(5));
    EXPECT_EQ(story.differs(), "") << "without the session coming back";
    expect_whole();
}

TEST_F(Cluster, ForgetsWhoDiedTogetherWithItsSession) {
    churn.stop();
    story.wait(seconds(1));
    auto doomed = story.clients_of("session-1");
    std::erase_if(doomed, [](const SimClient* client) { return client->falls_silent(); });
    ASSERT_FALSE(doomed.empty());
    story.node("session-1").kill(Death::killed);
    doomed.front()->kill(false);
    EXPECT_LE(story.wait_until_equal(seconds(20)), seconds(15));
    EXPECT_EQ(story.differs(), "");
    expect_whole();
}

TEST_F(Cluster, DealsOutItsSlotsAnewWhenADataServerIsAdded) {
    Node& added = story.world.registry.add(Role::data);
    added.start();
    story.wait(seconds(30));
    EXPECT_EQ(story.broken(), "");
    EXPECT_GE(added.data()->status().slots_led, 3U);
    expect_whole();
}

TEST_F(Cluster, MovesSlotsAgainSoonAfterTheLeadingMetaIsKilled) {
    Node* leader = leading_meta();
    ASSERT_NE(leader, nullptr);
    leader->kill(Death::killed);
    story.wait(seconds(2));
    ASSERT_NE(leading_meta(), nullptr);
    story.node("data-3").kill(Death::killed);
    story.wait(seconds(10));
    EXPECT_EQ(leading_meta()->meta()->status().slots_without_leader, 0U);
    expect_whole();
}

// Two that saw a process end are believed at once. Here those who are not data servers are the only
// ones who can tell.
TEST_F(Cluster, LearnsFromSessionsThatADataServerEnded) {
    const auto dead = [&] {
        const auto members = leading_meta()->meta()->status().members;
        const auto found =
            std::ranges::find(members, NodeId("data-1"),
                              [](const meta::MemberStatus& one) { return one.member.node; });
        return found != members.end() && found->member.phase == MemberPhase::dead;
    };
    for (const char* other : {"data-2", "data-3", "data-4"}) {
        story.node(other).pause(seconds(2));
    }
    story.node("data-1").kill(Death::killed);
    Duration took{};
    for (; !dead() && took < seconds(3); took += milliseconds(10)) {
        story.wait(milliseconds(10));
    }
    EXPECT_LT(took, meta::MetaOptions{}.sign_wait);
    story.node("data-1").start();
    story.wait(seconds(10));
    expect_whole();
}

TEST_F(Cluster, UnitesTwoHalvesThatLivedApartForAMinute) {
    std::vector<std::string> one{"meta-1", "meta-2", "data-1", "data-2", "session-1"};
    std::vector<std::string> other{"meta-3", "data-3", "data-4", "session-2", "session-3"};
    for (const auto& client : story.world.clients()) {
        const bool here = story.world.pipes.session_of(client->pipe()).server == "session-1";
        (here ? one : other).push_back(client->name());
    }
    story.world.cuts.cut(Cuts::between(one, other));
    story.wait(minutes(1));
    EXPECT_EQ(story.broken(), "");
    story.world.cuts.open_all();
    churn.stop();
    EXPECT_LE(story.wait_until_equal(seconds(10)), seconds(5));
    expect_whole();
}

// A process of every role, each longer than it takes to be called dead. Clients of leases are among
// those of the fixture: what they renew or withdraw meanwhile goes to another session.
TEST_F(Cluster, TakesNobodyForDeadBecauseItStoodStill) {
    for (const char* name : {"data-1", "session-1", "meta-1", "meta-2", "meta-3", "data-4"}) {
        story.node(name).pause(seconds(20));
        story.wait(seconds(40));
        EXPECT_EQ(story.broken(), "") << name;
    }
    expect_whole();
}

TEST_F(Cluster, IsRestartedOneByOneWithoutAnybodyNoticing) {
    for (Node* node : story.world.registry.nodes()) {
        node->kill(Death::killed);
        story.wait(milliseconds(500));
        node->start();
        story.wait(seconds(16));
        EXPECT_EQ(story.broken(), "") << node->process().name();
    }
    expect_whole();
}

TEST_F(Cluster, ComesBackWholeAfterThePowerOfEverythingFailed) {
    story.kill_all(Death::power_off);
    story.wait(seconds(3));
    story.restart_all();
    story.wait(seconds(20));
    expect_whole();
}

TEST_F(Cluster, DoesNotMindAClockSetBackByAnHour) {
    for (const char* name : {"data-2", "session-3", "meta-2"}) {
        story.node(name).process().clock().jump(-std::chrono::hours(1));
        story.wait(seconds(5));
        story.node(name).kill(Death::killed);
        story.wait(seconds(1));
        story.node(name).start();
        story.wait(seconds(16));
        EXPECT_EQ(story.broken(), "") << name;
    }
    expect_whole();
}

}  // namespace
}  // namespace muster::sim
