#include "roles/session/write_queue.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
constexpr SlotId kSlot(0);

class Outbox final : public msg::Outbox {
public:
    void send(const msg::RoleAddress&, msg::ClusterMessage message) override {
        batches.push_back(std::get<msg::PublishBatch>(std::move(message)));
    }
    std::vector<msg::PublishBatch> batches;
};

class WriteQueueTest : public ::testing::Test {
protected:
    static WriteQueue::Op op(std::uint64_t seq, bool gone = false) {
        WriteQueue::Op made{.id = RegistId("p"), .service = kOrders, .owner_seq = seq};
        if (!gone) {
            auto publication = std::make_shared<Publication>();
            publication->id = made.id;
            publication->service = kOrders;
            made.publication = publication;
        }
        return made;
    }
    void add(std::uint64_t seq, std::uint64_t waiter = 0) {
        queue.add(op(seq), WaiterId(waiter), table.slots.size(), now);
    }
    void send() {
        outbox.batches.clear();
        queue.send_due(now,
                       {Incarnation(1), routes, outbox, kWallUs + to_us(now.time_since_epoch())});
    }
    static std::vector<WaiterId> waiters(const std::vector<WriteQueue::Acknowledged>& writes) {
        std::vector<WaiterId> waiters;
        for (const auto& write : writes) {
            if (write.waiter != WaiterId{}) {
                waiters.push_back(write.waiter);
            }
        }
        return waiters;
    }
    std::vector<WaiterId> answer(std::uint64_t batch, Result<void> result = {}) {
        return waiters(queue.on_reply(
            NodeId("d1"), {.slot = kSlot, .batch = batch, .result = std::move(result)}, now));
    }
    // When the session got the oldest write of the batch sent last, as the batch says.
    [[nodiscard]] MonoTime said_since() const {
        return MonoTime(std::chrono::microseconds(outbox.batches.back().got_us - kWallUs));
    }
    static constexpr std::int64_t kWallUs = 1'700'000'000'000'000;

    SlotTable table{.epoch = Epoch(1), .slots = {Slot{.leader = NodeId("d1"), .epoch = Epoch(1)}}};
    WriteQueueTest() {
        (void)routes.adopt(table, now);
    }
    SlotRoutes routes{seconds(1)};
    WriteQueue queue{milliseconds(500)};
    Outbox outbox;
    MonoTime now{seconds(1)};
};

TEST_F(WriteQueueTest, SendsWhatIsFreshInOneBatch) {
    add(1);
    add(2);
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.size(), 2U);
    send();
    EXPECT_TRUE(outbox.batches.empty()) << "in flight";
}

TEST_F(WriteQueueTest, ResendsTheSameBatchUntilItIsAcknowledged) {
    add(1);
    send();
    const auto number = outbox.batches.front().batch;
    now += milliseconds(500);
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().batch, number);
    (void)answer(number);
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_TRUE(queue.empty(kSlot));
}

TEST_F(WriteQueueTest, SaysSinceWhenTheOldestOfABatchWaits) {
    add(1);
    now += milliseconds(3);
    add(2);
    now += milliseconds(4);
    send();
    EXPECT_EQ(said_since(), now - milliseconds(7));
    const std::uint64_t batch = outbox.batches.back().batch;
    now += milliseconds(600);
    send();
    ASSERT_EQ(outbox.batches.back().batch, batch) << "sent again";
    EXPECT_EQ(said_since(), now - milliseconds(607));
    const auto acknowledged =
        queue.on_reply(NodeId("d1"), {.slot = kSlot, .batch = batch, .result = {}}, now);
    ASSERT_EQ(acknowledged.size(), 2U);
    EXPECT_EQ(acknowledged.front().since, now - milliseconds(607));
    EXPECT_EQ(acknowledged.back().since, now - milliseconds(604));
    EXPECT_EQ(acknowledged.back().service, kOrders);
}

TEST_F(WriteQueueTest, NamesEachWaiterOnce) {
    add(1, 7);
    add(2);
    send();
    EXPECT_EQ(answer(outbox.batches.front().batch), std::vector{WaiterId(7)});
    EXPECT_TRUE(answer(outbox.batches.front().batch).empty()) << "the answer arrived twice";
}

