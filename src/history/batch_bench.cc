// What a note costs the loop, what a block costs the thread, and how many bytes a record takes on
// disk: registrations and removals of UUIDs, 500 services, clients and instances all over.
#include <array>
#include <cstdio>

#include <benchmark/benchmark.h>

#include "base/hash.h"
#include "base/prng.h"
#include "history/segment.h"

namespace muster::history {
namespace {

constexpr std::size_t kServices = 500;
constexpr std::size_t kClients = 20'000;
constexpr std::int64_t kBegin = 1'700'000'000'000;

std::string uuid(Prng& prng) {
    std::array<char, 40> text{};
    const int size = std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-%04x-%08x%04x-1",
                                   static_cast<unsigned>(prng.below(1ULL << 32U)),
                                   static_cast<unsigned>(prng.below(1U << 16U)),
                                   static_cast<unsigned>(prng.below(1U << 12U)),
                                   static_cast<unsigned>(prng.below(1U << 16U)),
                                   static_cast<unsigned>(prng.below(1ULL << 32U)),
                                   static_cast<unsigned>(prng.below(1U << 16U)));
    return {text.data(), static_cast<std::size_t>(size)};
}

// Publications of many clients, each at an address of its own.
std::vector<PublicationPtr> publications() {
    Prng prng(1);
    std::vector<ServicePtr> services;
    for (std::size_t i = 0; i < kServices; ++i) {
        services.push_back(std::make_shared<const Service>(
            Service{.data_id = "com.example.shop.Service" + std::to_string(i) + ":1.0"}));
    }
    std::vector<PublicationPtr> all;
    for (std::size_t i = 0; i < kClients; ++i) {
        const std::string ip =
            "10.0." + std::to_string(prng.below(40)) + "." + std::to_string(prng.below(250));
        Publication made;
        made.id = RegistId(uuid(prng));
        made.service = services[prng.below(kServices)];
        made.client_address = ip + ":" + std::to_string(32'768 + prng.below(28'000));
        made.boxes = {"bolt://" + ip + ":12200?weight=100&app=shop"};
        all.push_back(std::make_shared<const Publication>(std::move(made)));
    }
    return all;
}

// Changes at 1,000/s, each of some publication.
class Changes {
public:
    void add_to(Batch& batch) {
        const std::int64_t at = kBegin + static_cast<std::int64_t>(++count_);
        const Publication& publication = *all_[prng_.below(all_.size())];
        const bool goes = prng_.chance(1, 2);
        batch.add(
            {.at = {at},
             .slot = SlotId(static_cast<std::uint16_t>(hash64(publication.service->data_id) % 256)),
             .what = goes ? HistoryRecord::What::removed : HistoryRecord::What::registered,
             .cause = goes && prng_.chance(1, 2) ? RemovalCause::closed : RemovalCause::left,
             .publication = publication,
             .by = prng_.chance(1, 2) ? "session-1" : "session-2",
             .version =
                 Version((static_cast<std::uint64_t>(at) << kVersionCountBits) + prng_.below(8))});
    }

private:
    std::vector<PublicationPtr> all_ = publications();
    Prng prng_{2};
    std::uint64_t count_ = 0;
};

void note(benchmark::State& state) {
    Changes changes;
    Batch batch;
    for ([[maybe_unused]] auto _ : state) {
        changes.add_to(batch);
        if (batch.bytes().size() > (256U << 10U)) {
            batch = {};
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(note);

// Of so many records each, which is what comes together in a write interval.
void block(benchmark::State& state) {
    Changes changes;
    Batch batch;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        changes.add_to(batch);
    }
    std::size_t bytes = 0;
    for ([[maybe_unused]] auto _ : state) {
        const std::string made = encode_block(batch, {});
        bytes = made.size();
        benchmark::DoNotOptimize(made.data());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.counters["raw_bytes_per_record"] =
        static_cast<double>(batch.bytes().size()) / static_cast<double>(state.range(0));
    state.counters["bytes_per_record"] =
        static_cast<double>(bytes) / static_cast<double>(state.range(0));
}
BENCHMARK(block)->Arg(10)->Arg(500)->Arg(2000);

void unpack(benchmark::State& state) {
    Changes changes;
    Batch batch;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        changes.add_to(batch);
    }
    const std::string made = encode_block(batch, {});
    for ([[maybe_unused]] auto _ : state) {
        for (const BlockPlace& place : find_blocks(made)) {
            const auto raw = decode_block(made, place);
            std::size_t found = 0;
            [[maybe_unused]] const auto read = for_each_record(
                *raw, [&](const RecordView& record) { found += record.service().size(); });
            benchmark::DoNotOptimize(found);
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(unpack)->Arg(500);

}  // namespace
}  // namespace muster::history
