#include "roles/session/waiting_room.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::session {
namespace {

using testing::ElementsAre;

constexpr env::ConnId kA{1};
constexpr env::ConnId kB{2};
constexpr env::ConnId kC{3};

ServicePtr orders() {
    static const ServicePtr service = std::make_shared<const Service>(Service{.data_id = "orders"});
    return service;
}

msg::ClientMessage registering(const std::string& id, std::size_t items = 1,
                               std::size_t bytes = 0) {
    msg::RegisterPublishers request;
    for (std::size_t i = 0; i < items; ++i) {
        request.publications.push_back(std::make_shared<Publication>(Publication{
            .id = RegistId(id), .service = orders(), .boxes = {std::string(bytes, 'x')}}));
    }
    return request;
}
msg::ClientMessage unregistering(const std::string& id) {
    return msg::UnregisterPublishers{.items = {{.id = RegistId(id), .service = orders()}}};
}
msg::ClientMessage subscribing(const std::string& id, bool once = false) {
    return msg::Subscribe{.items = {{.subscription = {.id = RegistId(id), .service = orders()}}},
                          .once = once};
}
msg::ClientMessage asking(const std::string& id) {
    return subscribing(id, true);
}
msg::ClientMessage unsubscribing(const std::string& id) {
    return msg::Unsubscribe{.items = {{.id = RegistId(id), .service = orders()}}};
}
msg::ClientMessage watching(const std::string& id) {
    return msg::WatchConfig{.watch = {.id = RegistId(id), .key = orders()}};
}

std::string name_of(const WaitingRoom::Request& request) {
    if (const auto* closing = std::get_if<WaitingRoom::Closing>(&request)) {
        return "close " + std::to_string(closing->conn.raw());
    }
    if (const auto* question = std::get_if<WaitingRoom::Question>(&request)) {
        return "services " + std::to_string(question->token);
    }
    const auto& message = std::get<WaitingRoom::Said>(request).message;
    if (const auto* on = std::get_if<msg::RegisterPublishers>(&message)) {
        return "+pub " + on->publications.front()->id.raw();
    }
    if (const auto* off = std::get_if<msg::UnregisterPublishers>(&message)) {
        return "-pub " + off->items.front().id.raw();
    }
    if (const auto* on = std::get_if<msg::Subscribe>(&message)) {
        return (on->once ? "?sub " : "+sub ") + on->items.front().subscription.id.raw();
    }
    if (const auto* off = std::get_if<msg::Unsubscribe>(&message)) {
        return "-sub " + off->items.front().id.raw();
    }
    return "other";
}

class WaitingRoomTest : public ::testing::Test {
protected:
    // Whether it was carried out as it came.
    bool say(env::ConnId conn, const msg::ClientMessage& message) {
        if (room.passes(conn, message)) {
            return true;
        }
        room.put(conn, message);
        return false;
    }
    // Fills the millisecond, so that all that may wait does.
    void saturate() {
        room.begin_turn();
        ASSERT_TRUE(say(kC, registering("much", options.at_once)));
    }
    std::vector<std::string> turn() {
        std::vector<std::string> taken;
        room.begin_turn();
        while (auto request = room.take()) {
            taken.push_back(name_of(*request));
        }
        return taken;
    }

    WaitingOptions options{
        .at_once = 16, .registers_max = 100, .subscribes_max = 100, .queries_max = 4};
    WaitingRoom room{options};
};

TEST_F(WaitingRoomTest, LetsAllPassWhileThereIsLittle) {
    int turns = 0;
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(say(kA, registering("a")));
        EXPECT_TRUE(say(kB, asking("b")));
        EXPECT_TRUE(say(kB, unsubscribing("b")));
        if (room.wants_turn()) {
            ++turns;
            EXPECT_THAT(turn(), ElementsAre());
        }
    }
    EXPECT_EQ(turns, 200 / 8) << "after each half of at_once";
    EXPECT_TRUE(room.question_passes());
    EXPECT_TRUE(room.empty());
}

TEST_F(WaitingRoomTest, LetsAtLeastHalfOfWhatMayPassInATurn) {
    for (int i = 0; i < 7; ++i) {
        EXPECT_TRUE(say(kA, subscribing("s")));
    }
    EXPECT_FALSE(room.wants_turn());
    for (int i = 0; i < 9; ++i) {
        EXPECT_TRUE(say(kA, subscribing("s")));
        EXPECT_TRUE(room.wants_turn());
    }
    EXPECT_FALSE(say(kA, subscribing("s")));
    turn();
    EXPECT_FALSE(room.wants_turn());
    EXPECT_TRUE(say(kA, subscribing("s")));
}

