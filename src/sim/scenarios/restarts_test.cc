#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

TEST(Restarts, GiveEverybodyHisListAgainAfterAKillUnderLoadWithTheClockSetBackAnHour) {
    Story story(Roles::together);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    for (int i = 0; i < 50; ++i) {
        provider.update(id);
        story.wait(milliseconds(20));
    }
    EXPECT_EQ(story.seen_by(consumer).size(), 2U);
    provider.update(id);
    story.kill_all();
    story.move_clocks(-hours(1));
    story.wait(seconds(1));
    story.restart_all();
    story.wait(seconds(2));
    for (int i = 0; i < 50; ++i) {
        provider.update(id);
        story.wait(milliseconds(20));
    }
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(consumer).size(), 2U);
}

TEST(Restarts, RebuildALostDataServerFromTheSession) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    consumer.subscribe(kOrders, Scope::data_center);
    const RegistId kept = provider.publish(kOrders);
    const RegistId withdrawn = provider.publish(kOrders);
    story.wait(seconds(1));
    story.kill(Role::data);
    provider.withdraw(withdrawn);
    provider.update(kept);
    const RegistId fresh = provider.publish(kOrders);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer).size(), 2U) << "nothing is taken away meanwhile";
    story.restart(Role::data);
    story.wait(seconds(2));
    EXPECT_EQ(story.seen_by(consumer), (std::set{kept.raw(), fresh.raw()}));
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Restarts, KeepTheListsOfALostSessionWhoseClientsReturnWithinTheGrace) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    provider.pause(seconds(7));
    story.kill(Role::session);
    story.wait(milliseconds(500));
    story.restart(Role::session);
    for (int i = 0; i < 100; ++i) {
        story.wait(milliseconds(200));
        ASSERT_EQ(story.seen_by(consumer), std::set{id.raw()});
    }
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Restarts, TakeAwayWhoNeverReturnsToALostSession) {
    Story story(Roles::apart);
    auto& returns = story.client(ClientKind::java);
    auto& dies = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId kept = returns.publish(kOrders);
    dies.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.kill(Role::session, Death::power_off);
    dies.kill(true);
    story.wait(seconds(1));
    story.restart(Role::session);
    story.wait(seconds(10));
    EXPECT_EQ(story.seen_by(consumer).size(), 2U) << "it may still be on its way";
    story.wait(seconds(10));
    EXPECT_EQ(story.seen_by(consumer), std::set{kept.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Restarts, TakeAClientWhoseClockWasSetBackForWhatItSays) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    provider.clock().jump(-hours(1));
    story.kill(Role::session);
    story.wait(milliseconds(200));
    story.restart(Role::session);
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    provider.update(id);
    story.wait(seconds(1));
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Restarts, CountTheGraceFromTheThirdLifeWhenTheSecondDiesEarly) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    provider.pause(seconds(16));
    for (int life = 2; life <= 3; ++life) {
        story.kill(Role::session);
        story.wait(milliseconds(100));
        story.restart(Role::session);
        story.wait(seconds(7));
    }
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
}

TEST(Restarts, NeverRepeatVersionsAfterAClockThatRanAheadOfTheCeiling) {
    Story story(Roles::together);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(milliseconds(850));
    story.move_clocks(hours(2));
    for (int i = 0; i < 20; ++i) {
        provider.update(id);
        story.wait(milliseconds(3));
    }
    story.kill_all();
    story.move_clocks(-hours(2));
    story.restart_all();
    story.wait(seconds(5));
    provider.update(id);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Restarts, ForgetWhatAnEarlierLifeOfTheSessionWantedToHear) {
    Story story(Roles::apart);
    auto& consumer = story.client(ClientKind::java);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    EXPECT_EQ(story.world.registry.data()->status().services, 1U);
    consumer.kill(false);
    story.kill(Role::session);
    story.restart(Role::session);
    story.wait(seconds(20));
    EXPECT_EQ(story.world.registry.data()->status().services, 0U);
}

TEST(Restarts, DoNotBringBackWhatLeftWhileItsUpdateWaitedForALeader) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.world.network.next<msg::PublishBatch>(Network::Fate::lost);
    provider.update(id);
    story.wait(milliseconds(50));
    provider.withdraw(id);
    story.wait(milliseconds(100));
    EXPECT_EQ(story.seen_by(consumer).size(), 0U);
    story.kill(Role::data);
    story.restart(Role::data);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Restarts, KeepConfigurationValues) {
    Story story(Roles::together);
    auto& watcher = story.client(ClientKind::java);
    watcher.watch("switch");
    story.world.put_config("switch", "on");
    story.wait(seconds(2));
    story.kill(Role::meta, Death::power_off);
    story.restart(Role::meta);
    auto& late = story.client(ClientKind::java);
    late.watch("switch");
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
