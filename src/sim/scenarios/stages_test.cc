// How long changes take from stage to stage: where time is virtual, to the microsecond.
#include <array>
#include <map>

#include <gtest/gtest.h>

#include "model/trace.h"
#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

constexpr RegistryOptions kCluster{
    .metas = 1, .data = 2, .sessions = 2, .slots = 4, .copies = 2, .zones = 1};

constexpr Duration kBetweenNodes = milliseconds(3);
constexpr Duration kToClient = milliseconds(1);  // and up to a quarter more

struct OfStage {
    std::uint64_t count = 0;
    std::uint64_t sum_us = 0;
    std::uint64_t below_zero = 0;

    [[nodiscard]] bool operator==(const OfStage&) const = default;
};
using ByStage = std::map<std::string, OfStage>;

class Adding final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view, std::uint64_t value,
                 MetricLabels labels) override {
        if (name == "muster_propagation_below_zero_total") {
            stages[std::string(labels.begin()->second)].below_zero += value;
        }
    }
    void gauge(std::string_view, std::string_view, std::int64_t, MetricLabels) override {}
    void histogram(std::string_view name, std::string_view, const HistogramView& histogram,
                   MetricLabels labels) override {
        if (name == "muster_propagation_seconds") {
            OfStage& stage = stages[std::string(labels.begin()->second)];
            stage.count += histogram.count;
            stage.sum_us += histogram.sum_us;
        }
    }
    ByStage stages;
};

class Stages : public ::testing::Test {
protected:
    Stages() {
        story.world.network.faults.delay_min = kBetweenNodes;
        story.world.network.faults.delay_max = kBetweenNodes;
        story.world.pipes.faults.delay_min = kToClient;
        story.world.pipes.faults.delay_max = kToClient;
        provider = &story.client(ClientKind::native);
        for (int i = 0; i < kSubscribers; ++i) {
            story.client(ClientKind::native).subscribe(kOrders, Scope::data_center);
        }
        id = provider->publish(kOrders);
        story.wait(seconds(20));  // sessions have settled
        sessions = 0;
        for (const char* session : {"session-1", "session-2"}) {
            std::size_t subscribers = 0;
            for (const SimClient* client : story.clients_of(session)) {
                subscribers += client == provider ? 0 : 1;
            }
            sessions += subscribers > 0 ? 1 : 0;
        }
    }
    // What one new state of the publication adds.
    ByStage measured() {
        const ByStage before = all();
        provider->update(id);
        story.wait(milliseconds(200));
        ByStage after = all();
        for (auto& [name, stage] : after) {
            const OfStage& old = before.at(name);
            stage = {stage.count - old.count, stage.sum_us - old.sum_us,
                     stage.below_zero - old.below_zero};
        }
        return after;
    }
    [[nodiscard]] ByStage all() {
        Adding adding;
        for (Node* node : story.world.registry.nodes()) {
            if (node->session() != nullptr) {
                node->session()->write_metrics(adding);
            }
            if (node->data() != nullptr) {
                node->data()->write_metrics(adding);
            }
        }
        return adding.stages;
    }
    // From end to end it took what nodes take, and what clients took.
    static void expect_whole_way(ByStage& stages) {
        OfStage whole = each(kSubscribers, 2 * kBetweenNodes);
        whole.sum_us += stages["push_to_ack"].sum_us;
        EXPECT_EQ(stages["end_to_end"], whole);
    }
    static OfStage each(std::uint64_t count, Duration took) {
        return {.count = count, .sum_us = count * static_cast<std::uint64_t>(to_us(took))};
    }

    static constexpr int kSubscribers = 4;
    Story story{kCluster};
    SimClient* provider = nullptr;
    RegistId id;
    std::uint64_t sessions = 0;  // that have subscribers
};

TEST_F(Stages, TakeWhatTheirWaysTake) {
    ByStage stages = measured();
    EXPECT_EQ(stages["write_round_trip"], each(1, 2 * kBetweenNodes));
    EXPECT_EQ(stages["session_to_leader"], each(1, kBetweenNodes));
    EXPECT_EQ(stages["leader_to_session"], each(sessions, kBetweenNodes));
    EXPECT_EQ(stages["session_to_push"], each(kSubscribers, Duration{}));
    const OfStage& clients = stages["push_to_ack"];
    EXPECT_EQ(clients.count, std::uint64_t{kSubscribers});
    EXPECT_GE(clients.sum_us, each(kSubscribers, 2 * kToClient).sum_us);
    EXPECT_LE(clients.sum_us, each(kSubscribers, 2 * kToClient * 5 / 4).sum_us);
    expect_whole_way(stages);
    // Clients tell milliseconds.
    EXPECT_EQ(stages["client_to_session"].count, 1U);
    EXPECT_GE(stages["client_to_session"].sum_us, 1000U);
    EXPECT_LE(stages["client_to_session"].sum_us, 2250U);
}

TEST_F(Stages, HoldTheDifferenceOfTwoClocksAndSayWhenItIsTooMuch) {
    for (Node* node : story.world.registry.nodes()) {
        if (node->data() != nullptr) {
            node->process().clock().jump(milliseconds(-5));
        }
    }
    ByStage behind = measured();
    EXPECT_EQ(behind["session_to_leader"], (OfStage{.below_zero = 1}));
    EXPECT_EQ(behind["leader_to_session"], each(sessions, kBetweenNodes + milliseconds(5)));
    expect_whole_way(behind);  // no clock of a data server is in it
    EXPECT_EQ(behind["write_round_trip"], each(1, 2 * kBetweenNodes)) << "nor in this";
}

}  // namespace
}  // namespace muster::sim
