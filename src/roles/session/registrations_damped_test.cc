// Registrations of instances that flap: what is held of them, and what leaders are told.
#include <gtest/gtest.h>

#include "model/cluster.h"
#include "roles/session/registrations.h"

namespace muster::session {
namespace {

using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
constexpr env::ConnId kOther(1);
constexpr SlotId kSlot(0);

class DampedRegistrations : public ::testing::Test {
protected:
    DampedRegistrations() {
        registrations.set_slot_count(1);
        registrations.open_connection(kOther);
        open();
        for (int i = 0; i < 2; ++i) {
            EXPECT_TRUE(offer());
            EXPECT_EQ(close().size(), 1U);
            now += seconds(1);
        }
    }

    void open() {
        conn = env::ConnId(conn.raw() + 1);
        registrations.open_connection(conn);
    }
    // The next state of the one there is.
    std::optional<Registrations::Op> offer(Duration lease = {}) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("p");
        publication->service = kOrders;
        publication->order = {1, ++timestamp};
        auto taken = registrations.offer(publication, conn, lease, now);
        EXPECT_TRUE(taken.has_value());
        return *taken;
    }
    std::vector<Registrations::Op> close() {
        auto gone = registrations.drop_connection(conn, now);
        open();
        return gone;
    }
    std::vector<Registrations::Op> expire(MonoTime at) {
        return registrations.expire_leases(at, [](std::size_t) { return true; }, seconds(60));
    }
    [[nodiscard]] std::size_t told() const {
        std::size_t count = 0;
        registrations.for_each([&](const Registrations::Op&) { ++count; });
        registrations.for_each_after(RegistId(), [&](const Registrations::Op&) {
            ++count;
            return true;
        });
        count += registrations.state_of(RegistId("p")) ? 1 : 0;
        return count + registrations.digest(kSlot).count;
    }

    FlapDamping damping{{.flips = 1, .window = seconds(60), .hold = seconds(20), .percent = 100}};
    Registrations registrations{nullptr, &damping};
    env::ConnId conn{10};
    std::int64_t timestamp = 100;
    MonoTime now{seconds(1)};
};

TEST_F(DampedRegistrations, AreHeldButNotTold) {
    EXPECT_FALSE(offer().has_value());
    EXPECT_EQ(registrations.damped(), 1U);
    EXPECT_EQ(registrations.size(), 1U);
    EXPECT_EQ(registrations.owned_by(conn), 1U);
    EXPECT_EQ(told(), 0U);
    EXPECT_EQ(registrations.digest(kSlot).digest, SetDigest{});
}

TEST_F(DampedRegistrations, AreToldWhenTheyStayed) {
    offer();
    EXPECT_TRUE(registrations.release_damped(now + seconds(19)).empty());
    const auto released = registrations.release_damped(now + seconds(20));
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].order, (RegistOrder{1, timestamp}));
    EXPECT_EQ(released[0].owner_seq, registrations.stamp());
    EXPECT_EQ(registrations.damped(), 0U);
    EXPECT_EQ(told(), 4U);
    EXPECT_EQ(registrations.digest(kSlot).digest, digest_of(RegistId("p"), {1, timestamp}));
    EXPECT_TRUE(registrations.release_damped(now + seconds(40)).empty());
    EXPECT_TRUE(offer().has_value()) << "it changes";
    EXPECT_EQ(damping.probe().shown.value(), 1U);
}

TEST_F(DampedRegistrations, AreToldAsTheyAreByThenHoweverOftenTheyChange) {
    offer();
    for (int i = 1; i < 20; ++i) {
        now += seconds(1);
        EXPECT_FALSE(offer().has_value());
    }
    const auto released = registrations.release_damped(now + seconds(1));
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].publication->order, (RegistOrder{1, timestamp}));
}

TEST_F(DampedRegistrations, AreOfTheSameHoldAnewWheneverTheyCome) {
    offer();
    now += seconds(15);
    EXPECT_EQ(close().size(), 1U);
    EXPECT_EQ(registrations.damped(), 0U);
    offer();
    EXPECT_TRUE(registrations.release_damped(now + seconds(19)).empty());
    EXPECT_EQ(registrations.release_damped(now + seconds(20)).size(), 1U);
}

TEST_F(DampedRegistrations, LeaveAtOnce) {
    offer();
    const auto left = registrations.withdraw(RegistId("p"), kOrders, {1, ++timestamp}, now);
    ASSERT_TRUE(left.has_value());
    EXPECT_EQ(left->publication, nullptr);
    EXPECT_EQ(registrations.size(), 0U);
    EXPECT_EQ(registrations.digest(kSlot).count, 0U);
    EXPECT_TRUE(registrations.release_damped(now + seconds(100)).empty());
}

