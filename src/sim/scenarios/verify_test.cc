// What `muster verify` says of real roles (roles/verify).
#include <gtest/gtest.h>

#include "roles/verify/verification.h"
#include "sim/scenarios/churn.h"
#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = verify::Finding::Kind;

const Service kOrders{.data_id = "orders"};

constexpr RegistryOptions kCopies{
    .metas = 1, .data = 3, .sessions = 2, .slots = 4, .copies = 3, .zones = 1};

// Somebody who asks. As a session, it has others asked through data servers.
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
    verify::Report verify(Node& node) {
        verify::Verification op({.self = self_, .life = Incarnation(1), .number = ++number_},
                                {.clock = process_.clock(), .outbox = outbox_, .known = [&node] {
                                     const auto& view = node.data()->view();
                                     return verify::Known{.table = view.table(),
                                                          .members = view.members()};
                                 }});
        op_ = &op;
        op.begin();
        while (!op.done() && !world_.violations.any()) {
            world_.run(milliseconds(1));
            op.on_timer();
        }
        op_ = nullptr;
        return op.report();
    }

    // What each data server said of its copies last.
    std::map<NodeId, std::vector<msg::VerifyReply::Copy>> copies;

private:
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override {
        if (const auto* reply = std::get_if<msg::VerifyReply>(&message)) {
            copies[from.node] = reply->copies;
            if (op_ != nullptr) {
                op_->take(from, *reply);
            }
        } else if (const auto* word = std::get_if<msg::VerifySessionReply>(&message)) {
            if (op_ != nullptr) {
                op_->take(*word);
            }
        }
    }

    World& world_;
    Process process_;
    msg::RoleAddress self_{NodeId("asker"), Role::session};
    NetworkOutbox outbox_;
    verify::Verification* op_ = nullptr;
    std::uint64_t number_ = 0;
};

class Verify : public ::testing::Test {
protected:
    Verify() {
        id = provider.publish(kOrders);
        story.wait(seconds(20));  // copies are made and sessions have settled
    }

    Story story{kCopies};
    SimClient& provider = story.client(ClientKind::java);
    RegistId id;
    Operator asker{story.world};
};

TEST_F(Verify, SaysThatAllIsEqualAtRest) {
    const verify::Report report = asker.verify(story.node("data-1"));
    EXPECT_EQ(report.verdict(), verify::Report::Verdict::equal);
    EXPECT_EQ(report.slots_equal, 4U);
    EXPECT_EQ(report.copies_equal, 12U);
    EXPECT_EQ(report.sessions, 2U);
    EXPECT_EQ(report.publications, 1U);
    EXPECT_EQ(report.rounds, 1U);
}

TEST_F(Verify, SaysThatAllIsEqualWhileClientsChange) {
    for (int i = 0; i < 8; ++i) {
        SimClient& client = story.client(i % 2 == 0 ? ClientKind::native : ClientKind::java);
        client.publish(kOrders);
    }
    Churn churn(story.world.clients(), 5, Prng(7));
    churn.begin(story.world.scheduler, milliseconds(20));
    std::set<std::uint64_t> publications;
    for (int i = 0; i < 20; ++i) {
        story.wait(milliseconds(130));
        const verify::Report report = asker.verify(story.node("data-1"));
        EXPECT_EQ(verify::to_string(report.verdict()), "equal")
            << (report.differences.empty() ? report.open : report.differences).front().slot.raw();
        publications.insert(report.publications);
    }
    churn.stop();
    EXPECT_GT(publications.size(), 1U) << "something changed meanwhile";
}

// A follower is told by a leader gone mad what nobody registered. The next change of the slot then
// is one that the follower believes to have.
TEST_F(Verify, FindsTheGhostInAFollowersCopyAndNamesIt) {
    asker.verify(story.node("data-1"));
    const auto& view = story.node("data-1").data()->view();
    const SlotId slot = slot_of(kOrders, kCopies.slots);
    const Slot& held_by = view.table().slots[slot.raw()];
    const NodeId follower = held_by.followers.front();
    const auto& copy = asker.copies.at(follower).at(slot.raw());
    const auto service = std::make_shared<const Service>(kOrders);
    const auto ghost = std::make_shared<const Publication>(Publication{
        .id = RegistId("ghost"), .service = service, .order = {.version = 1, .timestamp_ms = 1}});
    story.world.network.send(
        {held_by.leader, Role::data}, {follower, Role::data},
        msg::SlotEntries{.data = view.find(follower, Role::data)->incarnation,
                         .slot = slot,
                         .slot_epoch = held_by.epoch,
                         .after = copy.held,
                         .entries_epoch = held_by.epoch,
                         .settled = true,
                         .entries = {{.service = service,
                                      .from = {},
                                      .to = {},
                                      .writes = {{.id = ghost->id,
                                                  .publication = ghost,
                                                  .order = ghost->order,
                                                  .owner = NodeId("session-1"),
                                                  .owner_life = Incarnation(1)}}}}});
    story.wait(milliseconds(20));
    provider.publish(kOrders);
    story.wait(milliseconds(20));
    const verify::Report report = asker.verify(story.node("data-1"));
    ASSERT_EQ(report.differences.size(), 1U);
    const verify::Finding& found = report.differences.front();
    EXPECT_EQ(found.kind, Kind::copy_differs);
    EXPECT_EQ(found.slot, slot);
    EXPECT_EQ(found.leader, held_by.leader);
    EXPECT_EQ(found.node, follower);
    EXPECT_EQ(found.service, kOrders.data_info_id());
    EXPECT_FALSE(found.publication.empty());
    story.wait(seconds(2));
    EXPECT_EQ(asker.verify(story.node("data-1")).verdict(), verify::Report::Verdict::equal)
        << "the follower finds it out by itself";
}

TEST_F(Verify, NamesWhoStandsStill) {
    story.node("data-2").pause(seconds(20));
    const verify::Report report = asker.verify(story.node("data-1"));
    EXPECT_EQ(report.verdict(), verify::Report::Verdict::incomplete);
    EXPECT_EQ(report.silent, std::vector{(msg::RoleAddress{NodeId("data-2"), Role::data})});
    EXPECT_TRUE(report.differences.empty());
}

TEST_F(Verify, ASessionThatStandsStillIsNamedAndTheOtherCompared) {
    story.node("session-2").pause(seconds(20));
    const verify::Report report = asker.verify(story.node("data-1"));
    EXPECT_EQ(report.silent, std::vector{(msg::RoleAddress{NodeId("session-2"), Role::session})});
    EXPECT_EQ(report.sessions, 1U);
    EXPECT_EQ(report.copies_equal, 12U);
}

TEST_F(Verify, SeesASlotThroughTheDeathOfItsLeader) {
    const SlotId slot = slot_of(kOrders, kCopies.slots);
    const NodeId leader = story.node("data-1").data()->view().table().slots[slot.raw()].leader;
    story.node(leader.raw()).kill(Death::killed);
    story.wait(seconds(8));
    Node& other = story.node(leader == NodeId("data-1") ? "data-2" : "data-1");
    const verify::Report report = asker.verify(other);
    EXPECT_TRUE(report.differences.empty());
    story.node(leader.raw()).start();
    story.wait(seconds(30));
    EXPECT_EQ(asker.verify(other).verdict(), verify::Report::Verdict::equal);
}

}  // namespace
}  // namespace muster::sim
