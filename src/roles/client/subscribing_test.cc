#include <gtest/gtest.h>

#include "roles/client/test_world.h"

namespace muster::client::test {
namespace {

// A world with one connected subscription of orders_list(), id "c-1".
struct Subscribed : World {
    explicit Subscribed(ClientOptions options = {}) : World(std::move(options)) {
        EXPECT_TRUE(role().subscribe(orders_list()).has_value());
        connect();
        answer(take_one<msg::Subscribe>());
    }
    void push(const msg::Push& push) {
        role().on_push(current(), push);
    }
    msg::PushAck ack() {
        return take_one<msg::PushAck>();
    }
};

TEST(ClientSubscribing, SubscribesWithWhatItHoldsAfterEveryConnect) {
    Subscribed world;
    world.push(full({5, {"p", "q"}}));
    EXPECT_EQ(world.ack().version, Version(5));
    world.reconnect();
    const auto request = world.take_one<msg::Subscribe>();
    ASSERT_EQ(request.items.size(), 1U);
    EXPECT_EQ(request.items[0].held, Version(5));
    EXPECT_EQ(request.items[0].held_digest, view({5, {"p", "q"}})->digest);
    EXPECT_EQ(request.items[0].subscription.id, RegistId("c-1"));
    EXPECT_EQ(request.items[0].subscription.scope, Scope::data_center);
    EXPECT_EQ(request.items[0].subscription.zone, "a");
}

TEST(ClientSubscribing, TellsTheObserverOfFullAndDelta) {
    Subscribed world;
    world.push(full({5, {"p"}}));
    world.push(delta({6, {"p", "q"}}, {5, {"q"}, {}}));
    ASSERT_EQ(world.seen.lists.size(), 2U);
    EXPECT_EQ(ids_of(world.seen.lists[1].view), (Ids{"p", "q"}));
    EXPECT_FALSE(world.seen.lists[1].stale);
    EXPECT_EQ(ids_of(world.role().list(orders_list()).view), (Ids{"p", "q"}));
    const auto acks = world.take<msg::PushAck>();
    ASSERT_EQ(acks.size(), 2U);
    EXPECT_TRUE(acks[1].ok);
    EXPECT_EQ(acks[1].version, Version(6));
    EXPECT_EQ(acks[1].scope, Scope::data_center);
    EXPECT_EQ(acks[1].zone, "a");
}

TEST(ClientSubscribing, AsksForTheWholeListWhenADeltaDoesNotFit) {
    Subscribed world;
    world.push(full({5, {"p"}}));
    static_cast<void>(world.ack());
    world.push(delta({8, {"p", "q"}}, {7, {"q"}, {}}));
    const auto ack = world.ack();
    EXPECT_FALSE(ack.ok);
    EXPECT_EQ(ack.version, Version(8)) << "names the push it answers";
    EXPECT_EQ(world.seen.lists.size(), 1U);
    world.push(full({8, {"p", "q"}}));
    EXPECT_TRUE(world.ack().ok);
    EXPECT_EQ(world.seen.lists.size(), 2U);
}

TEST(ClientSubscribing, AcknowledgesOlderAndEqualPushesAndKeepsWhatItHolds) {
    Subscribed world;
    world.push(full({5, {"p"}}));
    static_cast<void>(world.ack());
    world.push(full({4, {"z"}}));
    auto ack = world.ack();
    EXPECT_TRUE(ack.ok);
    EXPECT_EQ(ack.version, Version(4));
    EXPECT_EQ(world.role().list(orders_list()).view->version, Version(5));
    world.push(full({5, {"p"}}));
    ack = world.ack();
    EXPECT_TRUE(ack.ok);
    EXPECT_EQ(ack.version, Version(5));
    EXPECT_EQ(world.seen.lists.size(), 1U);
}

TEST(ClientSubscribing, ShowsNoEmptyListUnlessItIsAStatement) {
    Subscribed world;
    world.push(full({5, {}, false}));
    EXPECT_TRUE(world.ack().ok);
    EXPECT_TRUE(world.seen.lists.empty());
    world.push(full({6, {}}));
    ASSERT_EQ(world.seen.lists.size(), 1U);
    EXPECT_TRUE(world.seen.lists[0].view->complete);
}

TEST(ClientSubscribing, IgnoresPushesOfAnEarlierConnection) {
    Subscribed world;
    const LinkId old_link = world.current();
    world.reconnect();
    world.link.sent.clear();
    world.role().on_push(old_link, full({5, {"p"}}));
    EXPECT_TRUE(world.seen.lists.empty());
    EXPECT_TRUE(world.link.sent.empty());
}

TEST(ClientSubscribing, CountsSubscribersAndUnsubscribesWithTheLast) {
    Subscribed world;
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    world.advance(0ms);
    EXPECT_TRUE(world.take<msg::Subscribe>().empty());
    ASSERT_TRUE(world.role().unsubscribe(orders_list()).has_value());
    world.advance(0ms);
    EXPECT_TRUE(world.take<msg::Unsubscribe>().empty());
    ASSERT_TRUE(world.role().unsubscribe(orders_list()).has_value());
    world.advance(0ms);
    const auto request = world.take_one<msg::Unsubscribe>();
    EXPECT_EQ(request.items[0].id, RegistId("c-1"));
    EXPECT_GT(request.items[0].order.version, 1);
    EXPECT_EQ(world.role().unsubscribe(orders_list()).error().code, Errc::not_found);
}

TEST(ClientSubscribing, UnsubscribesStraysThatTheServerStillPushesTo) {
    Subscribed world;
    world.push(full({5, {"p"}}, RegistId("c-77")));
    EXPECT_TRUE(world.ack().ok);
    world.advance(0ms);
    EXPECT_EQ(world.take_one<msg::Unsubscribe>().items[0].id, RegistId("c-77"));
    EXPECT_TRUE(world.seen.lists.empty());
}

TEST(ClientSubscribing, EmptyZoneMeansTheClientsOwn) {
    Subscribed world;
    world.push(full({5, {"p"}}));
    EXPECT_NE(world.role().list({.service = orders(), .scope = Scope::data_center}).view, nullptr);
}

TEST(ClientSubscribing, PollsWithWhatItHoldsWhenNothingWasHeard) {
    Subscribed world({.poll_interval = 10s});
    world.push(full({5, {"p"}}));
    for (int i = 0; i < 9; ++i) {
        world.role().on_heartbeat_ack(world.current());
        world.advance(1s);
    }
    EXPECT_TRUE(world.take<msg::Subscribe>().empty());
    world.advance(1s);
    const auto poll = world.take_one<msg::Subscribe>();
    EXPECT_EQ(poll.items[0].held, Version(5));
    world.answer(poll);
    world.advance(5s);
    EXPECT_TRUE(world.take<msg::Subscribe>().empty()) << "the answer is a sign of life";
    EXPECT_EQ(world.metric("polls_total"), 1);
}

TEST(ClientSubscribing, BoundsListsAndWatches) {
    World world({.lists_max = 1, .watches_max = 1});
    EXPECT_TRUE(world.role().subscribe(orders_list()).has_value());
    ListKey other = orders_list();
    other.service.data_id = "other";
    EXPECT_EQ(world.role().subscribe(other).error().code, Errc::over_limit);
    EXPECT_TRUE(world.role().watch_config(orders()).has_value());
    EXPECT_EQ(world.role().watch_config(other.service).error().code, Errc::over_limit);
}

TEST(ClientSubscribing, RefusesAListOverTheLimitAndCountsIt) {
    Subscribed world({.publications_per_list_max = 1});
    world.push(full({5, {"p", "q"}}));
    EXPECT_TRUE(world.seen.lists.empty());
    EXPECT_EQ(world.metric("pushes_over_limit_total"), 1);
}

TEST(ClientCache, ListsOfAnEarlierLifeAreShownStaleWhenNoServerIsReached) {
    Subscribed before;
    before.push(full({5, {"p"}}));
    const auto saved = before.role().export_lists();
    ASSERT_EQ(saved.size(), 1U);

    World world;
    world.role().import_lists(saved);
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    world.role().start();
    EXPECT_TRUE(world.seen.lists.empty()) << "a fresh one may come at once";
    world.role().on_link_down(world.current(), {.code = Errc::unavailable});
    ASSERT_EQ(world.seen.lists.size(), 1U);
    EXPECT_TRUE(world.seen.lists[0].stale);
    EXPECT_EQ(world.seen.lists[0].as_of, saved[0].as_of);
    world.await_connect();
    world.role().on_link_up(world.current());
    EXPECT_EQ(world.take_one<msg::Subscribe>().items[0].held, Version(5));
    world.role().on_push(world.current(), delta({5, {"p"}}, {5, {}, {}}));
    ASSERT_EQ(world.seen.lists.size(), 2U) << "confirmed";
    EXPECT_FALSE(world.seen.lists[1].stale);
}

TEST(ClientCache, FreshListComesInsteadOfTheCachedOne) {
    World world;
    world.role().import_lists({{.key = orders_list(), .view = view({5, {"p"}})}});
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    world.connect();
    world.role().on_push(world.current(), full({6, {"q"}}));
    world.advance(2s);
    ASSERT_EQ(world.seen.lists.size(), 1U);
    EXPECT_EQ(ids_of(world.seen.lists[0].view), Ids{"q"});
}

TEST(ClientCache, IsShownWhenTheServerStaysSilent) {
    World world({.cache_wait = 500ms});
    world.role().import_lists({{.key = orders_list(), .view = view({5, {"p"}})}});
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    world.connect();
    world.advance(499ms);
    EXPECT_TRUE(world.seen.lists.empty());
    world.advance(1ms);
    ASSERT_EQ(world.seen.lists.size(), 1U);
    EXPECT_TRUE(world.seen.lists[0].stale);
}

TEST(ClientCache, DropsWhatCannotBeUsed) {
    auto unsorted = view({5, {"q", "p"}});
    World world;
    world.role().import_lists({{.key = orders_list(), .view = unsorted},
                               {.key = orders_list(), .view = nullptr},
                               {.key = orders_list(), .view = view({0, {"p"}})}});
    ASSERT_TRUE(world.role().subscribe(orders_list()).has_value());
    EXPECT_EQ(world.role().list(orders_list()).view, nullptr);
}

TEST(ClientWatching, TellsValuesWhoseVersionGrows) {
    World world;
    ASSERT_TRUE(world.role().watch_config(orders()).has_value());
    world.connect();
    const auto request = world.take_one<msg::WatchConfig>();
    world.answer(request);
    const auto push = [&](std::uint64_t version, const char* value) {
        world.role().on_config_push(
            world.current(),
            {.key = request.watch.key,
             .version = Version(version),
             .value = value != nullptr ? std::make_shared<const std::string>(value) : nullptr,
             .watchers = {request.watch.id}});
    };
    push(3, "on");
    push(3, "on");
    push(2, "off");
    ASSERT_EQ(world.seen.configs.size(), 1U);
    EXPECT_EQ(*world.seen.configs[0].value, "on");
    push(4, nullptr);
    EXPECT_EQ(world.role().config(orders()).value, nullptr);
    EXPECT_TRUE(world.role().config(orders()).known);
    world.reconnect();
    EXPECT_EQ(world.take<msg::WatchConfig>().size(), 1U);
    ASSERT_TRUE(world.role().unwatch_config(orders()).has_value());
    world.advance(0ms);
    EXPECT_EQ(world.take_one<msg::UnwatchConfig>().watch.id, request.watch.id);
}

// An observer that withdraws its wish when it is told.
TEST(ClientSubscribing, ObserverMayUnsubscribeFromWithin) {
    struct Quitter final : ClientObserver {
        void on_list(const ListKey& key, const ListState& list) override {
            EXPECT_NE(list.view, nullptr);
            EXPECT_TRUE(role->unsubscribe(key).has_value());
            EXPECT_EQ(list.view->version, Version(5)) << "still readable";
        }
        void on_config(const Service& /*key*/, const ConfigState& /*config*/) override {}
        void on_state(ClientState /*state*/, const std::string& /*server*/) override {}
        void on_registered(const RegistId& /*id*/, std::int64_t /*version*/,
                           const Result<void>& /*result*/) override {}
        ClientRole* role = nullptr;
    };
    FakeTime time;
    FakeLink link;
    Quitter quitter;
    ClientRole role(World::prepare({}), {.clock = time,
                                         .timers = time,
                                         .link = link,
                                         .observer = quitter,
                                         .prng = Prng(1),
                                         .log = {}});
    quitter.role = &role;
    ASSERT_TRUE(role.subscribe(orders_list()).has_value());
    role.start();
    role.on_link_up(LinkId(1));
    role.on_push(LinkId(1), full({5, {"p"}}));
    EXPECT_EQ(role.status().lists, 0U);
}

}  // namespace
}  // namespace muster::client::test