TEST_F(WaitingRoomTest, TakesRegisteringThenSubscribingThenQueriesWhateverCameFirst) {
    saturate();
    EXPECT_FALSE(say(kA, asking("q")));
    EXPECT_FALSE(room.question_passes());
    room.put({.token = 7});
    EXPECT_FALSE(say(kA, subscribing("s")));
    EXPECT_FALSE(say(kB, registering("p")));
    EXPECT_FALSE(say(kB, watching("w")));
    EXPECT_THAT(turn(), ElementsAre("+pub p", "other", "?sub q", "services 7", "+sub s"));
    EXPECT_TRUE(room.empty());
}

TEST_F(WaitingRoomTest, LeavingAndAcknowledgementsNeverWait) {
    saturate();
    EXPECT_FALSE(say(kA, registering("p")));
    EXPECT_FALSE(say(kA, subscribing("s")));
    EXPECT_TRUE(say(kB, unregistering("x")));
    EXPECT_TRUE(say(kB, unsubscribing("x")));
    EXPECT_TRUE(say(kA, msg::PushAck{.service = orders()}));
    EXPECT_TRUE(room.closing_passes(kB));
}

TEST_F(WaitingRoomTest, NothingOvertakesWhatItsOwnConnectionSaidOfTheSame) {
    saturate();
    EXPECT_FALSE(say(kA, registering("p")));
    EXPECT_FALSE(say(kA, unregistering("p")));
    EXPECT_FALSE(say(kA, registering("p")));
    EXPECT_FALSE(say(kA, subscribing("s")));
    EXPECT_FALSE(say(kA, unsubscribing("s")));
    EXPECT_FALSE(say(kA, asking("q")));
    EXPECT_FALSE(say(kA, subscribing("t")));
    EXPECT_FALSE(say(kA, unsubscribing("q")));
    room.begin_turn();
    EXPECT_FALSE(say(kA, unregistering("p"))) << "not even when there is room again";
    EXPECT_THAT(turn(), ElementsAre("+pub p", "-pub p", "+pub p", "-pub p", "+sub s", "-sub s",
                                    "?sub q", "+sub t", "-sub q"));
    EXPECT_TRUE(say(kA, unregistering("p")));
}

TEST_F(WaitingRoomTest, WhatWaitsInAHigherClassKeepsLowerOnesWaiting) {
    saturate();
    EXPECT_FALSE(say(kA, registering("p")));
    room.begin_turn();
    EXPECT_FALSE(say(kB, subscribing("s")));
    EXPECT_THAT(turn(), ElementsAre("+pub p", "+sub s"));
    saturate();
    EXPECT_FALSE(say(kA, asking("q")));
    room.begin_turn();
    EXPECT_TRUE(say(kB, subscribing("s"))) << "a lower one does not";
}

TEST_F(WaitingRoomTest, ATurnTakesSoMuchAndEachClassHasAShare) {
    saturate();
    for (int i = 0; i < 40; ++i) {
        EXPECT_FALSE(say(kA, registering("p")));
        EXPECT_FALSE(say(kA, subscribing("s")));
        if (i < 4) {
            EXPECT_FALSE(say(kB, asking("q")));
        }
    }
    const auto count = [](const std::vector<std::string>& taken, const std::string& name) {
        return std::ranges::count(taken, name);
    };
    for (int i = 0; i < 3; ++i) {
        const auto taken = turn();
        EXPECT_EQ(count(taken, "+pub p"), 13);
        EXPECT_EQ(count(taken, "+sub s"), 2);
        EXPECT_EQ(count(taken, "?sub q"), 1);
    }
    const auto taken = turn();
    EXPECT_EQ(count(taken, "+pub p"), 1);
    EXPECT_EQ(count(taken, "+sub s"), 14) << "what others leave is taken";
    EXPECT_EQ(count(taken, "?sub q"), 1);
}

