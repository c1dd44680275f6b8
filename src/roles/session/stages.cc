#include "roles/session/stages.h"

#include <algorithm>

namespace muster::session {
namespace {

std::size_t index_of(Stage stage) {
    return static_cast<std::size_t>(stage);
}

}  // namespace

void Stages::record(Stage stage, Duration took, const Service& service) {
    all_.at(index_of(stage)).record(took);
    record_of_service(stage, took, service);
}

void Stages::record_of_service(Stage stage, Duration took, const Service& service) {
    if (services_.empty()) {
        return;
    }
    if (const auto known = services_.find(service.data_info_id()); known != services_.end()) {
        known->second.stages.at(index_of(stage)).record(took);
    }
}

void Stages::measure(const Service& service, MonoTime now, MonoTime until) {
    expire(now);
    const std::string name = service.data_info_id();
    if (!services_.contains(name) && services_.size() >= kServicesMax) {
        services_.erase(std::ranges::min_element(
            services_, {}, [](const auto& item) { return item.second.until; }));
    }
    PerService& known =
        services_.try_emplace(name, PerService{.stages = {}, .since = now, .until = {}})
            .first->second;
    known.until = std::max(known.until, until);
}

void Stages::expire(MonoTime now) {
    std::erase_if(services_, [&](const auto& item) { return item.second.until <= now; });
}

std::optional<Stages::Measured> Stages::of(const Service& service) const {
    const auto known = services_.find(service.data_info_id());
    if (known == services_.end()) {
        return std::nullopt;
    }
    Measured measured{.stages = {}, .since = known->second.since};
    for (std::size_t i = 0; i < kStages; ++i) {
        const StageHistogram& histogram = known->second.stages.at(i);
        measured.stages.push_back({.stage = static_cast<Stage>(i),
                                   .counts = {histogram.counts().begin(), histogram.counts().end()},
                                   .sum_us = histogram.sum_us(),
                                   .max_us = histogram.max_us(),
                                   .below_zero = histogram.below_zero()});
    }
    return measured;
}

void Stages::write_metrics(MetricsWriter& writer) const {
    for (std::size_t i = 0; i < kStages; ++i) {
        const auto stage = static_cast<Stage>(i);
        if (stage != Stage::session_to_leader) {  // told by who leads
            write_stage(writer, stage, all_.at(i));
        }
    }
}

}  // namespace muster::session
