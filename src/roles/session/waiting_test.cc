// Requests that wait for their turn, at a session that knows no other node.
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "roles/session/session.h"

namespace muster::session {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr env::ConnId kA{1};
constexpr env::ConnId kB{2};
constexpr env::ConnId kC{3};

class Nobody final : public msg::Outbox {
    void send(const msg::RoleAddress&, msg::ClusterMessage) override {}
};

// Remembers whom it answered what, as "connection:request", and who is not read.
class Port final : public msg::ClientPort, public QueryPort {
public:
    void reply(env::ConnId conn, const msg::RequestReply& reply) override {
        replies.push_back(std::to_string(conn.raw()) + ":" + std::to_string(reply.request.raw()));
        outcomes.push_back(reply.outcomes.at(0).result);
    }
    void push(const msg::PushOrder&) override {}
    void push_config(env::ConnId, const msg::ConfigPush&) override {}
    void hint(env::ConnId, const msg::ServerHint&) override {}
    bool shows_incomplete() const override {
        return true;
    }
    bool takes_deltas() const override {
        return true;
    }
    bool congested(env::ConnId) const override {
        return false;
    }
    void stop_reading(env::ConnId conn) override {
        stopped.insert(conn);
    }
    void go_on_reading(env::ConnId conn) override {
        stopped.erase(conn);
    }
    void close(env::ConnId, const Error&) override {}
    void on_services(std::uint64_t, const msg::ListServicesReply&) override {}
    void on_config_put(std::uint64_t, const Result<Version>&) override {}

    std::vector<std::string> replies;
    std::vector<Result<void>> outcomes;
    std::set<env::ConnId> stopped;
};

class Waiting : public ::testing::Test {
protected:
    explicit Waiting(SessionOptions options = {.waiting = {.at_once = 4, .queries_max = 2}})
        : session(std::move(options),
                  {.clock = clock, .timers = timers, .outbox = outbox, .log = Log()}) {
        timers.attach(session);
        session.start();
        for (const env::ConnId conn : {kA, kB, kC}) {
            session.on_client_open(
                conn, {.address = "10.0.0.1:" + std::to_string(conn.raw()), .door = "native"},
                port);
        }
    }

    static ServicePtr service(const std::string& data_id = "orders",
                              const std::string& tenant = std::string(kDefaultTenant)) {
        return std::make_shared<const Service>(Service{.tenant = tenant, .data_id = data_id});
    }
    void subscribe(env::ConnId conn, std::uint64_t request, const std::string& id,
                   const ServicePtr& what = service(), bool once = false, Version held = {}) {
        session.on_client_message(
            conn, msg::Subscribe{.request = msg::RequestId(request),
                                 .items = {{.subscription = {.id = RegistId(id),
                                                             .service = what,
                                                             .order = {.version = 1}},
                                            .held = held}},
                                 .once = once});
    }
    void unsubscribe(env::ConnId conn, std::uint64_t request, const std::string& id) {
        session.on_client_message(
            conn,
            msg::Unsubscribe{
                .request = msg::RequestId(request),
                .items = {{.id = RegistId(id), .service = service(), .order = {.version = 2}}}});
    }
    void publish(env::ConnId conn, const std::string& id, std::size_t count = 1,
                 Duration lease = {}) {
        msg::RegisterPublishers request{.request = msg::RequestId(99), .lease = lease};
        for (std::size_t i = 0; i < count; ++i) {
            request.publications.push_back(
                std::make_shared<Publication>(Publication{.id = RegistId(id + std::to_string(i)),
                                                          .service = service(),
                                                          .order = {.version = 1}}));
        }
        session.on_client_message(conn, request);
    }
    void withdraw(env::ConnId conn, std::uint64_t request, const std::string& id) {
        session.on_client_message(
            conn,
            msg::UnregisterPublishers{
                .request = msg::RequestId(request),
                .items = {{.id = RegistId(id), .service = service(), .order = {.version = 2}}}});
    }
    // All that passes in this millisecond.
    void saturate() {
        const std::size_t before = session.status().publications;
        publish(kC, "much", 4);  // passes, and nothing after it
        ASSERT_EQ(session.status().publications, before + 4);
    }
    std::vector<std::string> take_replies() {
        return std::exchange(port.replies, {});
    }