TEST_F(WaitingRoomTest, NothingStarvesBehindLargeRequests) {
    saturate();
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(say(kA, registering("p", 20)));
    }
    EXPECT_FALSE(say(kB, subscribing("s")));
    EXPECT_FALSE(say(kB, subscribing("t")));
    room.put({.token = 1});
    room.put({.token = 2});
    EXPECT_THAT(turn(), ElementsAre("+pub p", "+sub s", "services 1"));
    EXPECT_THAT(turn(), ElementsAre("+pub p", "+sub t", "services 2"));
    EXPECT_THAT(turn(), ElementsAre("+pub p"));
}

TEST_F(WaitingRoomTest, AClosedConnectionLeavesItsSubscribingAndQueriesUndone) {
    saturate();
    EXPECT_FALSE(say(kA, subscribing("a")));
    EXPECT_FALSE(say(kB, subscribing("b")));
    EXPECT_FALSE(say(kA, asking("q")));
    EXPECT_TRUE(room.closing_passes(kA));
    EXPECT_THAT(turn(), ElementsAre("+sub b"));
    EXPECT_TRUE(room.empty());
    EXPECT_TRUE(room.closing_passes(kB));
}

TEST_F(WaitingRoomTest, AClosingWaitsBehindTheConnectionsChanges) {
    saturate();
    EXPECT_FALSE(say(kA, registering("p")));
    EXPECT_FALSE(say(kA, unregistering("q")));
    EXPECT_FALSE(say(kA, subscribing("s")));
    EXPECT_FALSE(room.closing_passes(kA));
    EXPECT_FALSE(room.closing_passes(kA));
    EXPECT_THAT(turn(), ElementsAre("+pub p", "-pub q", "close 1"));
    EXPECT_TRUE(room.empty());
    EXPECT_TRUE(room.closing_passes(kA));
}

TEST_F(WaitingRoomTest, GivesTheOldestBackBeyondItsBounds) {
    saturate();
    EXPECT_FALSE(say(kA, registering("first", 60)));
    EXPECT_FALSE(room.take_excess());
    EXPECT_FALSE(say(kB, registering("second", 60)));
    const auto excess = room.take_excess();
    ASSERT_TRUE(excess);
    EXPECT_EQ(name_of(*excess), "+pub first");
    EXPECT_FALSE(room.take_excess());
    EXPECT_FALSE(say(kB, registering("large", 1, 60'000)));
    EXPECT_EQ(name_of(*room.take_excess()), "+pub second") << "a KiB counts as an item";
    EXPECT_FALSE(room.take_excess());
    EXPECT_FALSE(say(kB, registering("larger than all", 200)));
    EXPECT_EQ(name_of(*room.take_excess()), "+pub large");
    EXPECT_EQ(name_of(*room.take_excess()), "+pub larger than all");
    EXPECT_TRUE(room.empty());
}

TEST_F(WaitingRoomTest, SaysWhichConnectionsAreNotToBeReadForAWhile) {
    saturate();
    EXPECT_FALSE(say(kA, registering("a", 3)));
    EXPECT_FALSE(room.is_crowding(kA));
    EXPECT_FALSE(say(kA, subscribing("s")));
    EXPECT_TRUE(room.is_crowding(kA));
    EXPECT_FALSE(room.is_crowding(kA)) << "told once";
    EXPECT_FALSE(room.is_crowding(kB));
    EXPECT_THAT(room.take_relieved(), ElementsAre());
    EXPECT_THAT(turn(), ElementsAre("+pub a", "+sub s"));
    EXPECT_THAT(room.take_relieved(), ElementsAre(kA));
    EXPECT_THAT(room.take_relieved(), ElementsAre());
    saturate();
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(say(kA, registering("a")));
    }
    EXPECT_TRUE(room.is_crowding(kA));
    turn();
    EXPECT_THAT(room.take_relieved(), ElementsAre()) << "four wait";
    turn();
    EXPECT_THAT(room.take_relieved(), ElementsAre(kA));
}

TEST_F(WaitingRoomTest, IsFullWhenTheMostQueriesWait) {
    saturate();
    for (std::size_t i = 0; i < options.queries_max; ++i) {
        EXPECT_FALSE(room.is_full());
        room.put({.token = i});
    }
    EXPECT_TRUE(room.is_full());
    EXPECT_THAT(turn(), ElementsAre("services 0", "services 1", "services 2", "services 3"));
    EXPECT_FALSE(room.is_full());
}

}  // namespace
}  // namespace muster::session
