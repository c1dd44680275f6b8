#include <algorithm>
#include <ctime>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "raft/snapshot_builder.h"
#include "roles/meta/meta_state.h"

namespace muster::meta {
namespace {

constexpr std::size_t kPartBytes = 256 << 10;  // RaftNodeOptions::snapshot_part_bytes

// A state at all its bounds; values of `value_bytes` each.
MetaState full(std::size_t value_bytes) {
    MetaState state;
    const Fence fence{.physical = Version(1), .headroom = 1};
    for (std::size_t i = 0; i < kMembersMax; ++i) {
        CHECK(state
                  .apply(MemberJoined{
                      .member = {.node = NodeId("data-node-in-zone-a-" + std::to_string(i)),
                                 .role = Role::data,
                                 .address = "10.1.17.204:" + std::to_string(10'000 + i),
                                 .incarnation = Incarnation(1)},
                      .fence = fence})
                  .has_value());
    }
    AssignSlots assign{.slot_count = kSlotsMax, .fence = fence};
    for (std::size_t i = 0; i < kSlotsMax; ++i) {
        const auto node = [&](std::size_t at) {
            return NodeId("data-node-in-zone-a-" + std::to_string((i + at) % kMembersMax));
        };
        assign.slots.push_back({.slot = SlotId(static_cast<std::uint16_t>(i)),
                                .leader = node(0),
                                .followers = {node(1), node(2)}});
    }
    CHECK(state.apply(assign).has_value());
    for (std::size_t i = 0; i < kConfigKeysMax; ++i) {
        CHECK(state
                  .apply(PutConfig{.key = "com.example.shop.setting/" + std::to_string(i),
                                   .value = std::string(value_bytes, 'v'),
                                   .physical = Version(1)})
                  .has_value());
    }
    return state;
}

// Of the processor: other processes do not count.
double cpu_ms() {
    return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC;
}

// What one turn of the loop takes at most: the look at the state, and each part.
void take_view(benchmark::State& state) {
    const MetaState meta = full(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        auto view = meta.view();
        benchmark::DoNotOptimize(view);
        state.PauseTiming();
        view.reset();
        state.ResumeTiming();
    }
}
BENCHMARK(take_view)->Arg(100)->Arg(6500)->Unit(benchmark::kMillisecond);

void build_in_parts(benchmark::State& state) {
    const MetaState meta = full(static_cast<std::size_t>(state.range(0)));
    double longest_ms = 0;
    std::size_t bytes = 0;
    for (auto _ : state) {
        raft::SnapshotBuilder builder(raft::LogIndex(1), raft::Term(1), {.voters = {NodeId("m")}},
                                      meta.view());
        for (bool done = false; !done;) {
            const double begin = cpu_ms();
            done = builder.advance(kPartBytes);
            longest_ms = std::max(longest_ms, cpu_ms() - begin);
        }
        auto built = builder.take();
        bytes = built.file.size();
        benchmark::DoNotOptimize(built);
    }
    state.counters["longest_part_ms"] = longest_ms;
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(build_in_parts)->Arg(100)->Arg(6500)->Unit(benchmark::kMillisecond);

void snapshot_at_once(benchmark::State& state) {
    const MetaState meta = full(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(meta.snapshot());
    }
}
BENCHMARK(snapshot_at_once)->Arg(100)->Arg(6500)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::meta
