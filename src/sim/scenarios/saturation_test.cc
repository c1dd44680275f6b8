// Sessions that are asked more than they can do at once, and clients that ask more than they may.
#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kServices = 8;

Service service(int number) {
    return {.data_id = "service-" + std::to_string(number % kServices)};
}

// What waited at a session before it was carried out.
class Waited final : public MetricsWriter {
public:
    explicit Waited(const session::SessionServer& session) {
        session.write_metrics(*this);
    }
    void counter(std::string_view name, std::string_view, std::uint64_t value,
                 MetricLabels) override {
        requests += name == "muster_session_requests_waited_total" ? value : 0;
    }
    void gauge(std::string_view, std::string_view, std::int64_t, MetricLabels) override {}
    void histogram(std::string_view, std::string_view, const HistogramView&,
                   MetricLabels) override {}

    std::uint64_t requests = 0;
};

// One request a turn of each kind.
RegistryOptions saturated() {
    return {.sessions = 2, .requests_at_once = 1};
}

class Saturation : public ::testing::Test {
protected:
    // Each publishes `publications` and subscribes to all services, all at the same moment.
    void add_clients(int count, int publications) {
        for (int i = 0; i < count; ++i) {
            SimClient& client =
                story.client(i % 2 == 0 ? ClientKind::java : ClientKind::native, "zone-a");
            for (int p = 0; p < publications; ++p) {
                client.publish(service(i + p));
            }
            for (int s = 0; s < kServices; ++s) {
                client.subscribe(service(s), Scope::data_center);
            }
            clients.push_back(&client);
        }
    }

    Story story{saturated()};
    std::vector<SimClient*> clients;
};

TEST_F(Saturation, AllAreServedInTheEnd) {
    add_clients(20, 5);
    EXPECT_LT(story.wait_until_equal(seconds(60)), seconds(60)) << story.differs();
    EXPECT_GT(Waited(*story.node("session-1").session()).requests, 10U);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Saturation, ManyComeBackAtOnceWhileOthersChangeAndLeave) {
    add_clients(20, 3);
    story.wait(seconds(20));
    const std::string session = "session-1";
    story.node(session).kill(Death::killed);
    for (int round = 0; round < 30; ++round) {
        for (std::size_t i = 0; i < clients.size(); i += 2) {
            SimClient& client = *clients[i];
            if (client.published().empty()) {
                continue;
            }
            const RegistId id = client.published().front();
            client.update(id);
            client.withdraw(id);
            client.publish(service(static_cast<int>(i) + round));
        }
        story.wait(milliseconds(20));
    }
    clients[1]->kill(false);
    clients[2]->kill(true);
    story.node(session).start();
    EXPECT_LT(story.wait_until_equal(seconds(90)), seconds(90)) << story.differs();
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Saturation, WhoSubscribesAndTakesItBackAtOnceHasNothing) {
    add_clients(10, 2);
    for (SimClient* client : clients) {
        while (!client->listeners().empty()) {
            client->unsubscribe(client->listeners().back());
        }
        client->subscribe(service(0), Scope::data_center);
    }
    story.wait(seconds(20));
    for (const SimClient* client : clients) {
        EXPECT_EQ(client->listeners().size(), 1U);
    }
    EXPECT_EQ(story.node("session-1").session()->status().subscriptions +
                  story.node("session-2").session()->status().subscriptions,
              clients.size());
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST(SubscribeLimits, KeepNobodyFromItsListsForEver) {
    Story story({.sessions = 1, .client_subscribes = {.per_second = 2, .burst = 2}});
    SimClient& provider = story.client(ClientKind::native);
    std::vector<SimClient*> consumers;
    for (int i = 0; i < kServices; ++i) {
        provider.publish(service(i));
    }
    for (const ClientKind kind : {ClientKind::java, ClientKind::native}) {
        consumers.push_back(&story.client(kind));
        for (int i = 0; i < kServices; ++i) {
            consumers.back()->subscribe(service(i), Scope::data_center);
        }
    }
    story.wait(milliseconds(500));
    EXPECT_NE(story.differs(), "") << "2 a second";
    EXPECT_LT(story.wait_until_equal(seconds(60)), seconds(60)) << story.differs();
    for (SimClient* consumer : consumers) {
        story.world.pipes.reset(consumer->pipe(), {});
    }
    while (!provider.published().empty()) {
        provider.withdraw(provider.published().front());
    }
    for (int i = 0; i < kServices; ++i) {
        provider.publish(service(i));
    }
    story.wait(seconds(1));
    EXPECT_NE(story.differs(), "");
    EXPECT_LT(story.wait_until_equal(seconds(60)), seconds(60)) << story.differs();
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
