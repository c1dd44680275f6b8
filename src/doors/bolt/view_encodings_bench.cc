#include <array>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "doors/bolt/sofa_answers.h"
#include "doors/bolt/sofa_requests.h"
#include "model/datum.h"

namespace muster::doors {
namespace {

ServiceViewPtr view_of(std::size_t boxes) {
    auto view = std::make_shared<ServiceView>();
    view->service = std::make_shared<Service>(Service{.data_id = "orders"});
    view->version = Version(1);
    view->complete = true;
    for (std::size_t i = 0; i < boxes; ++i) {
        view->publications.push_back(std::make_shared<Publication>(Publication{
            .id = RegistId(std::to_string(i)),
            .service = view->service,
            .boxes = {"bolt://10.0.0.1:" + std::to_string(i) + "?weight=100&timeout=3000"}}));
    }
    return view;
}

void encode_list(benchmark::State& state) {
    const auto view = view_of(static_cast<std::size_t>(state.range(0)));
    std::size_t bytes = 0;
    for (auto _ : state) {
        const std::string body = sofa::received_data_body({.view = *view,
                                                           .scope = Scope::data_center,
                                                           .zone = kDefaultZone,
                                                           .center = kDefaultCenter});
        bytes += body.size();
        benchmark::DoNotOptimize(body.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_list)->Arg(1)->Arg(10'000);

void decode_list(benchmark::State& state) {
    const auto view = view_of(static_cast<std::size_t>(state.range(0)));
    std::string content = sofa::received_data_body({.view = *view,
                                                    .scope = Scope::data_center,
                                                    .zone = kDefaultZone,
                                                    .center = kDefaultCenter});
    content += sofa::received_data_tail(std::array<std::string_view, 1>{"subscriber"});
    for (auto _ : state) {
        auto read = hessian::read_value(content);
        if (!read) {
            state.SkipWithError("the list does not read");
        }
        benchmark::DoNotOptimize(read);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode_list)->Arg(1)->Arg(10'000);

}  // namespace
}  // namespace muster::doors
