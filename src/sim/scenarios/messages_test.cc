#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using Fate = Network::Fate;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

TEST(Messages, HealTheLossOfTheLastChangeOfAStream) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.world.network.next<msg::ChangeBatch>(Fate::lost);
    const RegistId id = provider.publish(kOrders);
    story.wait(milliseconds(100));
    EXPECT_EQ(story.seen_by(consumer).size(), 0U);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, OfAChangeThatLeadsElsewhereIsFollowedByTheWholeList) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& native = story.client(ClientKind::native);
    auto& java = story.client(ClientKind::java);
    native.subscribe(kOrders, Scope::data_center);
    java.subscribe(kOrders, Scope::data_center);
    const RegistId stays = provider.publish(kOrders);
    story.wait(seconds(1));
    story.world.folds.allow();
    story.world.network.alter_next<msg::ChangeBatch>([](msg::ChangeBatch& batch) {
        std::get<DatumChange>(batch.changes.at(0)).upserts.clear();
    });
    const RegistId missed = provider.publish(kOrders);
    story.wait(milliseconds(100));
    EXPECT_EQ(story.world.registry.session()->status().copies_differed, 1U);
    for (const SimClient* consumer : {&native, &java}) {
        EXPECT_EQ(story.seen_by(*consumer), (std::set{stays.raw(), missed.raw()}));
    }
    provider.withdraw(stays);
    story.wait(milliseconds(100));
    EXPECT_EQ(story.seen_by(native), std::set{missed.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

// The one copy of it is lost before the gap closes, and who else knows that it left stands still.
TEST(Messages, RememberWhatLeftBehindAGapThatNeverCloses) {
    Story story(RegistryOptions{.data = 1, .sessions = 2});
    std::vector<SimClient*> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(&story.client(ClientKind::java));
    }
    story.wait(seconds(1));
    const std::vector<SimClient*> here = story.clients_of("session-1");
    const std::vector<SimClient*> there = story.clients_of("session-2");
    ASSERT_GE(here.size(), 2U);
    ASSERT_GE(there.size(), 1U);
    SimClient& consumer = *there.front();
    consumer.subscribe(kOrders, Scope::data_center);
    const RegistId leaves = here[0]->publish(kOrders);
    const RegistId stays = here[1]->publish(kOrders);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), (std::set{leaves.raw(), stays.raw()}));

    story.world.network.next<msg::ChangeBatch>(Fate::lost);
    here[1]->update(stays);
    story.wait(milliseconds(20));
    here[0]->withdraw(leaves);
    story.wait(milliseconds(20));
    EXPECT_EQ(story.seen_by(consumer), (std::set{leaves.raw(), stays.raw()}));
    story.node("session-1").pause(seconds(3));
    story.kill(Role::data);
    story.restart(Role::data);
    story.wait(milliseconds(1500));
    EXPECT_EQ(story.seen_by(consumer), std::set{stays.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, TakeAnOldDeclareAgainWithoutHarm) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    story.world.network.next<msg::InterestDeclare>(Fate::doubled);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    // A lost change makes the session begin its stream anew, above the old declaration.
    story.world.network.next<msg::ChangeBatch>(Fate::lost);
    const RegistId id = provider.publish(kOrders);
    story.wait(seconds(2));
    story.world.network.release();
    story.wait(milliseconds(100));
    provider.update(id);
    story.wait(milliseconds(100));
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, KeepAnUnregistrationThatOvertookItsRegistration) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.world.network.next<msg::PublishBatch>(Fate::held);
    const RegistId id = provider.publish(kOrders);
    story.wait(milliseconds(200));  // it is sent again, and taken
    EXPECT_TRUE(story.seen_by(consumer).contains(id.raw()));
    provider.withdraw(id);
    story.wait(milliseconds(50));
    EXPECT_TRUE(story.seen_by(consumer).empty());
    story.world.network.release();
    story.wait(milliseconds(50));
    EXPECT_TRUE(story.seen_by(consumer).empty());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, KeepAClosingThatOvertookTheRegistrationItEnds) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    story.world.network.next<msg::PublishBatch>(Fate::held);
    const RegistId id = provider.publish(kOrders);
    story.wait(milliseconds(200));  // it is sent again, and taken
    EXPECT_TRUE(story.seen_by(consumer).contains(id.raw()));
    provider.kill(false);
    story.wait(milliseconds(50));
    EXPECT_TRUE(story.seen_by(consumer).empty());
    story.world.network.release();
    story.wait(milliseconds(50));
    EXPECT_TRUE(story.seen_by(consumer).empty());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, IgnoreChangesMeantForAnEarlierLifeOfTheSession) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    const RegistId id = provider.publish(kOrders);
    story.wait(seconds(1));
    story.world.network.next<msg::ChangeBatch>(Fate::held);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(milliseconds(50));
    story.kill(Role::session);
    story.restart(Role::session);
    story.wait(milliseconds(5));
    story.world.network.release();  // of the same stream and number as the first to come
    story.wait(seconds(11));
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, IgnoreAcknowledgementsMeantForAnEarlierLifeOfTheSession) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    story.world.network.next<msg::PublishBatchReply>(Fate::held);
    provider.publish(kOrders);
    story.wait(milliseconds(100));
    story.kill(Role::session);
    story.restart(Role::session);
    for (int i = 0; i < 3; ++i) {
        story.world.network.next<msg::PublishBatch>(Fate::lost);
    }
    auto* session = story.world.registry.session();
    while (session->status().unacknowledged_writes == 0) {
        story.wait(milliseconds(10));
    }
    story.world.network.release();
    story.wait(milliseconds(20));
    EXPECT_EQ(session->status().unacknowledged_writes, 1U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, ShowAnEmptyListOnlyWhenTheServiceIsKnownToBeEmpty) {
    Story story(Roles::apart);
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::java);
    consumer.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(1));
    ASSERT_TRUE(story.world.truth.listeners().begin()->second.has_value());
    EXPECT_TRUE(story.world.truth.listeners().begin()->second->complete);
    provider.publish(kOrders);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(Messages, OfAChangeThatWasGivenUpDoNotOverwriteANewerOne) {
    for (const bool turn_is_late : {false, true}) {
        Story story(Roles::apart);
        auto& watcher = story.client(ClientKind::native);
        watcher.watch("switch");
        story.wait(seconds(1));
        if (turn_is_late) {
            story.world.network.next<msg::PutTurnRequest>(Network::Fate::held);
        } else {
            story.world.network.next<msg::ConfigPut>(Network::Fate::held);
        }
        story.world.put_config("switch", "first");
        story.wait(seconds(1));
        story.world.put_config("switch", "second");
        story.wait(seconds(6));
        story.world.network.release();
        EXPECT_EQ(story.broken_at_rest(), "");
    }
}

}  // namespace
}  // namespace muster::sim
