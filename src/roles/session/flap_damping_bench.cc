// What it costs to look at whoever comes: nothing while nobody went lately, else the name of its
// instance and a look into the table. Of so many that went.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "roles/session/flap_damping.h"

namespace {

using muster::session::FlapDamping;

std::vector<muster::Publication> instances(std::int64_t count) {
    const auto service = std::make_shared<const muster::Service>(
        *muster::Service::make("tenant", "group", "com.example.shop.OrderService"));
    std::vector<muster::Publication> all(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].id = muster::RegistId("7a6e0e2e-0000-4000-8000-" + std::to_string(i));
        all[i].service = service;
        all[i].boxes = {"bolt://10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
                        ":12200?weight=10&app=shop&serialization=hessian2"};
    }
    return all;
}

void comes(benchmark::State& state) {
    FlapDamping damping({});
    const auto all = instances(10'000);
    const muster::MonoTime now{std::chrono::seconds(1)};
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        damping.went(all[static_cast<std::size_t>(i)], now);
    }
    std::size_t next = 0;
    for (auto _ : state) {
        // Each that went is back once, and was there since.
        CHECK(!damping.damps(all[next++ % all.size()], {.damped = 0, .all = 10'000}, now));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(comes)->Arg(0)->Arg(1)->Arg(10'000);

void goes(benchmark::State& state) {
    FlapDamping damping({});
    const auto all = instances(10'000);
    const muster::MonoTime now{std::chrono::seconds(1)};
    std::size_t next = 0;
    for (auto _ : state) {
        damping.went(all[next++ % all.size()], now);
    }
    CHECK(damping.tracked() > 0);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(goes);

}  // namespace
