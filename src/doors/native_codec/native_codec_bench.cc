#include <benchmark/benchmark.h>

#include "base/check.h"
#include "doors/native_codec/native_codec.h"

namespace muster::native {
namespace {

msg::RegisterPublishers batch(std::int64_t size) {
    msg::RegisterPublishers request{.request = msg::RequestId(1)};
    for (std::int64_t i = 0; i < size; ++i) {
        Publication publication{
            .id = RegistId("9f0c1d9e-5a4e-4c5b-8c39-1f6f1e0a7b11-" + std::to_string(100'000 + i)),
            .service = std::make_shared<const Service>(Service{
                .data_id = "com.example.shop.Service" + std::to_string(i % 1000) + ":1.0@DEFAULT"}),
            .order = {.version = 1, .timestamp_ms = 1'700'000'000'000},
            .app = "checkout",
            .client_address = "10.0.0.7:41234"};
        publication.boxes = {"10.0.0.7:12200?weight=100&zone=a&timeout=3000"};
        request.publications.push_back(std::make_shared<const Publication>(std::move(publication)));
    }
    return request;
}

void encode_registrations(benchmark::State& state) {
    const msg::ClientMessage message = batch(state.range(0));
    for (auto _ : state) {
        benchmark::DoNotOptimize(encode(message));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_registrations)->Arg(1000);

void decode_registrations(benchmark::State& state) {
    const msg::ClientMessage message = batch(state.range(0));
    const std::string bytes = encode(message);
    for (auto _ : state) {
        auto decoded = decode_request(class_name(message), bytes,
                                      {.request = msg::RequestId(1), .client_address = "a"}, {});
        CHECK(decoded.has_value());
        benchmark::DoNotOptimize(decoded);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode_registrations)->Arg(1000);

void encode_list(benchmark::State& state) {
    ServiceView view{.version = Version(1), .complete = true};
    view.publications = batch(state.range(0)).publications;
    view.service = view.publications.front()->service;
    for (auto _ : state) {
        benchmark::DoNotOptimize(encode_push_body(view, nullptr, Scope::zone, "z"));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_list)->Arg(10'000);

}  // namespace
}  // namespace muster::native
