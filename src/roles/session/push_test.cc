#include "roles/session/push.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});

class Port final : public msg::ClientPort {
public:
    struct Sent {
        env::ConnId conn;
        Version version;
        bool delta = false;
        std::vector<std::string> subscribers;
        bool complete = false;
    };
    void reply(env::ConnId, const msg::RequestReply&) override {}
    void push(const msg::PushOrder& order) override {
        ++orders;
        for (const auto& target : order.targets) {
            sent.push_back({target.conn,
                            order.view->version,
                            order.delta != nullptr,
                            {target.subscribers.begin(), target.subscribers.end()},
                            order.view->complete});
        }
    }
    void push_config(env::ConnId, const msg::ConfigPush&) override {}
    void hint(env::ConnId, const msg::ServerHint&) override {}
    [[nodiscard]] bool shows_incomplete() const override {
        return incomplete;
    }
    [[nodiscard]] bool takes_deltas() const override {
        return deltas;
    }
    [[nodiscard]] bool congested(env::ConnId) const override {
        return full;
    }
    void close(env::ConnId, const Error&) override {}

    std::vector<Sent> sent;
    int orders = 0;
    bool incomplete = true;
    bool deltas = true;
    bool full = false;
};

class PusherTest : public ::testing::Test {
protected:
    PusherTest() {
        tell(5, {"p", "q", "r"});
    }
    void tell(std::uint64_t version, const std::vector<std::string>& ids, bool settled = true) {
        DatumSnapshot snapshot{.service = kOrders, .version = Version(version), .settled = settled};
        for (const auto& id : ids) {
            auto publication = std::make_shared<Publication>();
            publication->id = RegistId(id);
            publication->service = kOrders;
            snapshot.publications.push_back(publication);
        }
        (void)copies.fold(snapshot);
    }
    static ListKey list(std::uint64_t conn) {
        return {.conn = env::ConnId(conn), .scope = Scope::global, .zone = "a"};
    }
    void add(std::uint64_t conn, const std::string& id, Version held = {}) {
        pusher.add(kOrders, list(conn), RegistId(id), {}, {.version = held});
    }
    [[nodiscard]] const List& list_of(std::uint64_t conn) const {
        return pusher.lists().of(*kOrders)->lists.at(list(conn));
    }
    void go_on() {
        pusher.go_on([this](const Service&) { return &copy; }, now);
    }
    std::vector<Port::Sent> offer() {
        port.sent.clear();
        port.orders = 0;
        pusher.offer(copy, now);
        return port.sent;
    }
    bool acknowledge(std::uint64_t conn, std::uint64_t version, bool ok = true) {
        return pusher.acknowledge(*kOrders, list(conn), Version(version), ok, now);
    }

    Port port;
    DatumCopies copies{16};
    DatumCopy& copy = copies.find_or_make(kOrders);
    Stages stages;
    Pusher pusher{{.updates_at_once = 100}, [this](env::ConnId) { return &port; }, stages};
    MonoTime now{seconds(1)};
};

TEST_F(PusherTest, SendsAtOnceWhenNothingIsInFlight) {
    add(1, "s");
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_EQ(port.sent.front().version, Version(5));
    EXPECT_FALSE(port.sent.front().delta);
}

TEST_F(PusherTest, RemembersOnlyTheNewestWhileOneIsInFlight) {
    add(1, "s");
    (void)offer();
    tell(6, {"p", "q"});
    EXPECT_TRUE(offer().empty());
    tell(7, {"p"});
    EXPECT_TRUE(offer().empty());
    EXPECT_TRUE(acknowledge(1, 5));
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_EQ(port.sent.front().version, Version(7));
    EXPECT_FALSE(acknowledge(1, 7)) << "nothing newer is due";
    EXPECT_TRUE(offer().empty());
}