TEST_F(WriteQueueTest, SendsARefusedBatchAgainAfterAWhileAheadOfWhatIsFresher) {
    add(1);
    send();
    EXPECT_TRUE(answer(outbox.batches.front().batch, fail(Errc::not_leader, "")).empty());
    add(2);
    send();
    EXPECT_TRUE(outbox.batches.empty());
    now += milliseconds(50);
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.front().owner_seq, 1U);
    EXPECT_EQ(outbox.batches.front().ops.back().owner_seq, 2U);
}

TEST_F(WriteQueueTest, KeepsWritesUntilATableIsKnown) {
    const SlotTable known = std::exchange(table, SlotTable{});
    add(1);
    EXPECT_EQ(queue.size(), 1U);
    table = known;
    queue.route(table.slots.size());
    send();
    EXPECT_EQ(outbox.batches.size(), 1U);
}

TEST_F(WriteQueueTest, KeepsWritesOfASlotWithoutALeader) {
    table.slots.front().leader = NodeId();
    (void)routes.adopt(table, now);
    add(1);
    send();
    EXPECT_TRUE(outbox.batches.empty());
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_FALSE(queue.next_due(routes)) << "only a newer table helps";
}

TEST_F(WriteQueueTest, PausesLongerAfterEachRefusalUntilOneIsTaken) {
    add(1);
    send();
    for (const int pause : {5, 10, 20, 40, 80, 160, 200, 200}) {
        (void)answer(outbox.batches.front().batch, fail(Errc::not_ready, ""));
        EXPECT_EQ(queue.next_due(routes), now + milliseconds(pause));
        now += milliseconds(pause);
        send();
        ASSERT_EQ(outbox.batches.size(), 1U) << pause;
    }
    (void)answer(outbox.batches.front().batch);
    add(2);
    send();
    (void)answer(outbox.batches.front().batch, fail(Errc::not_ready, ""));
    EXPECT_EQ(queue.next_due(routes), now + milliseconds(5));
}

TEST_F(WriteQueueTest, PausesLongerEachTimeABatchIsNotAnswered) {
    add(1);
    send();
    for (const int pause : {100, 200, 400, 500, 500}) {
        EXPECT_EQ(queue.next_due(routes), now + milliseconds(pause));
        now += milliseconds(pause);
        send();
        ASSERT_EQ(outbox.batches.size(), 1U) << pause;
    }
}

TEST_F(WriteQueueTest, SendsARefusedBatchAtOnceToWhoServesTheSlotAnew) {
    add(1);
    send();
    (void)answer(outbox.batches.front().batch, fail(Errc::not_leader, ""));
    table.slots.front() = {.leader = NodeId("d2"), .epoch = Epoch(2)};
    (void)routes.adopt(table, now);
    queue.restart(kSlot, [](const RegistId&) { return op(1); });
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().slot_epoch, Epoch(2));
}

TEST_F(WriteQueueTest, TellsTheLeaderAgainWhatAFollowerTookInItsStead) {
    routes.on_link(NodeId("d1"), msg::LinkEvent::silent, now);
    table.slots.front().followers = {NodeId("d2")};
    (void)routes.adopt(table, now);
    add(1, 7);
    send();
    ASSERT_TRUE(outbox.batches.at(0).acting);
    EXPECT_EQ(waiters(queue.on_reply(NodeId("d2"),
                                     {.slot = kSlot,
                                      .batch = outbox.batches.front().batch,
                                      .result = {},
                                      .slot_epoch = Epoch(1),
                                      .acting = true},
                                     now)),
              std::vector{WaiterId(7)});
    EXPECT_TRUE(queue.empty(kSlot));
    EXPECT_EQ(queue.size(), 0U);
    send();
    EXPECT_TRUE(outbox.batches.empty());
    routes.heard(NodeId("d1"));
    (void)routes.reconsider(now);
    queue.restart(kSlot, [](const RegistId&) { return op(1); });
    EXPECT_FALSE(queue.empty(kSlot));
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_FALSE(outbox.batches.front().acting);
    EXPECT_EQ(outbox.batches.front().got_us, 0) << "it was told of before";
    EXPECT_TRUE(answer(outbox.batches.front().batch).empty());
    EXPECT_TRUE(queue.empty(kSlot));
}

