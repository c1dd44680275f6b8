// Instances that come and go too often (roles/session/flap_damping): few are told, and they are
// shown once they stay.
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};
constexpr std::size_t kFlips = 3;
constexpr Duration kHold = seconds(20);
// Flapping is known after two rounds: what is shown then may be told twice, and once when it went.
constexpr int kRounds = 40;

RegistryOptions damping(std::size_t flips, int sessions = 1) {
    return {.data = 2,
            .sessions = sessions,
            .slots = 4,
            .copies = 2,
            .flap_damping = {.flips = flips, .window = seconds(60), .hold = kHold, .percent = 50}};
}

class Flapping : public testing::Test {
protected:
    // How often each client's view changed.
    class Changes final : public Checker {
    public:
        using Checker::Checker;
        void on_shown(const Listener& listener, const Shown* before, const Shown& now) override {
            if (before == nullptr || before->publications != now.publications) {
                ++of[listener.client];
            }
        }
        std::map<std::string, std::size_t> of;
    };

    explicit Flapping(const RegistryOptions& options = damping(kFlips))
        : story(options), changes(story.world.truth) {
        for (int i = 0; i < 6; ++i) {
            consumers.push_back(&story.client(i % 2 == 0 ? ClientKind::native : ClientKind::java));
            consumers.back()->subscribe(kOrders, Scope::data_center);
        }
        steady_id = steady.publish(kOrders);
        other.publish(kOrders);
        story.wait(seconds(20));  // sessions have settled
        changes.of.clear();
    }

    void flap(int rounds = kRounds) {
        for (int i = 0; i < rounds; ++i) {
            id = flapper.publish(kOrders);
            story.wait(milliseconds(250));
            flapper.withdraw(id);
            story.wait(milliseconds(250));
        }
    }
    // How many consumers see it.
    [[nodiscard]] std::size_t seeing(const RegistId& whom) const {
        return static_cast<std::size_t>(std::ranges::count_if(consumers, [&](const SimClient* one) {
            return story.seen_by(*one).contains(whom.raw());
        }));
    }
    [[nodiscard]] std::size_t damped() {
        std::size_t count = 0;
        for (Node* node : story.world.registry.nodes(Role::session)) {
            count += node->session() == nullptr ? 0 : node->session()->status().damped;
        }
        return count;
    }

    Story story;
    Changes changes;
    SimClient& steady = story.client(ClientKind::java);
    SimClient& other = story.client(ClientKind::native);
    SimClient& flapper = story.client(ClientKind::java);
    std::vector<SimClient*> consumers;
    RegistId steady_id;
    RegistId id;
};

