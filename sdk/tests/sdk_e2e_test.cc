// The SDK against a real registry process. Times are bounds, never what is asserted.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <muster/muster.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "registry_process.h"

namespace muster::sdk_test {
namespace {

using namespace std::chrono_literals;
using sdk::Client;
using sdk::List;

constexpr auto kPatience = 15s;

// Waits until `done`; looks every few milliseconds.
template <typename Done>
bool eventually(Done done) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

sdk::EndpointSpec endpoint(const std::string& service, std::uint16_t port) {
    sdk::EndpointSpec spec{.service = service, .ip = "127.0.0.1"};
    spec.port = port;
    return spec;
}

class Sdk : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(registry_.start());
    }
    Client open(sdk::Options options = {}) {
        if (options.servers.empty()) {
            options.servers = registry_.bolt();
        }
        options.retry_max = 200ms;
        return Client::open(options).value();
    }
    RegistryProcess registry_;
};

TEST_F(Sdk, RegistersUpdatesAndUnregisters) {
    auto provider = open();
    auto consumer = open({.servers = registry_.http()});
    auto subscribed = consumer.subscribe_future({.service = "orders"}).value();
    ASSERT_EQ(subscribed.first.wait_for(kPatience), std::future_status::ready);
    EXPECT_TRUE(subscribed.first.get().empty());
    auto& subscription = subscribed.subscription;
    EXPECT_EQ(subscription.pick().error().status, MUSTER_NOT_FOUND);

    auto spec = endpoint("orders", 8080);
    spec.metadata = {{"colour", "blue"}};
    auto registration = provider.register_endpoint(spec).value();
    ASSERT_TRUE(registration.await(kPatience));
    ASSERT_TRUE(eventually([&] { return subscription.current().value().size() == 1; }));
    const List first = subscription.current().value();
    EXPECT_EQ(first[0].address(), "127.0.0.1:8080");
    EXPECT_EQ(first.metadata(0, "colour"), "blue");
    EXPECT_TRUE(first.complete());
    EXPECT_FALSE(first.stale());
    EXPECT_EQ(subscription.pick().value()->port, 8080);

    spec.weight = 0;
    ASSERT_TRUE(registration.update(spec));
    ASSERT_TRUE(registration.await(kPatience));
    ASSERT_TRUE(eventually([&] { return subscription.current().value()[0].weight == 0; }));
    EXPECT_GT(subscription.current().value().version(), first.version());
    EXPECT_EQ(subscription.pick().error().status, MUSTER_NOT_FOUND);

    ASSERT_TRUE(registration.unregister());
    ASSERT_TRUE(eventually([&] { return subscription.current().value().empty(); }));
    EXPECT_EQ(first[0].address(), "127.0.0.1:8080");  // a list never changes
    EXPECT_TRUE(consumer.close());
    EXPECT_TRUE(provider.close());
    EXPECT_EQ(registration.unregister().error().status, MUSTER_CLOSED);
}

TEST_F(Sdk, LosesNothingWhenTheRegistryIsKilledAndComesBack) {
    auto provider = open();
    auto consumer = open();
    for (std::uint16_t port = 1; port <= 20; ++port) {
        ASSERT_TRUE(provider.register_endpoint(endpoint("orders", port)).value().await(kPatience));
    }
    std::atomic<std::size_t> fewest{1000};
    auto subscription = consumer.subscribe({.service = "orders"}).value();
    ASSERT_TRUE(subscription.await(kPatience));
    ASSERT_TRUE(eventually([&] { return subscription.current().value().size() == 20; }));
    auto watching = consumer
                        .subscribe({.service = "orders",
                                    .on_list =
                                        [&](const List& list) {
                                            fewest = std::min(fewest.load(), list.size());
                                        }})
                        .value();
    registry_.kill();
    ASSERT_TRUE(
        eventually([&] { return consumer.stats().value().connection != MUSTER_CONNECTED; }));
    EXPECT_EQ(subscription.current().value().size(), 20U);
    ASSERT_TRUE(registry_.start());
    ASSERT_TRUE(consumer.await_connected(kPatience));
    ASSERT_TRUE(provider.register_endpoint(endpoint("orders", 21)).value().await(kPatience));
    ASSERT_TRUE(eventually([&] { return subscription.current().value().size() == 21; }));
    EXPECT_EQ(fewest.load(), 20U);
    EXPECT_GE(consumer.stats().value().connects, 2U);
    watching.unsubscribe();
    EXPECT_TRUE(consumer.close());
    EXPECT_TRUE(provider.close());
}

