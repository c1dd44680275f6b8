// The brake, and what it must not hold: stories with many clients.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};
constexpr std::size_t kProviders = 200;
constexpr std::size_t kLimit = 20;  // of one session's clients, by default

// Many providers of one service, and one who is shown them.
class Crowd : public testing::Test {
protected:
    // The shortest list that was shown since it was reset.
    class Least final : public Checker {
    public:
        using Checker::Checker;
        void on_shown(const Listener&, const Shown*, const Shown& now) override {
            least = std::min(least, now.publications.size());
        }
        std::size_t least = kProviders;
    };

    Crowd() : story(Roles::apart), shown(story.world.truth) {
        for (std::size_t i = 0; i < kProviders; ++i) {
            auto& one = story.world.add_client(ClientKind::java, "zone-a");
            ids.push_back(one.publish(kOrders));
            providers.push_back(&one);
        }
        story.wait(seconds(3));
        consumer = &story.client(ClientKind::native);
        consumer->subscribe(kOrders, Scope::data_center);
        story.wait(seconds(1));
        EXPECT_EQ(seen(), kProviders);
        shown.least = kProviders;
    }

    [[nodiscard]] std::size_t seen() const {
        return story.seen_by(*consumer).size();
    }
    // Between them and the session something restarts: their connections close, both ends know.
    void cut(std::size_t first, std::size_t count) {
        for (std::size_t i = first; i < first + count; ++i) {
            story.world.pipes.reset(providers[i]->pipe(), {});
        }
    }
    void kill(std::size_t first, std::size_t count) {
        for (std::size_t i = first; i < first + count; ++i) {
            providers[i]->kill(false);
        }
    }
    void decide(msg::BrakeRequest::Action action) {
        story.world.registry.session()->on_message(
            {NodeId("meta-1"), Role::meta},
            msg::BrakeRequest{.action = action,
                              .scope = msg::BrakeScope::session,
                              .name = story.world.registry.node(Role::session).plan().id.raw()});
    }

    Story story;
    Least shown;
    std::vector<SimClient*> providers;
    std::vector<RegistId> ids;
    SimClient* consumer = nullptr;
};

TEST_F(Crowd, ALoadBalancersRestartTakesAwayNoMoreThanTheLimit) {
    cut(0, 100);
    story.wait(seconds(1));
    EXPECT_TRUE(story.world.registry.session()->status().braking);
    story.wait(seconds(30));
    EXPECT_EQ(seen(), kProviders);
    EXPECT_GE(shown.least, kProviders - kLimit);
    EXPECT_EQ(story.world.registry.session()->status().suspects, 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Crowd, OneKilledProcessIsToldAtOnce) {
    kill(0, 1);
    story.wait(milliseconds(50));
    EXPECT_EQ(seen(), kProviders - 1);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Crowd, PoliteLeavingOfNineInTenPassesUntouched) {
    for (std::size_t i = 0; i < kProviders * 9 / 10; ++i) {
        providers[i]->withdraw(ids[i]);
    }
    story.wait(milliseconds(500));
    EXPECT_EQ(seen(), kProviders / 10);
    EXPECT_FALSE(story.world.registry.session()->status().braking);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Crowd, SuspectsThatNeverReturnGoWhenTheirPatienceEnds) {
    kill(0, 100);
    story.wait(seconds(59));
    EXPECT_EQ(seen(), kProviders - kLimit);
    EXPECT_EQ(story.world.registry.session()->status().suspects, 100 - kLimit);
    story.wait(seconds(3));
    EXPECT_EQ(seen(), kProviders - 100);
    EXPECT_EQ(story.world.registry.session()->status().suspects, 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Crowd, SuspectsGoAtOnceWhenAnOperatorConfirmsThem) {
    kill(0, 100);
    story.wait(seconds(1));
    decide(msg::BrakeRequest::Action::confirm);
    story.wait(milliseconds(500));
    EXPECT_EQ(seen(), kProviders - 100);
    EXPECT_FALSE(story.world.registry.session()->status().braking);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Crowd, SuspectsHaveTheirPatienceAnewWhenAnOperatorReleasesThem) {
    kill(0, 100);
    story.wait(seconds(50));
    decide(msg::BrakeRequest::Action::release);
    EXPECT_FALSE(story.world.registry.session()->status().braking);
    story.wait(seconds(55));
    EXPECT_EQ(seen(), kProviders - kLimit);
    story.wait(seconds(10));
    EXPECT_EQ(seen(), kProviders - 100);
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
