#include "roles/data/slots.h"

#include <gtest/gtest.h>

namespace muster::data {
namespace {

constexpr SlotId kSlot(0);
const NodeId kSelf("d1");
const NodeId kOther("d2");
const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});

class SlotsTest : public ::testing::Test {
protected:
    // A newer table with this one slot.
    Slots::Changes adopt(const NodeId& leader, std::uint64_t epoch,
                         std::vector<NodeId> followers = {}) {
        return slots.adopt(
            {.epoch = Epoch(++table_epoch),
             .slots = {Slot{
                 .leader = leader, .followers = std::move(followers), .epoch = Epoch(epoch)}}});
    }
    static void write(store::DatumStore& store, store::SlotLog& log) {
        store.find_or_make(kOrders).version = Version(7);
        log.append({.service = kOrders, .from = {}, .to = Version(7), .effects = {}});
    }
    // What a follower has of a leader that was settled.
    void follow_and_copy() {
        adopt(kOther, 1, {kSelf});
        FollowedSlot& followed = *slots.find_followed(kSlot);
        followed.log.begin(Epoch(1));
        write(followed.store, followed.log);
        followed.whole = true;
        followed.in_step = true;
    }

    Slots slots{kSelf, 10};
    std::uint64_t table_epoch = 0;
};

TEST_F(SlotsTest, BeginUnsettledInEachNewEpochWithWhatTheyHad) {
    EXPECT_EQ(adopt(kSelf, 1).begun, std::vector{kSlot});
    LedSlot* led = slots.find(kSlot);
    ASSERT_NE(led, nullptr);
    EXPECT_FALSE(led->whole);
    led->settled = true;
    write(led->store, led->log);
    EXPECT_TRUE(adopt(kSelf, 1, {kOther}).begun.empty()) << "only followers changed";
    EXPECT_TRUE(slots.find(kSlot)->settled);
    EXPECT_EQ(adopt(kSelf, 3).begun, std::vector{kSlot});
    led = slots.find(kSlot);
    EXPECT_FALSE(led->settled);
    EXPECT_TRUE(led->whole);
    EXPECT_EQ(led->log.position(), (LogPosition{Epoch(3), 0}));
    EXPECT_NE(led->store.find(*kOrders), nullptr);
}

TEST_F(SlotsTest, IgnoreATableThatIsNotNewer) {
    adopt(kSelf, 5);
    EXPECT_TRUE(slots.adopt({.epoch = Epoch(1), .slots = {Slot{}}}).ended.empty());
    EXPECT_NE(slots.find(kSlot), nullptr);
    EXPECT_EQ(slots.epoch_of(kSlot), Epoch(5));
    EXPECT_EQ(slots.epoch_of(SlotId(9)), Epoch());
}

TEST_F(SlotsTest, LeadWithTheCopyTheyFollowedWith) {
    follow_and_copy();
    EXPECT_EQ(adopt(kSelf, 2).begun, std::vector{kSlot});
    const LedSlot& led = *slots.find(kSlot);
    EXPECT_TRUE(led.whole);
    EXPECT_FALSE(led.settled);
    EXPECT_EQ(led.log.find({Epoch(1), 1}), 1U);
    EXPECT_EQ(slots.find_followed(kSlot), nullptr);
}

TEST_F(SlotsTest, DoNotLeadWithHalfAnImage) {
    follow_and_copy();
    slots.find_followed(kSlot)->whole_from = {Epoch(1), 5};
    adopt(kSelf, 2);
    EXPECT_EQ(slots.find(kSlot)->store.find(*kOrders), nullptr);
    EXPECT_FALSE(slots.find(kSlot)->whole);
}

TEST_F(SlotsTest, FollowWithWhatTheyLedWith) {
    adopt(kSelf, 1);
    write(slots.find(kSlot)->store, slots.find(kSlot)->log);
    slots.find(kSlot)->store.find(*kOrders)->interested = 3;
    const auto changes = adopt(kOther, 2, {kSelf});
    EXPECT_EQ(changes.ended, std::vector{kSlot});
    EXPECT_EQ(changes.followed, std::vector{kSlot});
    EXPECT_EQ(slots.find(kSlot), nullptr);
    FollowedSlot& followed = *slots.find_followed(kSlot);
    EXPECT_EQ(followed.log.position(), (LogPosition{Epoch(1), 1}));
    EXPECT_FALSE(followed.synced());
    EXPECT_EQ(followed.store.find(*kOrders)->interested, 0U);
    EXPECT_TRUE(adopt(NodeId("d3"), 3, {}).begun.empty());
    EXPECT_EQ(slots.find_followed(kSlot), nullptr) << "no copy of it is kept";
}

TEST_F(SlotsTest, RememberWhatWentFromASlotTheyWereTakenFrom) {
    const store::Write gone{.id = RegistId("p"), .service = kOrders, .order = {2, 0}};
    adopt(kSelf, 1);
    slots.find(kSlot)->store.apply(gone, MonoTime{});
    adopt(kOther, 2);
    EXPECT_EQ(slots.find(kSlot), nullptr);
    adopt(kOther, 2, {kSelf});
    EXPECT_NE(slots.find_followed(kSlot)->store.tombstones().find(gone.id), nullptr);
    adopt(kOther, 2);
    slots.sweep(MonoTime{} + store::Tombstones::kAge, 1);
    adopt(kOther, 2, {kSelf});
    EXPECT_EQ(slots.find_followed(kSlot)->store.tombstones().find(gone.id), nullptr);
}

TEST_F(SlotsTest, ActWithTheirCopyAndGiveItUpWhenTheyWrote) {
    follow_and_copy();
    LedSlot& acting = slots.begin_acting(kSlot);
    EXPECT_TRUE(acting.acting);
    EXPECT_EQ(acting.acts_from, (LogPosition{Epoch(1), 1}));
    slots.end_acting(kSlot);
    EXPECT_EQ(slots.find(kSlot), nullptr);
    EXPECT_EQ(slots.find_followed(kSlot)->log.position(), (LogPosition{Epoch(1), 1}));
    EXPECT_FALSE(slots.find_followed(kSlot)->diverged);

    slots.begin_acting(kSlot);
    write(slots.find(kSlot)->store, slots.find(kSlot)->log);
    slots.find(kSlot)->wrote = true;
    slots.end_acting(kSlot);
    EXPECT_TRUE(slots.find_followed(kSlot)->diverged);
}

TEST_F(SlotsTest, LeadWithWhatTheyActedWithWhichNoFollowerHas) {
    follow_and_copy();
    slots.begin_acting(kSlot);
    write(slots.find(kSlot)->store, slots.find(kSlot)->log);
    slots.find(kSlot)->wrote = true;
    adopt(kSelf, 2);
    const LedSlot& led = *slots.find(kSlot);
    EXPECT_FALSE(led.acting);
    EXPECT_TRUE(led.whole);
    EXPECT_EQ(led.log.find({Epoch(1), 1}), 1U);
    EXPECT_EQ(led.log.find({Epoch(1), 2}), std::nullopt);
}

}  // namespace
}  // namespace muster::data