TEST_F(Sdk, ShowsTheCachedListWithItsAgeWhenNoRegistryIsThere) {
    const std::string folder = registry_.folder() + "/cache";
    auto provider = open();
    ASSERT_TRUE(provider.register_endpoint(endpoint("orders", 8080)).value().await(kPatience));
    auto consumer = open({.cache_folder = folder});
    auto subscription = consumer.subscribe({.service = "orders"}).value();
    ASSERT_TRUE(subscription.await(kPatience));
    ASSERT_TRUE(eventually([&] { return subscription.current().value().size() == 1; }));
    ASSERT_TRUE(eventually([&] { return consumer.stats().value().cache_writes > 0; }));
    EXPECT_TRUE(consumer.close());
    registry_.kill();

    auto later = open({.cache_folder = folder, .cache_wait = 10ms});
    auto again = later.subscribe({.service = "orders"}).value();
    auto list = again.await(kPatience);
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_TRUE(list->stale());
    EXPECT_GE(list->age().count(), 1);
    EXPECT_EQ((*list)[0].port, 8080);
    EXPECT_EQ(later.stats().value().stale_lists, 1U);
    EXPECT_EQ(again.pick().value()->port, 8080);

    ASSERT_TRUE(registry_.start());
    ASSERT_TRUE(eventually([&] { return !again.current().value().stale(); }));
    EXPECT_EQ(later.stats().value().stale_lists, 0U);
    EXPECT_TRUE(later.close());
    EXPECT_TRUE(provider.close());
}

TEST_F(Sdk, RegistersAndSubscribesByTheServicesFile) {
    const std::string file = registry_.folder() + "/services.yaml";
    {
        FILE* out = std::fopen(file.c_str(), "w");
        std::fprintf(out,
                     "servers: [\"%s\"]\nregister:\n  - service: stock\n    address: 127.0.0.1:7\n"
                     "subscribe:\n  - service: stock\n",
                     registry_.bolt().c_str());
        std::fclose(out);
    }
    auto client = Client::open({.services_file = file}).value();
    auto subscription = client.find_subscription("stock").value();
    ASSERT_TRUE(eventually([&] {
        const auto list = subscription.await(kPatience);
        return subscription.current().value().size() == 1;
    }));
    EXPECT_EQ(client.find_subscription("orders").error().status, MUSTER_NOT_FOUND);
    EXPECT_TRUE(client.close());
    const auto refused = Client::open({.services_file = file + ".missing"});
    EXPECT_EQ(refused.error().status, MUSTER_BAD_CONFIG);
}

