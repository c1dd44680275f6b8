#include <algorithm>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

// Slots have one copy: who leads one next begins with nothing.
constexpr RegistryOptions kOneCopy{.metas = 1, .data = 2, .sessions = 2, .slots = 1};

// Clients go from one session to the other, and the leader dies before both sessions know as much.
class Moves : public ::testing::Test {
protected:
    Moves() {
        id = provider.publish(kOrders);
        for (int i = 0; i < 4; ++i) {  // some at each session
            story.client(ClientKind::native).subscribe(kOrders, Scope::data_center);
        }
        consumer.subscribe(kOrders, Scope::data_center);
        story.wait(seconds(15));
    }
    std::string session_of(const SimClient& client) {
        return story.world.pipes.session_of(client.pipe()).server;
    }
    std::string other_than(const std::string& session) {
        return session == "session-1" ? "session-2" : "session-1";
    }
    void kill_leader() {
        const auto nodes = story.world.registry.nodes(Role::data);
        const auto leader = std::ranges::find_if(
            nodes, [](Node* node) { return node->data()->status().slots_led > 0; });
        (*leader)->kill(Death::killed);
    }

    Story story{kOneCopy};
    SimClient& provider = story.client(ClientKind::native);
    SimClient& consumer = story.client(ClientKind::native);
    RegistId id;
};

TEST_F(Moves, ShowNothingOlderToWhoKnowsMoreThanItsNewSession) {
    const std::string home = session_of(provider);
    const std::string away = other_than(home);
    for (int i = 0; i < 50 && session_of(consumer) != home; ++i) {
        story.world.pipes.reset(consumer.pipe(), {});
        story.wait(milliseconds(200));
    }
    using enum Network::Fate;
    for (int i = 0; i < 50 && session_of(consumer) != away; ++i) {
        const bool home_is_first = home < away;  // what it is told is only late
        story.world.network.next<msg::ChangeBatch>(home_is_first ? held : lost);
        story.world.network.next<msg::ChangeBatch>(home_is_first ? lost : held);
        provider.update(id);
        story.wait(milliseconds(10));
        story.world.network.release();
        story.wait(milliseconds(10));
        story.world.pipes.reset(consumer.pipe(), {});
        story.wait(milliseconds(80));
    }
    ASSERT_EQ(session_of(consumer), away);
    provider.pause(seconds(5));
    story.node(home).kill(Death::killed);
    kill_leader();
    story.wait(seconds(5));
    EXPECT_EQ(story.broken(), "");
    story.node(home).start();
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Moves, BringNothingBackThatASessionHoldsWhichItsClientLeft) {
    const std::string first = session_of(provider);
    for (int i = 0; i < 50 && session_of(provider) != other_than(first); ++i) {
        story.world.pipes.reset(provider.pipe(), {.server_told = false});
        story.wait(milliseconds(100));
    }
    ASSERT_EQ(session_of(provider), other_than(first));
    provider.update(id);
    story.wait(milliseconds(50));
    story.world.pipes.reset(provider.pipe(), {});
    provider.pause(seconds(10));
    story.wait(milliseconds(50));
    EXPECT_TRUE(story.seen_by(consumer).empty());
    kill_leader();
    story.wait(seconds(5));
    EXPECT_TRUE(story.seen_by(consumer).empty());
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
    EXPECT_EQ(story.seen_by(consumer), std::set{id.raw()});
}

}  // namespace
}  // namespace muster::sim
