// Instances that are drained and restored (roles/propagation), by real roles.
#include "roles/propagation/drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "roles/propagation/history.h"
#include "roles/propagation/propagation.h"
#include "sim/scenarios/churn.h"
#include "sim/scenarios/story.h"
#include "sim/world/cuts.h"

namespace muster::sim {
namespace {

using propagation::DrainReport;
using propagation::DrainWish;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

constexpr RegistryOptions kCopies{
    .metas = 1, .data = 3, .sessions = 2, .slots = 4, .copies = 3, .zones = 1};

// Somebody who asks, in a session's place: other sessions are asked through data servers.
class Operator final : private msg::Receiver {
public:
    explicit Operator(World& world)
        : world_(world),
          process_(world.scheduler, world.trace, Prng(1), "asker"),
          outbox_(world.network, self_) {
        process_.start();
        world.network.attach(self_, process_, [this]() -> msg::Receiver* { return this; });
    }

    // What `node` knows of the cluster is asked by.
    Result<DrainReport> drain(Node& node, const DrainWish& wish) {
        propagation::Drain op(next(), env(node), wish);
        drain_ = &op;
        run(op);
        drain_ = nullptr;
        return op.outcome();
    }
    propagation::Report propagation(Node& node) {
        propagation::Propagation op(next(), env(node),
                                    {.service = std::make_shared<const Service>(kOrders)});
        question_ = &op;
        run(op);
        question_ = nullptr;
        return op.report();
    }

    propagation::HistoryReport history(Node& node) {
        propagation::History op(
            next(), env(node),
            {.service = std::make_shared<const Service>(kOrders), .address = {}});
        history_ = &op;
        run(op);
        history_ = nullptr;
        return op.report();
    }

private:
    propagation::Asker next() {
        return {.self = self_, .life = Incarnation(1), .number = ++number_};
    }
    propagation::AskingEnv env(Node& node) {
        return {.clock = process_.clock(), .outbox = outbox_, .known = [&node] {
                    const auto& view = node.data()->view();
                    return propagation::Known{.table = view.table(), .members = view.members()};
                }};
    }
    template <typename Op>
    void run(Op& op) {
        op.begin();
        while (!op.done() && !world_.violations.any()) {
            world_.run(milliseconds(1));
            op.on_timer();
        }
    }
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override {
        if (const auto* marked = std::get_if<msg::MarkReply>(&message);
            marked != nullptr && drain_ != nullptr) {
            drain_->take(from, *marked);
        } else if (const auto* newest = std::get_if<msg::NewestReply>(&message);
                   newest != nullptr && question_ != nullptr) {
            question_->take(from, *newest);
        } else if (const auto* told = std::get_if<msg::HistoryReply>(&message);
                   told != nullptr && history_ != nullptr) {
            history_->take(from, *told);
        } else if (const auto* reach = std::get_if<msg::ReachReply>(&message)) {
            drain_ != nullptr      ? drain_->take(*reach)
            : question_ != nullptr ? question_->take(*reach)
                                   : void();
        }
    }

    World& world_;
    Process process_;
    msg::RoleAddress self_{NodeId("asker"), Role::session};
    NetworkOutbox outbox_;
    propagation::Drain* drain_ = nullptr;
    propagation::Propagation* question_ = nullptr;
    propagation::History* history_ = nullptr;
    std::uint64_t number_ = 0;
};

class Draining : public ::testing::Test {
protected:
    Draining() {
        for (int i = 0; i < 6; ++i) {
            consumers.push_back(&story.client(i % 2 == 0 ? ClientKind::native : ClientKind::java));
            consumers.back()->subscribe(kOrders, Scope::data_center);
        }
        id = provider.publish(kOrders);
        other.publish(kOrders);
        story.wait(seconds(20));  // copies are made and sessions have settled
    }
    Result<DrainReport> drain(Duration timeout = seconds(30), const char* by = "data-1") {
        story.world.truth.drained(id);
        return asker.drain(story.node(by), wish(Mark::Kind::drained, timeout));
    }
    Result<DrainReport> restore(Duration ramp = seconds(30), const char* by = "data-1") {
        story.world.truth.restored(id);
        DrainWish back = wish(Mark::Kind::restored, seconds(5));
        back.ramp = ramp;
        return asker.drain(story.node(by), back);
    }
    DrainWish wish(Mark::Kind kind, Duration timeout) {
        return {.service = std::make_shared<const Service>(kOrders),
                .address = provider.name() + ":20880",
                .kind = kind,
                .timeout = timeout,
                .asked_by = "ana@ops1"};
    }
    // What all nodes noted of the provider, the oldest first.
    [[nodiscard]] std::vector<std::string> told() {
        std::vector<std::string> lines;
        const auto report = asker.history(story.node("data-2"));
        EXPECT_TRUE(report.silent.empty());
        for (const auto& [node, record] : report.lines) {
            if (record.id == id) {
                lines.insert(lines.begin(),
                             std::string(to_string(record.what)) + ": " + sentence_of(record));
            }
        }
        return lines;
    }
    // How many consumers see it.
    [[nodiscard]] int seen() const {
        int count = 0;
        for (const SimClient* consumer : consumers) {
            count += story.seen_by(*consumer).contains(id.raw()) ? 1 : 0;
        }
        return count;
    }
    [[nodiscard]] NodeId leader() {
        const auto& table = story.node("data-1").data()->view().table();
        return table.slots[slot_of(kOrders, kCopies.slots).raw()].leader;
    }