TEST_F(WriteQueueTest, KnowsWhatOfTheOldIsNotAcknowledged) {
    add(3);
    send();
    add(5);
    EXPECT_FALSE(queue.has_up_to(kSlot, 2));
    EXPECT_TRUE(queue.has_up_to(kSlot, 3));
    (void)answer(outbox.batches.front().batch);
    EXPECT_FALSE(queue.has_up_to(kSlot, 4));
    EXPECT_TRUE(queue.has_up_to(kSlot, 5));
    std::vector<std::uint64_t> seen;
    queue.for_each(kSlot, [&](const WriteQueue::Op& each) { seen.push_back(each.owner_seq); });
    EXPECT_EQ(seen, std::vector<std::uint64_t>{5});
}

TEST_F(WriteQueueTest, TellsANewLeaderOnceWhatWasNotAcknowledged) {
    add(2, 7);
    send();
    queue.restart(kSlot, [&](const RegistId&) { return std::optional(op(2)); });
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.size(), 1U);
    EXPECT_EQ(answer(outbox.batches.front().batch), std::vector{WaiterId(7)});
}

TEST_F(WriteQueueTest, TellsANewLeaderTheStateOfNowInPlaceOfAnOlderOne) {
    add(1);
    send();
    queue.restart(kSlot, [&](const RegistId&) { return std::optional(op(5)); });
    send();
    ASSERT_EQ(outbox.batches.front().ops.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.front().owner_seq, 5U);
}

TEST_F(WriteQueueTest, TellsANewLeaderNothingThatLeftMeanwhile) {
    add(1);
    send();
    queue.restart(kSlot, [](const RegistId&) { return std::nullopt; });
    send();
    ASSERT_EQ(outbox.batches.front().ops.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.front().publication, nullptr);
}

TEST_F(WriteQueueTest, SplitsWhatIsTooMuchForOneBatch) {
    for (std::uint64_t i = 0; i <= WriteQueue::kBatchOpsMax; ++i) {
        add(i + 1);
    }
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.size(), WriteQueue::kBatchOpsMax);
    (void)answer(outbox.batches.front().batch);
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.size(), 1U);
}

TEST_F(WriteQueueTest, SendsWhatCameMeanwhileInOneBatchOnceTheLastIsAnswered) {
    add(1);
    send();
    const auto first = outbox.batches.front().batch;
    add(2);
    add(3);
    send();
    EXPECT_TRUE(outbox.batches.empty());
    EXPECT_EQ(queue.next_due(routes), now + milliseconds(100)) << "the first again";
    (void)answer(first);
    EXPECT_EQ(queue.next_due(routes), MonoTime{}) << "at once";
    send();
    ASSERT_EQ(outbox.batches.size(), 1U);
    EXPECT_EQ(outbox.batches.front().ops.size(), 2U);
}

TEST_F(WriteQueueTest, GivesABusyDataServerTheTimeItTakes) {
    add(1);
    send();
    now += milliseconds(90);
    (void)answer(outbox.batches.front().batch);
    add(2);
    send();
    EXPECT_EQ(queue.next_due(routes), now + milliseconds(270)) << "90 + 4 * 45";
    now += milliseconds(270);
    send();
    ASSERT_EQ(outbox.batches.size(), 1U) << "late: again";
    now += milliseconds(30);
    (void)answer(outbox.batches.front().batch);
    add(3);
    send();
    // RFC 6298, 2.3: RTTVAR = 45 + (210 - 45) / 4, SRTT = 90 + 210 / 8.
    EXPECT_EQ(queue.next_due(routes), now + std::chrono::microseconds(116'250 + 4 * 86'250))
        << "it took 300 ms";
}

TEST_F(WriteQueueTest, SplitsWhatIsTooLongForOneBatch) {
    for (std::uint64_t i = 1; i <= 3; ++i) {
        auto long_one = op(i);
        auto publication = std::make_shared<Publication>(*long_one.publication);
        publication->boxes = {std::string(WriteQueue::kBatchBytesMax, 'x')};
        long_one.publication = publication;
        queue.add(std::move(long_one), WaiterId{}, table.slots.size(), now);
    }
    add(4);
    for (std::uint64_t i = 1; i <= 4; ++i) {
        send();
        ASSERT_EQ(outbox.batches.size(), 1U);
        ASSERT_EQ(outbox.batches.front().ops.size(), 1U) << "it ends with the one that fills it";
        EXPECT_EQ(outbox.batches.front().ops.front().owner_seq, i);
        (void)answer(outbox.batches.front().batch);
    }
    EXPECT_EQ(queue.size(), 0U);
}

}  // namespace
}  // namespace muster::session
