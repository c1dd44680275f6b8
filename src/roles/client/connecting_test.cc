#include <set>

#include <gtest/gtest.h>

#include "roles/client/server_choice.h"
#include "roles/client/test_world.h"

namespace muster::client::test {
namespace {

TEST(ClientConnecting, WalksThroughItsStates) {
    World world;
    EXPECT_EQ(world.role().status().state, ClientState::stopped);
    world.connect();
    world.role().on_link_down(world.current(), {.code = Errc::closed});
    world.await_connect();
    world.role().stop();
    EXPECT_EQ(world.seen.states, (std::vector{ClientState::connecting, ClientState::connected,
                                              ClientState::disconnected, ClientState::connecting,
                                              ClientState::stopped}));
    world.advance(1h);
    EXPECT_EQ(world.link.connects.size(), 2U) << "stopped is stopped";
    world.role().start();
    EXPECT_EQ(world.link.connects.size(), 3U);
}

TEST(ClientConnecting, FirstRetryIsFastAndLaterOnesAreSpread) {
    World world({.first_retry_spread = 50ms, .retry_base = 100ms, .retry_max = 2s});
    world.connect();
    world.advance(10s);
    world.role().on_link_down(world.current(), {.code = Errc::closed});
    world.advance(50ms);
    ASSERT_EQ(world.link.connects.size(), 2U);
    Duration longest{};
    for (int i = 0; i < 20; ++i) {
        const MonoTime before = world.time.mono();
        world.role().on_link_down(world.current(), {.code = Errc::unavailable});
        world.await_connect();
        longest = std::max(longest, world.time.mono() - before);
    }
    EXPECT_LE(longest, 2s + 10ms);
    EXPECT_GE(longest, 1s);
}

TEST(ClientConnecting, ServerThatAcceptsAndClosesIsNotHammered) {
    World world({.retry_base = 100ms, .retry_max = 2s, .stable_after = 5s});
    world.connect();
    const MonoTime before = world.time.mono();
    for (int i = 0; i < 10; ++i) {
        world.reconnect();
    }
    EXPECT_GE(world.time.mono() - before, 6s);
}

TEST(ClientConnecting, MovesOnToTheNextServerAfterEachFailure) {
    World world({.servers = {"s:1", "s:2", "s:3"}});
    world.role().start();
    std::set<std::string> tried{world.link.connects[0].server};
    for (int i = 0; i < 2; ++i) {
        world.role().on_link_down(world.current(), {.code = Errc::unavailable});
        world.await_connect();
        tried.insert(world.link.connects.back().server);
    }
    EXPECT_EQ(tried.size(), 3U);
}

TEST(ClientConnecting, GivesUpAnAttemptThatTakesTooLong) {
    World world({.connect_timeout = 3s});
    world.role().start();
    world.advance(3s);
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(1)});
    world.advance(100ms);
    ASSERT_EQ(world.link.connects.size(), 2U);
    world.role().on_link_up(LinkId(1));
    EXPECT_EQ(world.role().status().state, ClientState::connecting) << "that came too late";
}

TEST(ClientConnecting, WaitsForServersWhenItKnowsNone) {
    World world;
    world.role().set_servers({});
    world.role().start();
    EXPECT_TRUE(world.link.connects.empty());
    world.advance(10s);
    world.role().set_servers({"late:1"});
    world.advance(0ms);
    ASSERT_EQ(world.link.connects.size(), 1U);
    EXPECT_EQ(world.link.connects[0].server, "late:1");
}

TEST(ClientConnecting, SendsHeartbeatsAndGivesUpAServerThatIsSilent) {
    World world({.heartbeat_interval = 5s, .heartbeats_missed_max = 3});
    world.connect();
    world.advance(5s);
    EXPECT_EQ(world.link.heartbeats.size(), 1U);
    world.role().on_heartbeat_ack(world.current());
    world.advance(15s);
    EXPECT_EQ(world.link.heartbeats.size(), 4U);
    EXPECT_EQ(world.role().status().state, ClientState::connected);
    world.advance(5s);
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(1)});
    world.advance(50ms);
    EXPECT_EQ(world.link.connects.size(), 2U);
    EXPECT_EQ(world.metric("links_lost_total"), 1);
}

TEST(ClientConnecting, AnythingHeardCountsAsALifeSign) {
    World world({.heartbeat_interval = 1s});
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    world.connect();
    world.answer(world.take_one<msg::Subscribe>());
    for (std::uint64_t version = 1; version < 20; ++version) {
        world.advance(1s);
        world.role().on_push(world.current(), full({version, {"p"}}));
    }
    EXPECT_EQ(world.role().status().state, ClientState::connected);
}