    env::ManualClock clock;
    env::ManualTimers timers{clock};
    Nobody outbox;
    Port port;
    SessionServer session;
};

TEST_F(Waiting, NothingDoesWhileThereIsLittle) {
    for (std::uint64_t i = 1; i <= 20; ++i) {
        subscribe(kA, i, "s" + std::to_string(i));
        EXPECT_THAT(take_replies(), ElementsAre("1:" + std::to_string(i)));
        timers.fire_due();
    }
}

TEST_F(Waiting, WhoLeavesPassesWhoComesAndWhoSubscribes) {
    publish(kB, "old");
    saturate();
    subscribe(kA, 1, "s");
    publish(kA, "new");
    EXPECT_EQ(session.status().publications, 5U);
    withdraw(kB, 2, "old0");
    EXPECT_EQ(session.status().publications, 4U);
    session.on_client_closed(kC);
    EXPECT_EQ(session.status().publications, 0U);
    EXPECT_THAT(take_replies(), ElementsAre());
    timers.fire_due();
    EXPECT_EQ(session.status().publications, 1U);
    EXPECT_THAT(take_replies(), ElementsAre("1:1"));
}

TEST_F(Waiting, SubscribingComesBeforeQueries) {
    saturate();
    ASSERT_TRUE(session.admit_query("10.0.0.9:1", ""));
    subscribe(kA, 1, "q", service(), true);
    subscribe(kB, 2, "s");
    timers.fire_due();
    EXPECT_THAT(take_replies(), ElementsAre("2:2", "1:1"));
}

TEST_F(Waiting, WhatIsTakenBackMeanwhileIsTakenBackAfterIt) {
    saturate();
    subscribe(kA, 1, "s");
    unsubscribe(kA, 2, "s");
    EXPECT_THAT(take_replies(), ElementsAre());
    timers.fire_due();
    EXPECT_THAT(take_replies(), ElementsAre("1:1", "1:2"));
    EXPECT_EQ(session.status().subscriptions, 0U);
}

TEST_F(Waiting, AConnectionThatClosesHasItsChangesMade) {
    saturate();
    publish(kA, "leased", 1, seconds(10));
    publish(kB, "bound");
    subscribe(kB, 1, "s");
    session.on_client_closed(kA);
    session.on_client_closed(kB);
    EXPECT_EQ(session.status().connections, 3U);
    timers.fire_due();
    EXPECT_EQ(session.status().connections, 1U);
    EXPECT_EQ(session.status().publications, 5U) << "what has a lease outlives it";
    EXPECT_EQ(session.status().subscriptions, 0U);
    EXPECT_THAT(take_replies(), ElementsAre());
}

TEST_F(Waiting, QueriesAreRefusedWhenTheMostWait) {
    saturate();
    subscribe(kA, 1, "q", service(), true);
    EXPECT_TRUE(session.admit_query("10.0.0.9:1", ""));
    session.query_services(7, {.query = 7}, port);
    const auto refused = session.admit_query("10.0.0.9:1", "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    EXPECT_THAT(refused.error().detail, HasSubstr("session.queries_waiting_max"));
    timers.fire_due();
    EXPECT_TRUE(session.admit_query("10.0.0.9:1", ""));
}

TEST_F(Waiting, AConnectionOfWhichMuchWaitsIsNotReadForAWhile) {
    saturate();
    EXPECT_EQ(port.stopped.size(), 0U);
    subscribe(kA, 1, "s");
    EXPECT_EQ(port.stopped, std::set{kA});
    timers.fire_due();
    EXPECT_EQ(port.stopped.size(), 0U);
    EXPECT_THAT(take_replies(), ElementsAre("1:1"));
}

TEST_F(Waiting, AllIsDoneInTheEndTurnByTurn) {
    for (std::uint64_t i = 0; i < 100; ++i) {
        subscribe(kA, i, "s" + std::to_string(i));
        publish(kB, "p" + std::to_string(i) + "-");
    }
    int turns = 0;
    while (timers.fire_due() > 0) {
        ++turns;
    }
    EXPECT_GE(turns, 40);
    EXPECT_LE(turns, 100);
    EXPECT_EQ(session.status().publications, 100U);
    EXPECT_EQ(session.status().subscriptions, 100U);
}

class Limited : public Waiting {
protected:
    Limited()
        : Waiting({.client_subscribes = {.per_second = 1, .burst = 3},
                   .tenant_subscribes = {.per_second = 1, .burst = 4},
                   .client_queries = {.per_second = 1, .burst = 2}}) {}
    bool taken() {
        return std::exchange(port.outcomes, {}).at(0).has_value();
    }
};

TEST_F(Limited, SubscribingTheSameAgainCostsNothing) {
    for (std::uint64_t i = 0; i < 20; ++i) {
        subscribe(kA, i, "s");
        EXPECT_TRUE(taken());
    }
    subscribe(kA, 1, "s", service("bills"));
    EXPECT_TRUE(taken());
    subscribe(kA, 1, "s", service("carts"));
    EXPECT_TRUE(taken());
    subscribe(kA, 1, "s", service("debts"));
    EXPECT_FALSE(taken());
    EXPECT_EQ(session.subscribers_of(*service("carts")).size(), 1U) << "what it had it keeps";
}

TEST_F(Limited, ATenantsLimitIsNotForThoseWhoComeBackWithAList) {
    for (std::uint64_t i = 0; i < 4; ++i) {
        subscribe(i < 2 ? kA : kB, i, "s" + std::to_string(i));
        EXPECT_TRUE(taken());
    }
    subscribe(kC, 1, "new");
    EXPECT_FALSE(taken());
    subscribe(kC, 2, "back", service(), false, Version(7));
    EXPECT_TRUE(taken());
    subscribe(kC, 3, "other", service("orders", "calm"));
    EXPECT_TRUE(taken()) << "of another tenant";
}

TEST_F(Limited, WatchesCountAsSubscriptionsAndQueriesDoNot) {
    const auto watch = [&](const std::string& id, bool once) {
        session.on_client_message(
            kA, msg::WatchConfig{.watch = {.id = RegistId(id), .key = service("key", id)},
                                 .once = once});
        return taken();
    };
    for (const auto* id : {"a", "b", "c"}) {
        EXPECT_TRUE(watch(id, false));
    }
    EXPECT_TRUE(watch("a", false)) << "the same again";
    EXPECT_FALSE(watch("d", false));
    EXPECT_TRUE(watch("e", true));
    subscribe(kA, 1, "q", service(), true);
    EXPECT_TRUE(taken());
}

TEST_F(Limited, QueriesOfOneAddressAreCountedTogether) {
    EXPECT_TRUE(session.admit_query("10.0.0.9:1", "t"));
    EXPECT_TRUE(session.admit_query("10.0.0.9:2", ""));
    EXPECT_EQ(session.admit_query("10.0.0.9:3", "t").error().code, Errc::over_limit);
    EXPECT_TRUE(session.admit_query("10.0.0.8:3", "t"));
    clock.advance(seconds(1));
    EXPECT_TRUE(session.admit_query("10.0.0.9:3", "t"));
}

}  // namespace
}  // namespace muster::session