    Story story{kCopies};
    SimClient& provider = story.client(ClientKind::java);
    SimClient& other = story.client(ClientKind::native);
    std::vector<SimClient*> consumers;
    RegistId id;
    Operator asker{story.world};
};

TEST_F(Draining, IsInTheHistoryWithWhoAskedAndWithWhatCameAfterThat) {
    ASSERT_TRUE(drain()->confirmed);
    ASSERT_TRUE(restore().has_value());
    provider.kill(false);
    story.wait(seconds(1));
    EXPECT_THAT(told(), testing::ElementsAre("registered: its client said so",
                                             "drained: ana@ops1 asked at asker",
                                             "restored: ana@ops1 asked at asker",
                                             "removed: its connection was closed without a word"));
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, IsConfirmedWhenNobodyHasItInAListAndTakenBack) {
    EXPECT_EQ(seen(), 6);
    const auto drained = drain();
    ASSERT_TRUE(drained) << to_string(drained.error());
    EXPECT_TRUE(drained->confirmed);
    EXPECT_EQ(drained->copies, 3U);
    EXPECT_TRUE(drained->lacking.empty());
    EXPECT_EQ(seen(), 0) << "at the moment it is confirmed";
    EXPECT_EQ(drained->ids, std::vector{id});
    EXPECT_EQ(drained->changed, 1U);
    EXPECT_EQ(drained->others, 1U);
    EXPECT_EQ(drained->who.lists, 6U);
    EXPECT_LT(drained->waited, seconds(1));
    EXPECT_EQ(asker.propagation(story.node("data-2")).drained, 1U);
    const auto again = drain();
    EXPECT_TRUE(again->confirmed);
    EXPECT_EQ(again->changed, 0U) << "it was drained already";
    ASSERT_TRUE(restore());
    story.wait(milliseconds(500));
    EXPECT_EQ(seen(), 6);
    EXPECT_EQ(restore().error().code, Errc::not_found) << "it is not drained";
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, StaysWithTheInstanceThroughNewStatesAndEndsWithIt) {
    ASSERT_TRUE(drain()->confirmed);
    provider.update(id);
    story.wait(seconds(1));
    EXPECT_EQ(seen(), 0) << "a newer state of the same registration";
    provider.withdraw(id);
    story.wait(seconds(1));
    id = provider.publish(kOrders);
    story.wait(seconds(1));
    EXPECT_EQ(seen(), 6) << "the provider was restarted";
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, OutlivesTheLeaderOfTheSlot) {
    ASSERT_TRUE(drain()->confirmed);
    const NodeId dead = leader();
    story.node(dead.raw()).kill(Death::killed);
    story.wait(seconds(8));
    EXPECT_EQ(seen(), 0);
    SimClient& late = story.client(ClientKind::native);
    late.subscribe(kOrders, Scope::data_center);
    story.wait(seconds(2));
    EXPECT_FALSE(story.seen_by(late).contains(id.raw()));
    story.node(dead.raw()).start();
    story.wait(seconds(30));
    EXPECT_EQ(seen(), 0);
    const char* by = dead == NodeId("data-1") ? "data-2" : "data-1";
    ASSERT_TRUE(restore(seconds(0), by));
    story.wait(seconds(1));
    EXPECT_EQ(seen(), 6);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, IsTakenBackForGoodAlsoWhenTheLeaderEndsAtThatMoment) {
    ASSERT_TRUE(drain()->confirmed);
    const NodeId dead = leader();
    ASSERT_TRUE(restore(seconds(0), dead == NodeId("data-1") ? "data-2" : "data-1"));
    story.node(dead.raw()).kill(Death::killed);
    story.wait(seconds(8));
    EXPECT_EQ(seen(), 6);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, HoldsWhatWasAnsweredWhoeverEndsInTurn) {
    const auto end_leader = [&](const auto& after) {
        const NodeId dead = leader();
        after(dead == NodeId("data-1") ? "data-2" : "data-1");
        story.node(dead.raw()).kill(Death::killed);
        story.wait(seconds(8));
        return dead;
    };
    for (int round = 0; round < 4; ++round) {
        const NodeId first = end_leader([&](const char* by) {
            const auto drained = drain(seconds(30), by);
            ASSERT_TRUE(drained) << to_string(drained.error());
            EXPECT_TRUE(drained->confirmed);
            EXPECT_TRUE(drained->lacking.empty());
        });
        EXPECT_EQ(seen(), 0) << round;
        story.node(first.raw()).start();
        story.wait(seconds(30));
        EXPECT_EQ(seen(), 0) << round;
        const NodeId second =
            end_leader([&](const char* by) { ASSERT_TRUE(restore(seconds(5), by)); });
        EXPECT_EQ(seen(), 6) << round;
        story.node(second.raw()).start();
        story.wait(seconds(30));
    }
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, NamesTheCopyThatLacksTheMark) {
    const NodeId led_by = leader();
    const std::string cut_off = led_by == NodeId("data-3") ? "data-2" : "data-3";
    story.world.cuts.cut(Cuts::between({led_by.raw()}, {cut_off}));
    const auto drained = drain(seconds(30), led_by.raw().c_str());
    ASSERT_TRUE(drained) << to_string(drained.error());
    EXPECT_TRUE(drained->confirmed);
    EXPECT_EQ(drained->copies, 2U);
    EXPECT_EQ(drained->lacking, std::vector{NodeId(cut_off)});
    EXPECT_LT(drained->waited, seconds(3));
    story.world.cuts.open_all();
    story.wait(seconds(10));
    EXPECT_TRUE(drain()->lacking.empty());
}

TEST_F(Draining, StaysWithAProviderThatLosesItsConnection) {
    ASSERT_TRUE(drain()->confirmed);
    story.world.pipes.reset(provider.pipe(), {});
    story.wait(seconds(10));
    EXPECT_EQ(seen(), 0);
    ASSERT_TRUE(restore(seconds(0)));
    story.wait(seconds(1));
    EXPECT_EQ(seen(), 6);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, ReachesACopyThatIsMadeByImage) {
    ASSERT_TRUE(drain()->confirmed);
    // Each copy in turn is lost and made anew.
    for (const char* name : {"data-1", "data-2", "data-3"}) {
        story.node(name).kill(Death::killed);
        story.wait(seconds(8));
        story.node(name).start();
        story.wait(seconds(30));
    }
    EXPECT_EQ(seen(), 0);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, NamesWhoStandsStillAndGoesOnWhenItDoes) {
    consumers.front()->pause(seconds(8));
    const auto late = drain(seconds(2));
    ASSERT_TRUE(late);
    EXPECT_FALSE(late->confirmed);
    EXPECT_EQ(late->who.behind, 1U);
    ASSERT_EQ(late->who.lines.size(), 1U);
    EXPECT_TRUE(late->who.lines.front().subscriber.behind);
    EXPECT_GE(late->waited, seconds(2));
    const auto then = drain(seconds(20));
    EXPECT_TRUE(then->confirmed) << "asked again, it waits on";
    EXPECT_EQ(seen(), 0);
}

TEST_F(Draining, DoesNotWaitForWhoDied) {
    consumers.front()->pause(seconds(60));
    consumers.front()->kill(false);
    consumers.erase(consumers.begin());
    const auto drained = drain(seconds(20));
    EXPECT_TRUE(drained->confirmed);
    EXPECT_EQ(drained->who.lists, 5U);
}

TEST_F(Draining, NamesTheSessionThatDoesNotAnswer) {
    story.node("session-2").pause(seconds(20));
    const auto drained = drain(seconds(2));
    ASSERT_TRUE(drained);
    EXPECT_FALSE(drained->confirmed);
    EXPECT_EQ(drained->who.silent,
              std::vector{(msg::RoleAddress{NodeId("session-2"), Role::session})});
}

TEST_F(Draining, IsTakenByWhoeverLeadsBeforeTheTimeIsOver) {
    const NodeId dead = leader();
    story.node(dead.raw()).kill(Death::killed);
    const auto drained = drain(seconds(30), dead == NodeId("data-1") ? "data-2" : "data-1");
    ASSERT_TRUE(drained) << to_string(drained.error());
    EXPECT_TRUE(drained->confirmed);
    EXPECT_EQ(seen(), 0);
}

TEST_F(Draining, AllOfAllInTurnWhileOthersChange) {
    Churn churn(story.world.clients(), 5, Prng(7));
    churn.begin(story.world.scheduler, milliseconds(50));
    for (int i = 0; i < 10; ++i) {
        const auto drained = drain();
        ASSERT_TRUE(drained) << to_string(drained.error());
        EXPECT_TRUE(drained->confirmed);
        ASSERT_TRUE(restore(milliseconds(100)));
        story.wait(milliseconds(300));
    }
    churn.stop();
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Draining, RefusesWhatIsNotThere) {
    DrainWish nowhere = wish(Mark::Kind::drained, seconds(2));
    nowhere.address = "nobody:1";
    EXPECT_EQ(asker.drain(story.node("data-1"), nowhere).error().code, Errc::not_found);
    DrainWish unknown = wish(Mark::Kind::drained, seconds(2));
    unknown.service = std::make_shared<const Service>(Service{.data_id = "unknown"});
    const auto answer = asker.drain(story.node("data-1"), unknown);
    EXPECT_EQ(answer.error().detail, "nobody publishes " + unknown.service->path());
    DrainWish long_ramp = wish(Mark::Kind::restored, seconds(2));
    long_ramp.ramp = std::chrono::hours(2);
    EXPECT_EQ(asker.drain(story.node("data-1"), long_ramp).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace muster::sim