// What was counted of kOrders so far: how often, and the longest in microseconds.
std::pair<std::uint64_t, std::uint64_t> counted(const Stages& stages, Stage stage) {
    const auto measured = stages.of(*kOrders);
    const auto& told = measured->stages.at(static_cast<std::size_t>(stage));
    std::uint64_t count = 0;
    for (const std::uint64_t one : told.counts) {
        count += one;
    }
    return {count, told.max_us};
}

TEST_F(PusherTest, TimesAChangeFromItsBeginningToItsAcknowledgement) {
    using std::chrono::milliseconds;
    stages.measure(*kOrders, now, now + seconds(600));
    add(1, "s");
    pusher.note_change(*kOrders, now - seconds(9), now);
    (void)offer();
    now += milliseconds(2);
    const MonoTime first = now;
    tell(6, {"p", "q"});
    pusher.note_change(*kOrders, first - milliseconds(10), first);
    EXPECT_TRUE(offer().empty()) << "the first list is in flight";
    now += milliseconds(20);
    tell(7, {"p"});
    pusher.note_change(*kOrders, now - milliseconds(1), now);
    (void)offer();
    (void)acknowledge(1, 5);
    EXPECT_EQ(counted(stages, Stage::end_to_end).first, 0U) << "it subscribed after that change";
    now += milliseconds(3);
    ASSERT_EQ(offer().size(), 1U);
    using Counted = std::pair<std::uint64_t, std::uint64_t>;
    EXPECT_EQ(counted(stages, Stage::session_to_push), (Counted{1, 23'000})) << "of the oldest";
    now += milliseconds(4);
    (void)acknowledge(1, 7);
    EXPECT_EQ(counted(stages, Stage::push_to_ack), (Counted{1, 4'000}));
    EXPECT_EQ(counted(stages, Stage::end_to_end), (Counted{1, 37'000})) << "both in one push";
}

TEST_F(PusherTest, TimesAChangeThatIsSentTwiceFromItsBeginning) {
    using std::chrono::milliseconds;
    stages.measure(*kOrders, now, now + seconds(600));
    add(1, "s");
    (void)offer();
    (void)acknowledge(1, 5);
    tell(6, {"p", "q"});
    pusher.note_change(*kOrders, now - milliseconds(10), now);
    ASSERT_EQ(offer().size(), 1U);
    now += seconds(5);
    ASSERT_EQ(pusher.expire(now).size(), 1U);
    ASSERT_EQ(offer().size(), 1U);
    now += milliseconds(1);
    (void)acknowledge(1, 6);
    using Counted = std::pair<std::uint64_t, std::uint64_t>;
    EXPECT_EQ(counted(stages, Stage::end_to_end), (Counted{1, 5'011'000}));
    EXPECT_EQ(counted(stages, Stage::push_to_ack), (Counted{1, 1'000})) << "of the last push";
    EXPECT_EQ(counted(stages, Stage::session_to_push), (Counted{2, 5'000'000}));
}

TEST_F(PusherTest, RemembersSinceWhenAListIsBehind) {
    const auto behind = [&] { return list_of(1).behind_since(); };
    const MonoTime came = now;
    add(1, "s");
    (void)offer();
    EXPECT_EQ(behind(), came) << "it has nothing yet";
    now += seconds(1);
    tell(6, {"p", "q"});
    (void)offer();
    const MonoTime changed = now;
    now += seconds(1);
    tell(7, {"p"});
    (void)offer();
    EXPECT_EQ(behind(), came);
    now += seconds(1);
    (void)acknowledge(1, 5);
    EXPECT_EQ(behind(), changed) << "since the first change it has not acknowledged";
    (void)offer();
    EXPECT_EQ(behind(), changed);
    (void)acknowledge(1, 7);
    EXPECT_EQ(behind(), std::nullopt);
}

TEST_F(PusherTest, CallsAListBehindSinceItFirstWasWhenPushesAreLost) {
    add(1, "s");
    (void)offer();
    (void)acknowledge(1, 5);
    now += seconds(1);
    const MonoTime changed = now;
    tell(6, {"p", "q"});
    (void)offer();
    now += seconds(5);
    EXPECT_EQ(pusher.expire(now).size(), 1U);
    (void)offer();
    EXPECT_EQ(list_of(1).behind_since(), changed);
}

TEST_F(PusherTest, TakesNothingFromWhoHoldsWhatTheCopyDoubtsUntilItIsToldAnew) {
    add(1, "s");
    copy.doubt(Version(4));
    pusher.add(kOrders, list(2), RegistId("s"), {}, {.version = Version(4), .stray = true});
    ASSERT_EQ(offer().size(), 2U);
    EXPECT_TRUE(port.sent.front().complete);
    EXPECT_FALSE(port.sent.back().complete);
    (void)acknowledge(2, 5);
    tell(6, {"p"}, false);
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_FALSE(port.sent.front().complete);
    (void)acknowledge(2, 6);
    tell(7, {"p"});
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_TRUE(port.sent.front().complete);
    EXPECT_FALSE(port.sent.front().delta) << "it may hold more than the copy ever did";
}

TEST_F(PusherTest, TakesNothingFromWhoHoldsWhatTheCopyPassedBy) {
    add(1, "s", Version(5));
    add(2, "s", Version(8));
    add(3, "s", Version(9));
    (void)offer();
    (void)acknowledge(1, 5);
    EXPECT_TRUE(pusher.note_strays(copy, Version(4)).empty()) << "nothing was passed by";
    tell(9, {"p"}, false);
    EXPECT_EQ(pusher.note_strays(copy, Version(5)), std::set{Version(8)});
    copy.doubt(Version(8));
    ASSERT_EQ(offer().size(), 3U);
    for (const auto& sent : port.sent) {
        EXPECT_EQ(sent.complete, sent.conn != env::ConnId(2)) << sent.conn.raw();
    }
}

TEST_F(PusherTest, SendsDifferencesFromWhatIsAcknowledged) {
    add(1, "s");
    (void)offer();
    (void)acknowledge(1, 5);
    tell(6, {"p", "q", "r", "s"});
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_TRUE(port.sent.front().delta);
}

TEST_F(PusherTest, SendsTheWholeListToWhoCouldNotUseADifference) {
    add(1, "s");
    (void)offer();
    (void)acknowledge(1, 5);
    tell(6, {"p", "q", "r", "s"});
    (void)offer();
    EXPECT_TRUE(acknowledge(1, 6, false));
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_FALSE(port.sent.front().delta);
}

TEST_F(PusherTest, SharesOneOrderAmongConnectionsOfTheSameList) {
    add(1, "s");
    add(2, "t");
    EXPECT_EQ(offer().size(), 2U);
    EXPECT_EQ(port.orders, 1);
}

TEST_F(PusherTest, SendsNothingBeforeAnythingIsKnown) {
    DatumCopies unknown(16);
    DatumCopy& nothing = unknown.find_or_make(kOrders);
    add(1, "s");
    pusher.offer(nothing, now);
    EXPECT_TRUE(port.sent.empty());
}

TEST_F(PusherTest, KeepsIncompleteListsFromDoorsThatCannotShowThem) {
    DatumCopies unsettled(16);
    DatumCopy& part = unsettled.find_or_make(kOrders);
    (void)unsettled.fold(DatumSnapshot{.service = kOrders, .version = Version(8)});
    add(1, "s");
    port.incomplete = false;
    pusher.offer(part, now);
    EXPECT_TRUE(port.sent.empty());
    (void)unsettled.fold(DatumSnapshot{.service = kOrders, .version = Version(9), .settled = true});
    pusher.offer(part, now);
    EXPECT_EQ(port.sent.size(), 1U);
}

TEST_F(PusherTest, PassesOverACongestedConnectionUntilItDrains) {
    add(1, "s");
    port.full = true;
    EXPECT_TRUE(offer().empty());
    port.full = false;
    pusher.offer(copy, env::ConnId(1), now);
    EXPECT_EQ(port.sent.size(), 1U);
}

TEST_F(PusherTest, GivesUpAPushThatIsNotAcknowledgedAndSendsTheWholeAnew) {
    add(1, "s");
    (void)offer();
    EXPECT_TRUE(pusher.expire(now + seconds(4)).empty());
    EXPECT_EQ(pusher.expire(now + seconds(5)), std::vector{kOrders});
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_FALSE(port.sent.front().delta);
}

TEST_F(PusherTest, TellsALateSubscriberOfAListThatOthersHave) {
    add(1, "s");
    (void)offer();
    (void)acknowledge(1, 5);
    add(1, "t");
    ASSERT_EQ(offer().size(), 1U);
    EXPECT_EQ(port.sent.front().subscribers.size(), 2U);
}

TEST_F(PusherTest, SendsNothingLowerThanWhatAClientHolds) {
    add(1, "s", Version(9));
    EXPECT_TRUE(offer().empty());
    tell(10, {"p"});
    EXPECT_EQ(offer().size(), 1U);
}

TEST_F(PusherTest, ForgetsAListWithItsLastSubscriber) {
    add(1, "s");
    add(1, "t");
    EXPECT_EQ(pusher.remove(env::ConnId(1), RegistId("s")), nullptr);
    EXPECT_EQ(pusher.remove(env::ConnId(1), RegistId("t")), kOrders);
    EXPECT_EQ(pusher.lists().of(*kOrders), nullptr);
    EXPECT_TRUE(offer().empty());
}

TEST_F(PusherTest, CountsAcknowledgementsOfWhatWasNotSent) {
    add(1, "s");
    (void)offer();
    EXPECT_FALSE(acknowledge(1, 9)) << "of a version that is not there yet";
    EXPECT_FALSE(acknowledge(1, 4));
    EXPECT_FALSE(acknowledge(1, 0));
    EXPECT_EQ(pusher.probe().acks_unasked.value(), 3U);
    EXPECT_EQ(pusher.probe().acks_ahead.value(), 1U);
    EXPECT_EQ(list_of(1).acknowledged, Version{}) << "they change nothing";
    EXPECT_EQ(list_of(1).in_flight(), Version(5));
    (void)acknowledge(1, 5);
    tell(6, {"p"});
    ASSERT_EQ(offer().size(), 1U) << "it is told as before";
    EXPECT_FALSE(acknowledge(1, UINT64_MAX));
    EXPECT_EQ(pusher.probe().acks_ahead.value(), 2U);
}

TEST_F(PusherTest, KeepsNothingButTheVersionOfAListAtRest) {
    add(1, "s");
    (void)offer();
    EXPECT_NE(list_of(1).detail, nullptr);
    (void)acknowledge(1, 5);
    EXPECT_EQ(list_of(1).detail, nullptr);
    tell(6, {"p"});
    (void)offer();
    (void)acknowledge(1, 6);
    EXPECT_EQ(list_of(1).detail, nullptr);
}

TEST_F(PusherTest, NamesWhoIsSilentForTooLong) {
    add(1, "s");
    add(2, "s");
    (void)offer();
    (void)acknowledge(2, 5);
    const MonoTime sent = now;
    while (now - sent < seconds(300)) {
        EXPECT_TRUE(pusher.take_silent().empty()) << (now - sent).count();
        now += seconds(5);
        EXPECT_EQ(pusher.expire(now).size(), 1U);
        EXPECT_EQ(pusher.lists().late(), 1U) << "it is behind";
        EXPECT_EQ(offer().size(), 1U) << "and told again";
    }
    EXPECT_EQ(pusher.take_silent(), std::set{env::ConnId(1)});
    EXPECT_TRUE(pusher.take_silent().empty());
    (void)acknowledge(1, 5);
    EXPECT_EQ(pusher.lists().late(), 0U);
}

TEST_F(PusherTest, IsPatientWithWhoAcknowledgesSomethingNowAndThen) {
    add(1, "s");
    std::uint64_t version = 5;
    for (int i = 0; i < 200; ++i) {
        (void)offer();
        now += seconds(4);
        (void)pusher.expire(now);
        (void)acknowledge(1, version);
        tell(++version, {"p"});
    }
    EXPECT_TRUE(pusher.take_silent().empty());
}

TEST_F(PusherTest, NamesWhoseConnectionDoesNotDrainForTooLong) {
    add(1, "s");
    port.full = true;
    (void)offer();
    for (int i = 0; i < 60; ++i) {
        EXPECT_TRUE(pusher.take_silent().empty());
        now += seconds(5);
        (void)pusher.expire(now);
    }
    EXPECT_EQ(pusher.take_silent(), std::set{env::ConnId(1)});
    EXPECT_EQ(pusher.lists().late(), 1U);
    EXPECT_EQ(pusher.remove(env::ConnId(1), RegistId("s")), kOrders);
    EXPECT_EQ(pusher.lists().late(), 0U);
}

class PusherTurns : public PusherTest {
protected:
    // 250 clients have the list, and it changes.
    PusherTurns() {
        for (std::uint64_t conn = 1; conn <= 250; ++conn) {
            add(conn, "s");
            pusher.offer(copy, env::ConnId(conn), now);
            (void)acknowledge(conn, 5);
        }
        tell(6, {"p"});
    }
    std::size_t sent() {
        return std::exchange(port.sent, {}).size();
    }
};

TEST_F(PusherTurns, WhoHasJustSubscribedIsToldBeforeUpdatesThatWait) {
    EXPECT_EQ(offer().size(), 100U);
    EXPECT_TRUE(pusher.wants_turn());
    (void)sent();
    add(1000, "new");
    pusher.offer(copy, env::ConnId(1000), now);
    ASSERT_EQ(port.sent.size(), 1U);
    EXPECT_EQ(port.sent.front().conn, env::ConnId(1000));
    (void)sent();
    go_on();
    EXPECT_EQ(sent(), 100U);
    go_on();
    EXPECT_EQ(sent(), 50U);
    EXPECT_FALSE(pusher.wants_turn());
}

TEST_F(PusherTurns, EverybodyIsToldTheNewestWhatEverChangesMeanwhile) {
    (void)offer();
    for (std::uint64_t version = 7; version < 12; ++version) {
        for (const auto& one : std::exchange(port.sent, {})) {
            (void)acknowledge(one.conn.raw(), one.version.raw());
        }
        tell(version, {"p", "q" + std::to_string(version)});
        pusher.offer(copy, now);
        go_on();
    }
    std::map<env::ConnId, Version> told;
    for (int turn = 0; turn < 10; ++turn) {
        for (const auto& one : std::exchange(port.sent, {})) {
            told[one.conn] = one.version;
            (void)acknowledge(one.conn.raw(), one.version.raw());
        }
        go_on();
    }
    EXPECT_FALSE(pusher.wants_turn());
    EXPECT_EQ(told.size(), 250U);
    for (const auto& [conn, version] : told) {
        EXPECT_EQ(version, Version(11)) << conn.raw();
    }
}

TEST_F(PusherTurns, WhatEndsMeanwhileIsPassedOver) {
    (void)offer();
    for (std::uint64_t conn = 1; conn <= 250; ++conn) {
        (void)pusher.remove_all(env::ConnId(conn));
    }
    (void)sent();
    go_on();
    EXPECT_FALSE(pusher.wants_turn());
    EXPECT_EQ(sent(), 0U);
    add(7, "s");
    EXPECT_EQ(offer().size(), 1U);
}

}  // namespace
}  // namespace muster::session
