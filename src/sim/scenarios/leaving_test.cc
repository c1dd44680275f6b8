#include <algorithm>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

// Sessions of a cluster whose first one leaves, with providers and consumers of both kinds.
class Leaving : public testing::TestWithParam<std::uint64_t> {
protected:
    Leaving() {
        for (int i = 0; i < 6; ++i) {
            const ClientKind kind = i % 2 == 0 ? ClientKind::native : ClientKind::java;
            providers.push_back(&story.client(kind));
            consumers.push_back(&story.client(kind));
        }
        for (SimClient* consumer : consumers) {
            consumer->subscribe(kOrders, Scope::data_center);
        }
        for (SimClient* provider : providers) {
            published.insert(provider->publish(kOrders).raw());
        }
        story.wait(seconds(3));
    }
    session::SessionServer& session(const std::string& name) {
        return *story.node(name).session();
    }
    std::size_t connections(const std::string& name) {
        return session(name).status().connections;
    }
    // Time passes, in small steps; counts how often somebody is shown less than all.
    void wait_watching(Duration how_long) {
        for (Duration passed{}; passed < how_long; passed += milliseconds(10)) {
            story.wait(milliseconds(10));
            for (const SimClient* consumer : consumers) {
                missing += story.seen_by(*consumer) == published ? 0 : 1;
            }
        }
    }

    Story story{{.metas = 3, .data = 2, .sessions = 3, .slots = 8}, GetParam()};
    std::vector<SimClient*> providers;
    std::vector<SimClient*> consumers;
    std::set<std::string> published;
    int missing = 0;
};

TEST_P(Leaving, NobodyNoticesThatASessionLeaves) {
    for (SimClient* consumer : consumers) {
        ASSERT_EQ(story.seen_by(*consumer), published);
    }
    const std::string address = session("session-1").server_list().front();
    bool gone = false;
    session("session-1").leave([&gone] { gone = true; });
    wait_watching(seconds(8));
    EXPECT_TRUE(gone);
    EXPECT_EQ(connections("session-1"), 0U);
    EXPECT_EQ(session("session-1").status().unacknowledged_writes, 0U);
    for (const std::string name : {"session-1", "session-2"}) {
        const auto named = session(name).server_list();
        EXPECT_EQ(named.size(), 2U) << name;
        EXPECT_EQ(std::ranges::count(named, address), 0) << name;
    }
    session("session-1").stop();
    story.node("session-1").kill(Death::killed);
    wait_watching(seconds(30));
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(connections("session-2") + connections("session-3"),
              providers.size() + consumers.size());
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_P(Leaving, ARollingRestartOfAllSessionsTakesNothingFromAnybody) {
    for (const std::string name : {"session-1", "session-2", "session-3"}) {
        bool gone = false;
        session(name).leave([&gone] { gone = true; });
        wait_watching(seconds(10));
        EXPECT_TRUE(gone) << name;
        session(name).stop();
        story.node(name).kill(Death::killed);
        wait_watching(milliseconds(500));
        story.node(name).start();
        wait_watching(seconds(3));
    }
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(story.broken_at_rest(), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, Leaving, testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace muster::sim