TEST_F(Sdk, StaysRightUnderManyThreads) {
    auto client = open();
    constexpr int kThreads = 8;
    constexpr std::uint16_t kRounds = 30;
    std::atomic<int> told{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            const std::string service = "service-" + std::to_string(t % 4);
            auto subscription =
                client
                    .subscribe({.service = service,
                                .on_list =
                                    [&](const List& list) {
                                        told += static_cast<int>(list.endpoints().size() > 0);
                                    }})
                    .value();
            for (std::uint16_t i = 1; i <= kRounds; ++i) {
                const auto port = static_cast<std::uint16_t>(1000 * t + i);
                auto registration = client.register_endpoint(endpoint(service, port)).value();
                static_cast<void>(subscription.pick({.policy = MUSTER_LEAST_REQUESTS}));
                static_cast<void>(subscription.current());
                EXPECT_TRUE(registration.update(endpoint(service, port)));
                if (i % 3 == 0) {
                    EXPECT_TRUE(registration.unregister());
                }
                EXPECT_TRUE(client.stats());
            }
            EXPECT_TRUE(eventually([&] {
                const auto list = subscription.await(kPatience);
                return subscription.current().value().size() == 2U * (kRounds - kRounds / 3);
            }));
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_GT(told.load(), 0);
    EXPECT_TRUE(eventually([&] { return client.stats().value().unacknowledged == 0; }));
    EXPECT_TRUE(client.close());
}

TEST_F(Sdk, TellsConfigurationValues) {
    auto client = open();
    std::atomic<int> step{0};
    auto watch = client
                     .watch_config("limits",
                                   [&](std::optional<std::string_view> value, std::uint64_t) {
                                       if (!value) {
                                           step = std::max(step.load(), 1);
                                       } else if (*value == "seven") {
                                           step = 2;
                                       }
                                   })
                     .value();
    ASSERT_TRUE(eventually([&] { return step == 1; }));
    ASSERT_TRUE(registry_.put_config("DEFAULT_INSTANCE_ID/DEFAULT_GROUP/limits", "seven"));
    EXPECT_TRUE(eventually([&] { return step == 2; }));
    watch.unwatch();
    EXPECT_TRUE(client.close());
}

TEST_F(Sdk, RefusesToWaitForItselfWithinACallback) {
    auto client = open();
    std::atomic<int> statuses{0};
    auto subscription = client
                            .subscribe({.service = "orders",
                                        .on_list =
                                            [&](const List&) {
                                                statuses =
                                                    client.close().error().status * 100 +
                                                    client.await_connected(1ms).error().status;
                                            }})
                            .value();
    ASSERT_TRUE(eventually([&] { return statuses != 0; }));
    EXPECT_EQ(statuses, MUSTER_WRONG_THREAD * 101);
    EXPECT_TRUE(client.close());
}

TEST_F(Sdk, MayUnsubscribeWithinItsCallback) {
    auto client = open();
    std::atomic<int> calls{0};
    const auto kept = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = kept;
    std::atomic<muster_subscription> number{0};
    auto subscription =
        client
            .subscribe({.service = "orders",
                        .on_list =
                            [&client, &calls, &number, kept](const List&) {
                                ++calls;
                                while (number == 0) {
                                    std::this_thread::yield();
                                }
                                static_cast<void>(muster_unsubscribe(client.raw(), number));
                            }})
            .value();
    number = subscription.detach();
    ASSERT_TRUE(eventually([&] { return client.stats().value().subscriptions == 0; }));
    ASSERT_TRUE(eventually([&] { return watched.use_count() == 1; }));  // its context was freed
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(client.close());
}

TEST_F(Sdk, ClosesQuicklyAndPolitely) {
    auto provider = open();
    auto consumer = open();
    auto subscription = consumer.subscribe({.service = "orders"}).value();
    ASSERT_TRUE(provider.register_endpoint(endpoint("orders", 1)).value().await(kPatience));
    ASSERT_TRUE(eventually([&] {
        const auto list = subscription.await(kPatience);
        return subscription.current().value().size() == 1;
    }));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(provider.close());
    const auto took = std::chrono::steady_clock::now() - begun;
    RecordProperty("close_us", std::to_string(took / 1us));
    std::printf("close took %lld us\n", static_cast<long long>(took / 1us));
    EXPECT_TRUE(eventually([&] { return subscription.current().value().empty(); }));
    EXPECT_TRUE(provider.close());  // again: nothing
    EXPECT_TRUE(consumer.close());
}

TEST_F(Sdk, EndsWithTheProcessWithoutClose) {
    const pid_t child = ::fork();
    if (child == 0) {
        auto client = open();
        auto subscription = client.subscribe({.service = "orders"}).value();
        static_cast<void>(subscription.await(kPatience));
        subscription.detach();
        std::exit(client.register_endpoint(endpoint("orders", 1)).value().await(kPatience) ? 7 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    auto client = open();
    auto subscription = client.subscribe({.service = "orders"}).value();
    ASSERT_TRUE(subscription.await(kPatience));
    EXPECT_TRUE(eventually([&] { return subscription.current().value().empty(); }));
    EXPECT_TRUE(client.close());
}

TEST_F(Sdk, BelongsToTheParentAfterFork) {
    auto client = open();
    ASSERT_TRUE(client.await_connected(kPatience));
    const pid_t child = ::fork();
    if (child == 0) {
        const auto status = client.stats().error().status;
        ::_exit(status == MUSTER_FORKED && !client.close() ? 7 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_TRUE(client.stats());
    EXPECT_TRUE(client.close());
}

TEST(SdkWithoutRegistry, SaysThatItIsNotConnectedAndStillCloses) {
    auto client = Client::open({.servers = "127.0.0.1:1"}).value();
    auto registration = client.register_endpoint(endpoint("orders", 1)).value();
    EXPECT_EQ(registration.await(50ms).error().status, MUSTER_TIMEOUT);
    auto subscription = client.subscribe({.service = "orders"}).value();
    EXPECT_EQ(subscription.current().error().status, MUSTER_NOT_READY);
    EXPECT_EQ(subscription.pick().error().status, MUSTER_NOT_READY);
    EXPECT_TRUE(client.close());
}

}  // namespace
}  // namespace muster::sdk_test