TEST_F(Flapping, IsToldAFewTimesAndShownOnceItStays) {
    flap();
    for (const auto& [client, count] : changes.of) {
        EXPECT_LE(count, 2 * (1 + kFlips)) << client;
    }
    id = flapper.publish(kOrders);
    story.wait(kHold - seconds(1));
    EXPECT_EQ(seeing(id), 0U);
    EXPECT_EQ(damped(), 1U);
    EXPECT_EQ(seeing(steady_id), consumers.size());
    const auto flapping = story.world.registry.session()->flapping(10);
    ASSERT_EQ(flapping.size(), 1U);
    EXPECT_EQ(flapping[0].id, id);
    EXPECT_EQ(flapping[0].instance, flapper.name() + ":20880");
    EXPECT_GE(flapping[0].held, kHold - seconds(2));
    EXPECT_LE(flapping[0].left, seconds(2));
    story.wait(seconds(2));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(damped(), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsAnsweredAsRegistered) {
    flap();
    id = flapper.publish(kOrders);
    story.wait(seconds(1));
    EXPECT_EQ(damped(), 1U);
    EXPECT_TRUE(flapper.settled());
}

TEST_F(Flapping, GoesAtOnceWhenItWasShown) {
    flap();
    id = flapper.publish(kOrders);
    story.wait(kHold + seconds(1));
    ASSERT_EQ(seeing(id), consumers.size());
    flapper.withdraw(id);
    story.wait(milliseconds(500));
    EXPECT_EQ(seeing(id), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsShownAsItIsByThen) {
    flap();
    id = flapper.publish(kOrders);
    for (Duration waited{}; waited < kHold + seconds(1); waited += seconds(1)) {
        flapper.update(id);
        story.wait(seconds(1));
    }
    EXPECT_EQ(seeing(id), consumers.size()) << "that it changes does not hold it longer";
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsNobodyWhoWasRestartedTwice) {
    flap(2);
    id = flapper.publish(kOrders);
    story.wait(milliseconds(500));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(damped(), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsNotFetchedByALeaderThatBegins) {
    flap();
    id = flapper.publish(kOrders);
    story.wait(milliseconds(500));
    const auto& table = story.world.registry.data()->view().table();
    const NodeId leader = table.slots[slot_of(kOrders, 4).raw()].leader;
    story.node(leader.raw()).kill(Death::killed);
    story.wait(kHold / 2);
    EXPECT_EQ(seeing(id), 0U);
    EXPECT_EQ(seeing(steady_id), consumers.size());
    EXPECT_EQ(damped(), 1U);
    story.wait(kHold / 2 + seconds(1));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsShownToWhomALeaderTellsWhoLostEverything) {
    flap();
    id = flapper.publish(kOrders);
    for (Node* node : story.world.registry.nodes(Role::data)) {
        node->kill(Death::power_off);
    }
    story.wait(seconds(2));
    story.restart_all();
    story.wait(kHold + seconds(5));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsForgottenWithTheSession) {
    flap();
    id = flapper.publish(kOrders);
    story.wait(milliseconds(500));
    ASSERT_EQ(damped(), 1U);
    story.kill(Role::session);
    story.wait(milliseconds(500));
    story.restart(Role::session);
    story.wait(seconds(14));  // a Java client needs up to 10 s
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsWhoLosesItsConnectionAgainAndAgain) {
    SimClient& loser = story.client(ClientKind::native);
    id = loser.publish(kOrders);
    story.wait(seconds(1));
    ASSERT_EQ(seeing(id), consumers.size());
    for (int i = 0; i < kRounds; ++i) {
        story.world.pipes.reset(loser.pipe(), {});
        story.wait(seconds(1));
    }
    story.wait(kHold / 2);  // it is back
    EXPECT_EQ(damped(), 1U);
    EXPECT_EQ(seeing(id), 0U);
    for (const SimClient* one : consumers) {
        EXPECT_LE(changes.of[one->name()], 3 * (1 + kFlips)) << one->name();
    }
    story.wait(kHold + seconds(2));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsGoneForGoodWhenItDiesMeanwhile) {
    flap();
    id = flapper.publish(kOrders);
    story.wait(seconds(1));
    flapper.kill(true);
    story.wait(kHold + seconds(40));
    EXPECT_EQ(seeing(id), 0U);
    EXPECT_EQ(damped(), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Flapping, IsHeldByItsLease) {
    SimClient& leased = story.client(ClientKind::lease);
    for (int i = 0; i < kRounds; ++i) {
        id = leased.publish(kOrders);
        story.wait(milliseconds(250));
        leased.withdraw(id);
        story.wait(milliseconds(250));
    }
    id = leased.publish(kOrders);
    story.wait(kHold - seconds(1));
    EXPECT_EQ(seeing(id), 0U);
    story.wait(seconds(2));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

// When all flap it is the way to the session: half of them may be damped, no more.
TEST_F(Flapping, NeverHidesMoreThanItsShare) {
    SimClient* all[] = {&steady, &other, &flapper};
    flapper.publish(kOrders);
    story.wait(seconds(1));
    for (int i = 0; i < kRounds; ++i) {
        for (SimClient* one : all) {
            story.world.pipes.reset(one->pipe(), {});
        }
        story.wait(seconds(1));
    }
    EXPECT_EQ(damped(), 1U);
    story.wait(seconds(12));
    EXPECT_GE(story.seen_by(*consumers.front()).size(), 2U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

// Without it every flip is told: what the tests above count can be more.
class WithoutDamping : public Flapping {
protected:
    WithoutDamping() : Flapping(damping(0)) {}
};

TEST_F(WithoutDamping, EveryFlipIsTold) {
    flap();
    for (const auto& [client, count] : changes.of) {
        EXPECT_GE(count, kRounds) << client;
    }
    EXPECT_EQ(damped(), 0U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

class WithTwoSessions : public Flapping {
protected:
    WithTwoSessions() : Flapping(damping(kFlips, 2)) {}
};

TEST_F(WithTwoSessions, IsShownAtOnceWhereItDidNotFlap) {
    flap();
    id = flapper.publish(kOrders);
    story.wait(milliseconds(500));
    ASSERT_EQ(damped(), 1U);
    const std::string from = story.world.pipes.session_of(flapper.pipe()).server;
    story.node(from).kill(Death::killed);
    story.wait(seconds(14));
    EXPECT_EQ(seeing(id), consumers.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
