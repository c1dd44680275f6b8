#include <gtest/gtest.h>

#include "sim/scenarios/story.h"
#include "sim/workloads/lease_client.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

TEST(Clients, AreTakenAwayAtOnceWhenKilledAndAfterTheIdleLimitWhenTheirMachineIsLost) {
    Story story(Roles::together);
    auto& killed = story.client(ClientKind::java);
    auto& lost = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    killed.publish(kOrders);
    const RegistId silent = lost.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    killed.kill(false);
    lost.kill(true);
    story.wait(milliseconds(50));
    EXPECT_EQ(story.seen_by(consumer), std::set{silent.raw()});
    story.wait(seconds(17));
    EXPECT_EQ(story.seen_by(consumer).size(), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Clients, WithdrawWhileDisconnected) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId withdrawn = provider.publish(kOrders);
    const RegistId kept = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.kill(Role::session);
    story.wait(milliseconds(10));
    provider.withdraw(withdrawn);
    story.restart(Role::session);
    story.wait(seconds(14));
    EXPECT_EQ(story.seen_by(consumer), std::set{kept.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Clients, KeepTheirPublicationsWhenAPausedSessionFindsTheirConnectionsClosed) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {  // the order in which it finds them differs
        Story story(Roles::apart, seed);
        auto& provider = story.client(ClientKind::java);
        auto& consumer = story.client(ClientKind::java);
        const RegistId id = provider.publish(kOrders);
        consumer.subscribe(kOrders, Scope::data_center);
        story.wait(seconds(1));
        story.world.registry.pause(Role::session, seconds(20));
        EXPECT_EQ(story.broken_at_rest(), "") << "seed " << seed;
        EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    }
}

TEST(Clients, ThatStandStillBeyondTheGraceAfterAPausedSessionAreGoneUntilTheyComeBack) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.world.registry.pause(Role::session, seconds(20));
    story.wait(milliseconds(15'305));
    provider.pause(seconds(25));  // it gave its connection up just now, and made no other yet
    story.wait(seconds(23));
    EXPECT_EQ(story.seen_by(consumer), std::set<std::string>{});
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
}

TEST(Clients, OutliveAPauseOfTheDataServerDuringTheReturnOfOthers) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    provider.pause(seconds(4));
    story.kill(Role::session);
    story.restart(Role::session);
    story.wait(seconds(1));
    story.world.registry.pause(Role::data, seconds(20));
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
}

TEST(Clients, OfEveryKindSeeEachOther) {
    Story story(Roles::together);
    auto& java = story.client(ClientKind::java);
    auto& native = story.client(ClientKind::native);
    auto& leased = story.client(ClientKind::lease);
    const std::set ids{java.publish(kOrders).raw(), native.publish(kOrders).raw(),
                       leased.publish(kOrders).raw()};
    java.subscribe(kOrders, Scope::data_center);
    native.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(3));
    EXPECT_EQ(story.seen_by(java), ids);
    EXPECT_EQ(story.seen_by(native), ids);
    story.kill_all();
    story.move_clocks(-std::chrono::hours(1));
    story.restart_all();
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(java), ids);
    EXPECT_EQ(story.seen_by(native), ids);
}

TEST(Clients, OfLeasesOutliveAPauseOfTheSessionAndEndWithTheirLease) {
    Story story(Roles::apart);
    auto& leased = story.client(ClientKind::lease);
    auto& consumer = story.client(ClientKind::native);
    const RegistId id = leased.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(3));
    story.world.registry.pause(Role::session, seconds(20));
    story.wait(seconds(25));
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    leased.kill(false);
    story.wait(LeaseClient::kLease - LeaseClient::kRenewal - seconds(1));
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    story.wait(seconds(4));
    EXPECT_EQ(story.seen_by(consumer).size(), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Clients, SeeOnlyTheirZoneWhenTheyAskForIt) {
    Story story(Roles::together);
    auto& here = story.client(ClientKind::java, "zone-a");
    auto& there = story.client(ClientKind::java, "zone-b");
    auto& consumer = story.client(ClientKind::java, "zone-a");
    const RegistId near = here.publish(kOrders);
    there.publish(kOrders);
    consumer.subscribe(kOrders, Scope::zone);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), std::set{near.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Clients, ThatDoNotDrainGetTheNewestStateOnceTheyDo) {
    Story story(Roles::together);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    const auto shown = story.world.truth.views_shown();
    story.world.registry.door("bolt")->congest(consumer.pipe(), seconds(2));
    for (int i = 0; i < 100; ++i) {
        provider.update(id);
        story.wait(milliseconds(10));
    }
    EXPECT_EQ(story.world.truth.views_shown(), shown);
    story.wait(seconds(2));
    EXPECT_EQ(story.world.truth.views_shown(), shown + 1);
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
