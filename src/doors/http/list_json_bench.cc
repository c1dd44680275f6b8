// What one list costs as JSON: it is made once for each version and shared by event streams, but
// anew for each single query.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "doors/http/json_view.h"

namespace {

muster::ServiceView list_of(std::int64_t size) {
    muster::ServiceView view;
    view.service = std::make_shared<const muster::Service>(
        *muster::Service::make("tenant", "group", "com.example.shop.OrderService"));
    view.version = muster::Version(std::uint64_t{1} << 55U);
    view.complete = true;
    for (std::int64_t i = 0; i < size; ++i) {
        auto publication = std::make_shared<muster::Publication>();
        publication->id = muster::RegistId("7a6e0e2e-0000-4000-8000-" + std::to_string(i));
        publication->service = view.service;
        publication->app = "shop";
        publication->client_address = "10.0.0.1:" + std::to_string(i);
        publication->boxes = {"bolt://10.0.0.1:" + std::to_string(1 + i % 65535) +
                              "?weight=10&app=shop&serialization=hessian2"};
        view.publications.push_back(std::move(publication));
    }
    return view;
}

void list_json(benchmark::State& state) {
    const auto view = list_of(state.range(0));
    std::size_t bytes = 0;
    for (auto _ : state) {
        const std::string json = muster::http::list_json(view);
        CHECK(json.ends_with("]}"));
        bytes += json.size();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(list_json)->Arg(100)->Arg(10'000);

}  // namespace
