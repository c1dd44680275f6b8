// Writes that were sent by another slot table: refused with what is to be done, and nothing
// changes.
#include <map>

#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");

// The refused batches, by reason.
class Refused final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view, std::uint64_t value,
                 MetricLabels labels) override {
        if (name == "muster_data_batches_refused_total") {
            by_reason[std::string(labels.begin()->second)] = value;
        }
    }
    void gauge(std::string_view, std::string_view, std::int64_t, MetricLabels) override {}
    void histogram(std::string_view, std::string_view, const HistogramView&,
                   MetricLabels) override {}

    std::map<std::string, std::uint64_t> by_reason;
};

class Refusal : public ::testing::Test {
protected:
    Refusal() {
        world.assign({"d1", "d2"});
        world.pass(1s);
        world.assign({"d2", "d1"});
        world.pass(1s);
        s1.publish("a", kOrders);
        world.lose = [this](const auto& from, const auto&, const msg::ClusterMessage& message) {
            if (const auto* reply = std::get_if<msg::PublishBatchReply>(&message)) {
                replies.emplace_back(from.node, *reply);
            }
            return false;
        };
    }
    // A write of s1 that takes "b" up, sent to `node` for that epoch of the slot.
    const msg::PublishBatchReply& write(const std::string& node, Epoch epoch) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("b");
        publication->service = kOrders;
        publication->order = {9, 0};
        world.send({s1.node, Role::session}, {NodeId(node), Role::data},
                   msg::PublishBatch{.session = Incarnation(1),
                                     .slot = SlotId(0),
                                     .slot_epoch = epoch,
                                     .batch = 99,
                                     .ops = {{.id = publication->id,
                                              .service = kOrders,
                                              .publication = publication,
                                              .order = publication->order,
                                              .owner_seq = 9}}});
        replies.clear();
        world.run();
        EXPECT_EQ(replies.size(), 1U);
        return replies.back().second;
    }
    std::map<std::string, std::uint64_t> counted(const std::string& node) {
        Refused refused;
        world[node].write_metrics(refused);
        return refused.by_reason;
    }
    [[nodiscard]] Epoch epoch() const {
        return world.table.slots[0].epoch;
    }

    World world{{"d1", "d2"}};
    TestSession& s1 = world.session("s1");
    std::vector<std::pair<NodeId, msg::PublishBatchReply>> replies;
};

TEST_F(Refusal, OfAnOlderEpochNamesBothAndChangesNothing) {
    ASSERT_EQ(epoch(), Epoch(2));
    const auto before = world.copy("d2");
    const auto followed = world.copy("d1");
    const auto& reply = write("d2", Epoch(1));
    ASSERT_FALSE(reply.result);
    EXPECT_EQ(reply.result.error(),
              (Error{Errc::stale_epoch,
                     "slot 0 has epoch 2 at node 'd2', and this was sent for epoch 1: ask the "
                     "metas for a newer slot table, and send it to who leads there"}));
    EXPECT_EQ(reply.slot_epoch, Epoch(2));
    EXPECT_EQ(reply.batch, 99U);
    EXPECT_EQ(world.copy("d2").held, before.held);
    EXPECT_EQ(world.copy("d2").digest, before.digest);
    EXPECT_EQ(world.copy("d1").held, followed.held);
    EXPECT_EQ(counted("d2")["older_epoch"], 1U);
    EXPECT_TRUE(write("d2", epoch()).result) << "by the table of now";
    EXPECT_NE(world.copy("d2").digest, before.digest);
    EXPECT_EQ(counted("d2")["older_epoch"], 1U);
}

TEST_F(Refusal, OfAnEpochThatIsNotKnownYetSaysToWait) {
    const auto before = world.copy("d2");
    const auto& reply = write("d2", Epoch(3));
    ASSERT_FALSE(reply.result);
    EXPECT_EQ(reply.result.error(),
              (Error{Errc::stale_epoch,
                     "slot 0 has epoch 2 at node 'd2', and this was sent for epoch 3: the node has "
                     "to hear of that from the metas first, send it again soon"}));
    EXPECT_EQ(world.copy("d2").digest, before.digest);
    EXPECT_EQ(counted("d2")["newer_epoch"], 1U);
}

TEST_F(Refusal, OfASlotThatAnotherLeadsSaysToAskWhoDoes) {
    const auto& reply = write("d1", Epoch(1));
    ASSERT_FALSE(reply.result);
    EXPECT_EQ(reply.result.error(),
              (Error{Errc::not_leader,
                     "node 'd1' does not lead slot 0: ask the metas for a newer slot table, and "
                     "send it to who leads there"}));
    EXPECT_EQ(reply.slot_epoch, Epoch(2));
    EXPECT_EQ(counted("d1")["not_leader"], 1U);
}

}  // namespace
}  // namespace muster::data
