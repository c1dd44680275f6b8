#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

// All metas are gone. What the nodes kept of the cluster has to do.
class WithoutMetas : public testing::TestWithParam<std::uint64_t> {
protected:
    void lose_metas() {
        for (Node* meta : story.world.registry.nodes(Role::meta)) {
            meta->kill(Death::killed);
        }
    }
    Story story{{.metas = 3, .data = 2, .sessions = 2, .slots = 8}, GetParam()};
};

TEST_P(WithoutMetas, ARestartedSessionComesUpWithTheTableItKept) {
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::native);
    consumer.subscribe(kOrders, Scope::data_center);
    const RegistId first = provider.publish(kOrders);
    story.wait(seconds(3));
    ASSERT_EQ(story.seen_by(consumer), std::set{first.raw()});
    lose_metas();
    story.wait(seconds(5));
    for (const std::string name : {"session-1", "session-2"}) {
        story.node(name).kill(Death::killed);
    }
    story.wait(milliseconds(300));
    for (const std::string name : {"session-1", "session-2"}) {
        story.node(name).start();
    }
    const RegistId second = provider.publish(kOrders);
    story.wait(seconds(12));  // a client may take ten of them to come back
    EXPECT_FALSE(story.node("session-1").session()->view().greeted());
    EXPECT_TRUE(story.node("session-1").session()->view().from_kept());
    EXPECT_EQ(story.seen_by(consumer), (std::set{first.raw(), second.raw()}));
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_P(WithoutMetas, ASessionThatWasKilledRightAfterItsFirstStartWaitsForThem) {
    story.wait(seconds(1));
    story.node("session-1").kill(Death::killed);
    story.node("session-1").folder(Role::session).erase("cluster.mview");
    lose_metas();
    story.node("session-1").start();
    story.wait(seconds(5));
    EXPECT_FALSE(story.node("session-1").session()->status().ready);
    for (Node* meta : story.world.registry.nodes(Role::meta)) {
        meta->start();
    }
    story.wait(seconds(5));
    EXPECT_TRUE(story.node("session-1").session()->status().ready);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_P(WithoutMetas, ARestartedDataServerFetchesWhatItLed) {
    auto& provider = story.client(ClientKind::java);
    auto& consumer = story.client(ClientKind::native);
    consumer.subscribe(kOrders, Scope::data_center);
    const RegistId first = provider.publish(kOrders);
    story.wait(seconds(4));
    ASSERT_EQ(story.seen_by(consumer), std::set{first.raw()});
    lose_metas();
    story.wait(seconds(2));
    for (const std::string name : {"data-1", "data-2"}) {
        story.node(name).kill(Death::killed);
        story.wait(milliseconds(300));
        story.node(name).start();
        story.wait(seconds(8));
        const data::DataServer& server = *story.node(name).data();
        EXPECT_FALSE(server.view().greeted());
        EXPECT_TRUE(server.view().from_kept());
        EXPECT_EQ(server.status().slots_lost, 0U);
        EXPECT_GT(server.status().slots_led, 0U);
        EXPECT_EQ(server.status().slots_settled, 0U) << "too early to know";
    }
    const RegistId second = provider.publish(kOrders);
    story.wait(seconds(12));
    EXPECT_EQ(story.seen_by(consumer), (std::set{first.raw(), second.raw()}));
    for (Node* meta : story.world.registry.nodes(Role::meta)) {
        meta->start();
    }
    story.wait(seconds(5));
    EXPECT_EQ(story.broken_at_rest(), "");
}

// A data server that no meta reaches, but others do.
TEST(WithoutMetasOfItsOwn, ADataServerHearsOfANewerTableFromItsPeers) {
    Story story({.metas = 3, .data = 3, .sessions = 2, .slots = 8, .copies = 3});
    story.wait(seconds(4));
    std::vector<std::string> metas;
    for (Node* meta : story.world.registry.nodes(Role::meta)) {
        metas.push_back(meta->process().name());
    }
    story.world.cuts.cut(Cuts::between(metas, {"data-1", "session-1"}));
    const auto table_of = [&](const std::string& name) {
        return story.node(name).data()->status().table_epoch;
    };
    const Epoch before = table_of("data-1");
    story.wait(seconds(8));
    EXPECT_GT(table_of("data-2"), before) << "the metas took its slots from it";
    EXPECT_EQ(table_of("data-1"), table_of("data-2"));
    EXPECT_EQ(story.broken(), "");
    story.world.cuts.open_all();
    EXPECT_EQ(story.broken_at_rest(), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, WithoutMetas, testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace muster::sim
