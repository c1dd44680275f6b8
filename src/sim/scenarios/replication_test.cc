#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

constexpr RegistryOptions kCopies{
    .metas = 1, .data = 3, .sessions = 2, .slots = 4, .copies = 3, .zones = 1};

class ReplicatedSlots : public ::testing::Test {
protected:
    ReplicatedSlots() {
        id = provider.publish(kOrders);
        consumer.subscribe(kOrders, Scope::data_center);
        story.wait(seconds(20));  // copies are made and sessions have settled
    }
    std::size_t synced() {
        std::size_t count = 0;
        for (Node* node : story.world.registry.nodes(Role::data)) {
            count += node->data() != nullptr ? node->data()->status().slots_synced : 0;
        }
        return count;
    }
    Version shown() {
        return story.world.truth.listeners().begin()->second->version;
    }

    Story story{kCopies};
    SimClient& provider = story.client(ClientKind::java);
    SimClient& consumer = story.client(ClientKind::java);
    RegistId id;
};

TEST_F(ReplicatedSlots, AreFollowedByAllTheNodesThatAreToHoldThem) {
    EXPECT_EQ(synced(), 8U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(ReplicatedSlots, PushNothingAgainWhenALeaderIsReplacedAndNothingDiffers) {
    const Version before = shown();
    for (const char* name : {"data-1", "data-2"}) {
        story.node(name).kill(Death::killed);
        story.wait(seconds(5));
        story.node(name).start();
        story.wait(seconds(15));
    }
    EXPECT_EQ(shown(), before);
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(ReplicatedSlots, GoOnWithinAMomentWhenTheirLeaderIsKilled) {
    for (const char* name : {"data-1", "data-2", "data-3"}) {
        story.node(name).kill(Death::killed);
        const RegistId next = provider.publish(kOrders);
        story.wait(milliseconds(1500));
        EXPECT_TRUE(story.seen_by(consumer).contains(next.raw())) << name;
        story.node(name).start();
        story.wait(seconds(15));
    }
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(ReplicatedSlots, LoseNothingThatOnlyTheirDeadLeaderHad) {
    for (const char* name : {"data-1", "data-2", "data-3"}) {
        for (int i = 0; i < 2; ++i) {
            story.world.network.next<msg::SlotEntries>(Network::Fate::lost);
        }
        const RegistId tail = provider.publish(kOrders);
        story.wait(milliseconds(20));
        story.node(name).kill(Death::killed);
        story.wait(seconds(3));
        EXPECT_TRUE(story.seen_by(consumer).contains(tail.raw())) << name;
        EXPECT_EQ(story.broken(), "") << name;
        story.node(name).start();
        story.wait(seconds(15));
    }
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