TEST_F(DampedRegistrations, AreSaidToHaveGoneToWhoServesTheSlotNext) {
    offer();
    EXPECT_EQ(registrations.went_lately({kSlot}).size(), 1U) << "its copy may not know";
    EXPECT_EQ(registrations.release_damped(now + seconds(20)).size(), 1U);
    EXPECT_TRUE(registrations.went_lately({kSlot}).empty());
}

TEST_F(DampedRegistrations, AreNotLetGoOfByWhatWasSaidBefore) {
    const std::uint64_t before = registrations.stamp();
    offer();
    EXPECT_FALSE(registrations.let_go(RegistId("p"), before));
    EXPECT_EQ(registrations.damped(), 1U);
}

TEST_F(DampedRegistrations, WaitUntilTheirClientIsHeardAgain) {
    offer();
    registrations.suspect_connection(conn, seconds(60), now);
    open();
    EXPECT_TRUE(registrations.release_damped(now + seconds(30)).empty());
    now += seconds(30);
    offer();
    EXPECT_EQ(registrations.release_damped(now).size(), 1U) << "it was there all the time";
}

TEST_F(DampedRegistrations, AreNoMoreOnceTheyWereSentElsewhereAndLetGo) {
    offer();
    registrations.depart_connection(conn, seconds(15), now);
    EXPECT_TRUE(registrations.release_damped(now + seconds(20)).empty());
    EXPECT_TRUE(registrations.let_go(RegistId("p"), registrations.stamp()));
    EXPECT_EQ(registrations.damped(), 0U);
}

TEST_F(DampedRegistrations, KeepTheirLease) {
    offer(seconds(15));
    registrations.keep_lease(RegistId("p"), now + seconds(10));
    EXPECT_TRUE(expire(now + seconds(24)).empty());
    EXPECT_EQ(registrations.release_damped(now + seconds(24)).size(), 1U);
    EXPECT_EQ(expire(now + seconds(25)).size(), 1U);
    EXPECT_EQ(registrations.digest(kSlot).count, 0U);
}

TEST_F(DampedRegistrations, FallSilent) {
    offer(seconds(15));
    EXPECT_EQ(expire(now + seconds(15)).size(), 1U);
    EXPECT_EQ(registrations.damped(), 0U);
}

TEST_F(DampedRegistrations, AreCountedAgainInTheSlotsOfANewTable) {
    offer();
    registrations.set_slot_count(4);
    for (std::uint16_t slot = 0; slot < 4; ++slot) {
        EXPECT_EQ(registrations.digest(SlotId(slot)).count, 0U);
    }
    EXPECT_EQ(registrations.release_damped(now + seconds(20)).size(), 1U);
    EXPECT_EQ(registrations.digest(slot_of(*kOrders, 4)).count, 1U);
}

// What this session, the brake or the balance did is not the instance's doing.
class NoFlips : public ::testing::Test {
protected:
    NoFlips() {
        registrations.open_connection(kOther);
        offer();
    }
    void offer() {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("p");
        publication->service = kOrders;
        publication->order = {1, ++timestamp};
        EXPECT_TRUE(*registrations.offer(publication, kOther, {}, now));
    }
    void expire() {
        now += seconds(60);
        EXPECT_EQ(registrations.expire_leases(
                                   now, [](std::size_t) { return true; }, seconds(60))
                      .size(),
                  1U);
    }
    void expect_none() {
        EXPECT_EQ(damping.probe().flips.value(), 0U);
        EXPECT_EQ(damping.tracked(), 0U);
    }

    FlapDamping damping{{.flips = 1, .window = seconds(60), .hold = seconds(20)}};
    Registrations registrations{nullptr, &damping};
    std::int64_t timestamp = 100;
    MonoTime now{seconds(1)};
};

TEST_F(NoFlips, AreComingsBackWithinTheGrace) {
    for (int i = 0; i < 10; ++i) {
        registrations.release_connection(kOther, seconds(14), now);
        offer();
        registrations.suspect_connection(kOther, seconds(60), now);
        offer();
        registrations.depart_connection(kOther, seconds(15), now);
        offer();
    }
    expect_none();
}

TEST_F(NoFlips, AreWhatTheBrakeKeptInVain) {
    for (int i = 0; i < 10; ++i) {
        registrations.suspect_connection(kOther, seconds(60), now);
        expire();
        offer();
    }
    expect_none();
}

TEST_F(NoFlips, AreWhatWasSentElsewhere) {
    for (int i = 0; i < 10; ++i) {
        registrations.depart_connection(kOther, seconds(15), now);
        expire();
        offer();
        EXPECT_TRUE(registrations.let_go(RegistId("p"), registrations.stamp()));
        offer();
    }
    expect_none();
}

}  // namespace
}  // namespace muster::session
