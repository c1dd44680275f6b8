#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};
constexpr std::size_t kFew = 2;

RegistryOptions cluster(int sessions) {
    return {.metas = 3,
            .data = 2,
            .sessions = sessions,
            .slots = 8,
            .balance = {.limits = {.percent_over = 10, .count_over = kFew},
                        .grace = seconds(8),
                        .percent_per_second = 10}};
}

// A cluster with clients of both kinds, each of which publishes and subscribes.
class Balancing : public testing::TestWithParam<std::uint64_t> {
protected:
    void come(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            SimClient& client = story.client(i % 2 == 0 ? ClientKind::native : ClientKind::java);
            client.subscribe(kOrders, Scope::data_center);
            published.insert(client.publish(kOrders).raw());
            clients.push_back(&client);
        }
        story.wait(seconds(3));
    }
    void add_session() {
        story.world.registry.add(Role::session).start();
    }
    std::size_t clients_at(const std::string& name) {
        return story.node(name).session()->status().connections;
    }
    std::vector<std::size_t> counts() {
        std::vector<std::size_t> all;
        for (Node* node : story.world.registry.nodes(Role::session)) {
            all.push_back(node->process().alive() ? node->session()->status().connections : 0);
        }
        return all;
    }
    // Whether nobody has more than its share by more than the limits.
    bool balanced() {
        const auto all = counts();
        const std::size_t share = (clients.size() + all.size() - 1) / all.size();
        return std::ranges::max(all) <= share + std::max(share / 10, kFew);
    }
    // Time passes, in small steps; counts how often somebody is shown less than all.
    void wait_watching(Duration how_long) {
        for (Duration passed{}; passed < how_long; passed += milliseconds(20)) {
            story.wait(milliseconds(20));
            for (const SimClient* client : clients) {
                missing += story.seen_by(*client) == published ? 0 : 1;
            }
        }
    }
    Duration wait_until_balanced(Duration at_most) {
        Duration passed{};
        for (; passed < at_most && !balanced(); passed += milliseconds(500)) {
            wait_watching(milliseconds(500));
        }
        return passed;
    }

    Story story{cluster(2), GetParam()};
    std::vector<SimClient*> clients;
    std::set<std::string> published;
    int missing = 0;
};

TEST_P(Balancing, ANewSessionGetsItsShareAndNobodyNotices) {
    come(36);
    for (const SimClient* client : clients) {
        ASSERT_EQ(story.seen_by(*client), published);
    }
    add_session();
    wait_watching(seconds(8));
    EXPECT_LE(clients_at("session-3"), 2U) << "not before the grace";
    EXPECT_LT(wait_until_balanced(seconds(60)), seconds(60)) << testing::PrintToString(counts());
    wait_watching(seconds(30));
    EXPECT_TRUE(balanced()) << testing::PrintToString(counts());
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_P(Balancing, ItComesToRest) {
    come(36);
    add_session();
    wait_watching(seconds(10));
    (void)wait_until_balanced(seconds(60));
    wait_watching(seconds(20));
    std::map<const SimClient*, std::size_t> reached;
    for (const SimClient* client : clients) {
        reached[client] = client->reached().size();
    }
    wait_watching(seconds(60));
    for (const SimClient* client : clients) {
        EXPECT_EQ(client->reached().size(), reached[client]) << client->name() << " moved again";
    }
    EXPECT_EQ(missing, 0);
}

TEST_P(Balancing, NobodyIsMovedWhileASessionLeavesOrStandsStill) {
    come(36);
    add_session();
    wait_watching(seconds(5));
    const auto before = counts();
    // Just before the grace is over a member falls silent, then returns, again and again.
    for (int i = 0; i < 5; ++i) {
        story.node("data-1").pause(milliseconds(1500));
        wait_watching(seconds(4));
    }
    EXPECT_LE(clients_at("session-3"), before[2]) << "somebody is suspect";
    EXPECT_LT(wait_until_balanced(seconds(60)), seconds(60)) << testing::PrintToString(counts());
    EXPECT_EQ(missing, 0);
}

TEST_P(Balancing, ASessionThatDiesAmidItTakesNothingFromAnybody) {
    come(36);
    add_session();
    wait_watching(seconds(14));
    story.node("session-3").kill(Death::killed);
    wait_watching(seconds(3));
    story.node("session-3").start();
    wait_watching(seconds(10));
    EXPECT_LT(wait_until_balanced(seconds(90)), seconds(90)) << testing::PrintToString(counts());
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_P(Balancing, ClientsThatDieWhileTheyAreSentAwayGoInTime) {
    come(36);
    add_session();
    wait_watching(seconds(12));
    for (std::size_t i = 0; i < 6; ++i) {
        story.wait(milliseconds(700));
        clients[i]->kill(false);
    }
    EXPECT_LT(story.wait_until_equal(seconds(20)), seconds(20)) << story.differs();
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_P(Balancing, WhoseClientsAreSentAwayLetsGoOfWhatTheyPublished) {
    come(36);
    add_session();
    wait_watching(seconds(10));
    EXPECT_LT(wait_until_balanced(seconds(60)), seconds(60)) << testing::PrintToString(counts());
    wait_watching(seconds(20));
    std::size_t held = 0;
    for (Node* node : story.world.registry.nodes(Role::session)) {
        const auto status = node->session()->status();
        held += status.publications;
        EXPECT_EQ(status.suspects, 0U);
    }
    EXPECT_EQ(held, published.size());
    EXPECT_EQ(missing, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Balancing, testing::Range<std::uint64_t>(1, 6));

}  // namespace
}  // namespace muster::sim
