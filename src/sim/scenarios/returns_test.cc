#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};
const std::string kRoster = "return.mroster";

// Clients of a server that is killed, and how soon a change is shown afterwards.
class Returns : public ::testing::Test {
protected:
    Returns() {
        consumer.subscribe(kOrders, Scope::data_center);
        for (SimClient* provider : {&one, &two}) {
            expected.insert(provider->publish(kOrders).raw());
            expected.insert(provider->publish(kOrders).raw());
        }
        story.wait(seconds(1));
        EXPECT_EQ(story.seen_by(consumer), expected);
    }

    void kill_and_restart(Death how = Death::killed) {
        story.kill(Role::session, how);
        story.wait(milliseconds(100));
        story.restart(Role::session);
    }
    // Who publishes now is shown within a second from now: lists are complete.
    bool shows_a_newcomer() {
        const std::string id = fresh.publish(kOrders).raw();
        story.wait(seconds(1));
        EXPECT_EQ(story.broken(), "");
        return story.seen_by(consumer).contains(id);
    }
    // All are back but those who are paused, and wait for nothing more.
    void wait_for_return() {
        const auto& session = story.world.registry.process(Role::session);
        for (int i = 0; i < 120; ++i) {
            story.wait(milliseconds(100));
            bool all = true;
            for (const auto& client : story.world.clients()) {
                all = all && (client->process().paused() || !client->alive() ||
                              client->settled_in().life == session.life());
            }
            if (all) {
                return;
            }
        }
        FAIL() << "not back";
    }
    // Changes wait for the grace; then they are shown.
    void expect_the_grace() {
        wait_for_return();
        EXPECT_FALSE(shows_a_newcomer());
        story.wait(seconds(14));
        EXPECT_TRUE(shows_a_newcomer());
        EXPECT_EQ(story.broken_at_rest(), "");
    }

    Story story{Roles::together};
    SimClient& one = story.client(ClientKind::native);
    SimClient& two = story.client(ClientKind::native);
    SimClient& consumer = story.client(ClientKind::java);
    SimClient& fresh = story.client(ClientKind::native);
    std::set<std::string> expected;
};

TEST_F(Returns, ShowChangesWithinASecondWhenAllAreBack) {
    kill_and_restart();
    wait_for_return();
    EXPECT_TRUE(story.world.registry.session()->status().settled);
    EXPECT_LT(story.world.registry.process(Role::session).ran(), seconds(2));
    EXPECT_TRUE(shows_a_newcomer());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Returns, EndAtOnceWhenNobodyWasThere) {
    one.kill(false);
    two.kill(false);
    story.wait(seconds(1));
    kill_and_restart();
    story.wait(milliseconds(500));
    EXPECT_TRUE(story.world.registry.session()->status().settled);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Returns, WaitForTheGraceWhenOneNeverReturns) {
    story.kill(Role::session);
    two.kill(true);
    story.restart(Role::session);
    expect_the_grace();
}

TEST_F(Returns, WaitForASlowClientAndNoLonger) {
    two.pause(seconds(6));
    kill_and_restart();
    wait_for_return();
    EXPECT_FALSE(shows_a_newcomer());
    story.wait(seconds(6));
    wait_for_return();
    EXPECT_LT(story.world.registry.process(Role::session).ran(), seconds(13));
    EXPECT_TRUE(shows_a_newcomer());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Returns, CountWhoWithdrawsInsteadOfReturning) {
    auto& java = story.client(ClientKind::java);
    const RegistId id = java.publish(kOrders);
    story.wait(seconds(1));
    java.pause(seconds(2));
    story.kill(Role::session);
    java.withdraw(id);
    story.restart(Role::session);
    story.wait(seconds(2));
    wait_for_return();
    EXPECT_TRUE(shows_a_newcomer());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Returns, WaitForTheGraceAfterAKillBeforeTheSeal) {
    one.publish(kOrders);
    story.wait(milliseconds(30));
    kill_and_restart();
    expect_the_grace();
}

// Whatever the moment of the kill, and however slow the disk: who was shown is waited for.
TEST(ReturnsToASlowDisk, AreAwaitedOfEverybodyWhoWasShown) {
    std::size_t shown = 0;
    for (int ms = 10; ms <= 610; ms += 50) {
        Story story(Roles::together, static_cast<std::uint64_t>(ms), milliseconds(400));
        auto& quick = story.client(ClientKind::native);
        auto& slow = story.client(ClientKind::native);
        auto& consumer = story.client(ClientKind::java);
        consumer.subscribe(kOrders, Scope::data_center);
        quick.publish(kOrders);
        story.wait(seconds(3));
        slow.publish(kOrders);
        story.wait(milliseconds(ms));
        shown += story.seen_by(consumer).size() - 1;
        slow.pause(seconds(6));
        story.kill(Role::session);
        story.restart(Role::session);
        story.wait(seconds(2));
        quick.publish(kOrders);
        story.wait(seconds(5));
        EXPECT_EQ(story.broken_at_rest(), "") << "killed after " << ms << " ms";
    }
    EXPECT_GT(shown, 4U);
    EXPECT_LT(shown, 13U);
}

TEST_F(Returns, WaitForThoseStillAwaitedAfterASecondKill) {
    two.pause(seconds(9));
    kill_and_restart();
    wait_for_return();
    kill_and_restart();
    wait_for_return();
    EXPECT_FALSE(shows_a_newcomer());
    story.wait(seconds(9));
    wait_for_return();
    EXPECT_LT(story.world.registry.process(Role::session).ran(), seconds(13));
    EXPECT_TRUE(shows_a_newcomer());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Returns, WaitForTheGraceWhenTheRosterIsTorn) {
    story.kill(Role::session);
    auto& folder = story.world.registry.session_folder();
    folder.cut(kRoster, folder.files().at(kRoster).size() - 3);
    story.restart(Role::session);
    expect_the_grace();
}

TEST_F(Returns, WaitForTheGraceWhenAByteOfTheRosterIsWrong) {
    story.kill(Role::session);
    auto& folder = story.world.registry.session_folder();
    folder.flip_bit(kRoster, folder.files().at(kRoster).size() / 2, 3);
    story.restart(Role::session);
    expect_the_grace();
}

TEST_F(Returns, WaitForTheGraceWhenTheMachineWasStartedAnew) {
    kill_and_restart(Death::power_off);
    expect_the_grace();
}

TEST_F(Returns, WaitForTheGraceWhenTheDiskFailed) {
    story.world.registry.session_folder().fail_next(1, {Errc::io_error, "no space left"});
    one.publish(kOrders);
    story.wait(milliseconds(500));
    kill_and_restart();
    expect_the_grace();
}

}  // namespace
}  // namespace muster::sim