// A client frozen for an hour (suspended laptop) finds one late timer, not an hour of misses.
TEST(ClientConnecting, PauseOfTheClientIsNoSilenceOfTheServer) {
    World world({.heartbeat_interval = 1s});
    world.connect();
    world.role().on_timer(env::TimerKey(3));
    world.role().on_timer(env::TimerKey(3));
    EXPECT_EQ(world.role().status().state, ClientState::connected);
}

TEST(ClientMoving, ConnectsToTheNewServerBeforeItDropsTheOldOne) {
    World world({.move_spread = 100ms});
    world.publish("x:1");
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    world.connect();
    world.answer(world.take_one<msg::RegisterPublishers>());
    world.answer(world.take_one<msg::Subscribe>());
    world.role().on_hint(world.current(), {.servers = {"s:1", "s:2"}, .move_to = "s:2"});
    world.advance(100ms);
    ASSERT_EQ(world.link.connects.size(), 2U);
    EXPECT_EQ(world.link.connects[1].server, "s:2");
    EXPECT_TRUE(world.link.disconnects.empty());
    world.role().on_link_up(LinkId(2));
    EXPECT_TRUE(world.link.disconnects.empty()) << "not before it is registered at the new one";
    ASSERT_EQ(world.link.sent.front().link, LinkId(2));
    world.answer(world.take_one<msg::RegisterPublishers>());
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(1)});
    EXPECT_EQ(world.role().status().server, "s:2");
    world.role().on_link_down(LinkId(1), {.code = Errc::closed});
    EXPECT_EQ(world.role().status().state, ClientState::connected);
}

TEST(ClientMoving, StaysWhereItIsWhenTheNewServerCannotBeReached) {
    World world({.move_spread = 0ms});
    world.connect();
    world.role().on_hint(world.current(), {.move_to = "s:2"});
    world.advance(0ms);
    world.role().on_link_down(LinkId(2), {.code = Errc::unavailable});
    EXPECT_EQ(world.role().status().state, ClientState::connected);
    EXPECT_EQ(world.role().status().server, "s:1");
    // And so when nothing is heard of it.
    world.role().on_hint(LinkId(1), {.move_to = "s:2"});
    world.advance(4s);
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(3)});
    EXPECT_EQ(world.role().status().server, "s:1");
}

TEST(ClientMoving, LosingTheOldServerMeanwhileMakesTheNewOneTheOnlyOne) {
    World world({.move_spread = 0ms});
    world.publish("x:1");
    world.connect();
    world.role().on_hint(world.current(), {.move_to = "s:2"});
    world.advance(0ms);
    world.role().on_link_down(LinkId(1), {.code = Errc::closed});
    EXPECT_EQ(world.role().status().state, ClientState::connecting);
    EXPECT_EQ(world.role().status().server, "s:2");
    world.link.sent.clear();
    world.role().on_link_up(LinkId(2));
    EXPECT_EQ(world.take<msg::RegisterPublishers>().size(), 1U);
}

TEST(ClientMoving, DropsTheOldServerInTheEnd) {
    World world({.move_spread = 0ms, .move_drain_max = 2s});
    world.publish("x:1");
    world.connect();
    world.role().on_hint(world.current(), {.move_to = "s:2"});
    world.advance(0ms);
    world.role().on_link_up(LinkId(2));
    world.advance(2s);
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(1)});
}

TEST(ServerChoice, TriesAllBeforeAnyTwiceAndKeepsConfiguredOnes) {
    Prng prng(3);
    ServerChoice choice({"a", "b", "a", ""}, 10, prng);
    choice.learn({"c", "d"});
    std::multiset<std::string> tried;
    for (int i = 0; i < 8; ++i) {
        tried.insert(choice.next());
    }
    EXPECT_EQ(tried, (std::multiset<std::string>{"a", "a", "b", "b", "c", "c", "d", "d"}));
}

TEST(ServerChoice, SamplesAHintOverTheBound) {
    Prng prng(3);
    ServerChoice choice({}, 5, prng);
    EXPECT_EQ(choice.next(), "");
    std::vector<std::string> many;
    for (int i = 0; i < 100; ++i) {
        many.push_back("s:" + std::to_string(i));
    }
    choice.learn(many);
    std::set<std::string> tried;
    for (int i = 0; i < 20; ++i) {
        tried.insert(choice.next());
    }
    EXPECT_EQ(tried.size(), 5U);
}

}  // namespace
}  // namespace muster::client::test
